/** Where recordings are uploaded to, and under which names. */
import { relative, resolve } from 'node:path';
import type { DvrConfig } from '@srs/config';
import { recordingRoot, recordingTemplate } from './recording-path.ts';

/** What an upload needs of the block `dvr_upload`. Goes from one thread to another. */
export type UploadSettings = Readonly<Omit<DvrConfig['upload'], 'enabled'>>;

/** @returns undefined when finished recordings stay where they are */
export function uploadSettings({ upload }: Pick<DvrConfig, 'upload'>): UploadSettings | undefined {
  return upload.enabled ? upload : undefined;
}

/** The directory that the names in the bucket are relative to. */
export function uploadRoot(dvrPath: string): string {
  return recordingRoot(recordingTemplate(dvrPath));
}

/**
 * The name of a recording in the bucket: the prefix, then where the file is below the directory of the recordings. Parts that are empty, `.`
 * or `..`, which clients and stores understand in different ways, are left out.
 */
export function objectKey(prefix: string, root: string, path: string): string {
  return (prefix + relative(resolve(root), resolve(path)))
    .split('/')
    .filter((part) => !['', '.', '..'].includes(part))
    .join('/');
}

export function contentType(path: string): string {
  return path.endsWith('.mp4') ? 'video/mp4' : 'video/x-flv';
}
