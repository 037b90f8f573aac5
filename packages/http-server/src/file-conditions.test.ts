import type { IncomingHttpHeaders } from 'node:http';
import { expect, it } from 'vitest';
import { decideAnswer } from './file-conditions.ts';

const modifiedMs = Date.UTC(2026, 0, 2, 3, 4, 5);
const version = { etag: '"a-1"', modifiedMs, isSettled: true };
const date = new Date(modifiedMs).toUTCString();
const earlier = new Date(modifiedMs - 1000).toUTCString();
const later = new Date(modifiedMs + 1000).toUTCString();
const range = 'bytes=2-';

it.each<[IncomingHttpHeaders, string]>([
  [{}, 'whole'],
  [{ 'if-none-match': '"a-1"' }, 'not-modified'],
  [{ 'if-none-match': 'W/"a-1"' }, 'not-modified'],
  [{ 'if-none-match': '"b", "a-1"' }, 'not-modified'],
  [{ 'if-none-match': '*' }, 'not-modified'],
  [{ 'if-none-match': '"b"' }, 'whole'],
  [{ 'if-none-match': 'a-1' }, 'whole'],
  [{ 'if-modified-since': date }, 'not-modified'],
  [{ 'if-modified-since': later }, 'not-modified'],
  [{ 'if-modified-since': earlier }, 'whole'],
  [{ 'if-modified-since': 'never' }, 'whole'],
  // The tag is more exact than the time.
  [{ 'if-none-match': '"b"', 'if-modified-since': date }, 'whole'],
  [{ 'if-none-match': '"a-1"', 'if-modified-since': earlier }, 'not-modified'],
  [{ 'if-match': '"a-1"' }, 'whole'],
  [{ 'if-match': '*' }, 'whole'],
  [{ 'if-match': '"b"' }, 'changed'],
  [{ 'if-match': 'W/"a-1"' }, 'changed'],
  [{ 'if-unmodified-since': date }, 'whole'],
  [{ 'if-unmodified-since': earlier }, 'changed'],
  [{ 'if-match': '"a-1"', 'if-unmodified-since': earlier }, 'whole'],
  [{ range }, 'part'],
  [{ range: 'bytes=10-' }, 'unsatisfiable'],
  [{ range: 'bytes=0-1,3-4' }, 'whole'],
  [{ range, 'if-none-match': '"a-1"' }, 'not-modified'],
  [{ range, 'if-range': '"a-1"' }, 'part'],
  [{ range, 'if-range': '"b"' }, 'whole'],
  [{ range, 'if-range': 'W/"a-1"' }, 'whole'],
  [{ range, 'if-range': date }, 'part'],
  [{ range, 'if-range': later }, 'whole'],
  [{ range, 'if-range': 'nonsense' }, 'whole'],
  [{ range: 'bytes=10-', 'if-range': '"b"' }, 'whole'],
])('%j is answered with: %s', (headers, kind) => {
  expect(decideAnswer('GET', headers, version, 10).kind).toBe(kind);
});

it('a range means something for GET only', () => {
  expect(decideAnswer('HEAD', { range }, version, 10)).toEqual({ kind: 'whole' });
  expect(decideAnswer('GET', { range }, version, 10)).toEqual({ kind: 'part', range: { first: 2, end: 10 } });
});

it('a file that has just changed is not known by its time', () => {
  const fresh = { ...version, isSettled: false };
  expect(decideAnswer('GET', { range, 'if-range': date }, fresh, 10).kind).toBe('whole');
  expect(decideAnswer('GET', { range, 'if-range': version.etag }, fresh, 10).kind).toBe('part');
});
