/** What a client knows of a file already, and what of it he is therefore sent (RFC 9110, sections 13 and 14). */
import type { IncomingHttpHeaders } from 'node:http';
import { type ByteRange, parseRange } from './file-range.ts';

/** By what the version of a file is told. */
export interface FileVersion {
  /** In quotes. */
  readonly etag: string;
  /** Whole seconds, in milliseconds since 1970. */
  readonly modifiedMs: number;
  /** Not changed within the last second: the time tells one version from the next. */
  readonly isSettled: boolean;
}

export type FileAnswer =
  | { readonly kind: 'whole' | 'not-modified' | 'changed' | 'unsatisfiable' }
  | { readonly kind: 'part'; readonly range: ByteRange };

export function decideAnswer(method: string, headers: IncomingHttpHeaders, version: FileVersion, sizeBytes: number): FileAnswer {
  if (isChanged(headers, version)) return { kind: 'changed' };
  if (isKnown(headers, version)) return { kind: 'not-modified' };
  // Ranges have a meaning for GET only.
  if (headers.range === undefined || method !== 'GET' || !isRangeWanted(headers['if-range']?.toString(), version))
    return { kind: 'whole' };
  const range = parseRange(headers.range, sizeBytes);
  if (range === undefined) return { kind: 'whole' };
  return range === 'unsatisfiable' ? { kind: 'unsatisfiable' } : { kind: 'part', range };
}

function isChanged(headers: IncomingHttpHeaders, { etag, modifiedMs }: FileVersion): boolean {
  const match = headers['if-match'];
  if (match !== undefined) return !namesEtag(match, etag);
  const since = timeOf(headers['if-unmodified-since']);
  return since !== undefined && modifiedMs > since;
}

function isKnown(headers: IncomingHttpHeaders, { etag, modifiedMs }: FileVersion): boolean {
  const noneMatch = headers['if-none-match'];
  if (noneMatch !== undefined) return namesEtag(noneMatch.replaceAll('W/', ''), etag);
  const since = timeOf(headers['if-modified-since']);
  return since !== undefined && modifiedMs <= since;
}

/** The rest of an older version must not be put behind the beginning of this one. */
function isRangeWanted(condition: string | undefined, { etag, modifiedMs, isSettled }: FileVersion): boolean {
  if (condition === undefined) return true;
  if (condition.includes('"')) return condition.trim() === etag;
  return isSettled && timeOf(condition) === modifiedMs;
}

function namesEtag(list: string, etag: string): boolean {
  return list.trim() === '*' || list.split(',').some((entry) => entry.trim() === etag);
}

/** Undefined for what is no date, which is as good as none. */
function timeOf(date: string | undefined): number | undefined {
  const time = date === undefined ? Number.NaN : Date.parse(date);
  return Number.isNaN(time) ? undefined : time;
}
