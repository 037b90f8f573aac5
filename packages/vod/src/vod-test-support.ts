/** Recordings as threads and players see them: open files, and playlists with their segments. */
import { closeSync, fstatSync, mkdirSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Log, type LogLine, memoryLog, systemClock } from '@srs/kernel';
import { FileWindow } from './file-window.ts';
import { VodLibrary, type VodLimits } from './library.ts';
import type { RecordingFile } from './recording.ts';

export interface TestPlaylist {
  readonly text: string;
  /** Of the segments, beside the playlist. */
  readonly paths: readonly string[];
  /** Seconds. */
  readonly durations: readonly number[];
}

/** A library of a directory of its own. */
export class TestLibrary implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'srs-vod-'));
  readonly log: Log & { readonly lines: readonly LogLine[] } = memoryLog();
  readonly library: VodLibrary;

  constructor(limits: Partial<VodLimits> = {}) {
    this.library = new VodLibrary({ clock: systemClock, log: this.log, limits });
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  /** @returns where it is */
  write(name: string, contents: string | Buffer): string {
    const path = this.path(name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, contents);
    return path;
  }

  /** As it is now. */
  file(name: string): RecordingFile {
    const path = this.path(name);
    const { dev: device, ino: inode, size: sizeBytes, mtimeMs: modifiedMs } = statSync(path);
    const format = name.endsWith('.mp4') ? 'mp4' : 'flv';
    return { identity: { path, device, inode, sizeBytes, modifiedMs }, name, format };
  }

  async playlist(name: string): Promise<TestPlaylist> {
    const text = (await this.library.playlistOf(this.file(name))).toString();
    const lines = text.split('\n');
    return {
      text,
      paths: lines.filter((line) => line !== '' && !line.startsWith('#')).map(decodeURIComponent),
      durations: lines.filter((line) => line.startsWith('#EXTINF:')).map((line) => Number(line.slice(8, -1))),
    };
  }

  async segment(name: string, index: number): Promise<Buffer> {
    const held = await this.library.holdSegment(this.file(name), index);
    held.release();
    return Buffer.from(held.bytes);
  }

  /** All of them, in order. */
  async segments(name: string): Promise<readonly Buffer[]> {
    const { paths } = await this.playlist(name);
    const segments: Buffer[] = [];
    for (const index of paths.keys()) segments.push(await this.segment(name, index));
    return segments;
  }

  /** Writes what a player asks for. @returns where the playlist is */
  async writePlaylist(name: string): Promise<string> {
    const { text, paths } = await this.playlist(name);
    for (const [index, path] of paths.entries()) this.write(path, await this.segment(name, index));
    return this.write(`${name}.m3u8`, text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.library.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Lets `use` read bytes as a file. */
export function withWindow<Result>(bytes: Buffer, use: (window: FileWindow, places: FileWindow) => Result): Result {
  const directory = mkdtempSync(join(tmpdir(), 'srs-vod-'));
  const path = join(directory, 'file');
  writeFileSync(path, bytes);
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    return use(new FileWindow(fd, size), new FileWindow(fd, size, 4096));
  } finally {
    closeSync(fd);
    rmSync(directory, { recursive: true });
  }
}
