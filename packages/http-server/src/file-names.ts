/** Which files are served, by their names and by what the system says of them. */
import { systemErrorCode } from '@srs/kernel';
import { ApiError } from './api-errors.ts';

/** Names of files that are being written. */
const unfinished: readonly string[] = ['.tmp', '.temp'];

/** Hidden files hold what is no business of a visitor: passwords of `.htpasswd`, the history in `.git`. */
export function isServedName(name: string): boolean {
  return !name.startsWith('.') && !unfinished.some((ending) => name.endsWith(ending));
}

/** Nothing there, or nothing that could be read: a name too long, a file for a directory, a circle of links, a socket. */
const absent: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP', 'ENXIO', 'ENODEV']);
const forbidden: ReadonlySet<string | undefined> = new Set(['EACCES', 'EPERM']);
const exhausted: ReadonlySet<string | undefined> = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);

export function notFound(): ApiError {
  return new ApiError(404, '');
}

/** @param error of opening a file */
export function openError(error: unknown): unknown {
  const code = systemErrorCode(error);
  if (absent.has(code)) return notFound();
  if (forbidden.has(code)) return new ApiError(403, 'the server may not read the file');
  if (exhausted.has(code)) return new ApiError(503, `no file can be opened at present: ${code}`);
  return error;
}
