/** What an answer says of a file, whoever sends it. */
import type { Stats } from 'node:fs';
import type { FileVersion } from './file-conditions.ts';
import { cacheControlOf, contentTypeOf } from './file-types.ts';

export interface FileDocument {
  readonly version: FileVersion;
  /** Names and values in turn; the length is not among them. */
  readonly headers: readonly string[];
}

/** A change is told from the next by its time only when they are that far apart. */
const SETTLED_MS = 1000;

/**
 * @param common headers of every answer
 * @param part tells what is made of a part of the file from the whole
 */
export function describeFile(
  stats: Stats,
  extension: string,
  common: Readonly<Record<string, string>>,
  wallMs: number,
  part = '',
): FileDocument {
  // A clock that was set back must not make a file come from the future.
  const modifiedMs = Math.floor(Math.min(stats.mtimeMs, wallMs) / 1000) * 1000;
  const etag = `"${stats.size.toString(16)}-${Math.round(stats.mtimeMs * 1000).toString(16)}${part}"`;
  const headers = Object.entries(common).flat();
  headers.push('Content-Type', contentTypeOf(extension), 'Accept-Ranges', 'bytes');
  headers.push('Last-Modified', new Date(modifiedMs).toUTCString(), 'ETag', etag);
  const cacheControl = cacheControlOf(extension);
  if (cacheControl !== undefined) headers.push('Cache-Control', cacheControl);
  return { headers, version: { etag, modifiedMs, isSettled: wallMs - stats.mtimeMs >= SETTLED_MS } };
}
