/** What a request for a file asks for, read from its target. Attacks on the file system begin here. */
import { ApiError } from './api-errors.ts';

export interface FileTarget {
  /** Names of the path, decoded; none is empty, `..` or has a slash, a backslash or a NUL in it. */
  readonly segments: readonly string[];
  /** The path ends in a slash. */
  readonly isDirectory: boolean;
  /** What stands behind `?`, as it was written; empty when nothing does. */
  readonly query: string;
  /** Who is asked, when the target names him: a proxy's form of a request. */
  readonly authority: string | undefined;
}

const ABSOLUTE_FORM = /^https?:\/\/([^/?#]*)/i;
/** Most targets have neither an escape nor anything else to look at. */
const PLAIN_PATH = /^[\w\-./~!$&'()*+,;=:@]*$/;
const BROKEN_ESCAPE = /%(?![0-9a-f]{2})/i;
const ESCAPE = /%([0-9a-f]{2})/gi;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Escapes are decoded once, so `%252e` is a name with a percent sign. Slashes count whether they are escaped or not; several
 * count as one.
 *
 * @param url as the HTTP parser gives it: one character for each byte
 * @throws ApiError 400 for what can only be an attack or a mistake
 */
export function parseFileTarget(url: string): FileTarget {
  const absolute = ABSOLUTE_FORM.exec(url);
  const target = absolute === null ? url : url.slice(absolute[0].length);
  const pathEnd = target.search(/[?#]/);
  const path = decodePath(pathEnd < 0 ? target : target.slice(0, pathEnd));
  const query = pathEnd < 0 || target[pathEnd] === '#' ? '' : target.slice(pathEnd + 1).split('#', 1)[0]!;
  const segments = path.split('/').filter((name) => name !== '');
  if (segments.includes('..')) throw new ApiError(400, 'the path must have no ..');
  return { segments, isDirectory: path.endsWith('/') || path === '', query, authority: absolute?.[1] };
}

function decodePath(path: string): string {
  if (PLAIN_PATH.test(path)) return path;
  if (BROKEN_ESCAPE.test(path)) throw new ApiError(400, 'the path has a percent sign without two hexadecimal digits');
  const bytes = path.replace(ESCAPE, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  const decoded = decodeUtf8(bytes);
  if (decoded.includes('\0')) throw new ApiError(400, 'the path must have no NUL');
  if (decoded.includes('\\')) throw new ApiError(400, 'the path must have no backslash');
  return decoded;
}

function decodeUtf8(bytes: string): string {
  try {
    return utf8.decode(Buffer.from(bytes, 'latin1'));
  } catch {
    throw new ApiError(400, 'the path must be UTF-8');
  }
}
