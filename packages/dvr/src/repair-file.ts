/** What the repair of every format does with its file. */
import { closeSync, fstatSync, openSync, writeSync } from 'node:fs';
import { type ErrorName, SrsError } from '@srs/kernel';
import { FileWindow } from './file-window.ts';
import type { FileSummary, Patch } from './recording.ts';

export interface FileRepair<Found> {
  /** What is whole; undefined when there is no picture and no sound. */
  find(file: FileWindow): Found | undefined;
  complete(fd: number, found: Found, fileBytes: number): void;
  summarise(found: Found, fileBytes: number): FileSummary;
}

/** @throws SrsError FileOpen, FileRead or FileWrite with the system's error as cause, and what `find` throws */
export function repairFile<Found>(path: string, repair: FileRepair<Found>): FileSummary | undefined {
  const fd = attempt('FileOpen', `open ${path}`, () => openSync(path, 'r+'));
  try {
    const { size } = attempt('FileRead', `read ${path}`, () => fstatSync(fd));
    const found = attempt('FileRead', `read ${path}`, () => repair.find(new FileWindow(fd, size)));
    if (found === undefined) return undefined;
    attempt('FileWrite', `complete ${path}`, () => repair.complete(fd, found, size));
    return repair.summarise(found, size);
  } finally {
    closeSync(fd);
  }
}

export function writePatch(fd: number, { position, bytes }: Patch): void {
  for (let written = 0; written < bytes.length; ) {
    written += writeSync(fd, bytes, written, bytes.length - written, position + written);
  }
}

function attempt<T>(errorName: ErrorName, what: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    if (cause instanceof SrsError) throw cause;
    throw new SrsError(errorName, what, { cause });
  }
}
