/** The classic log line: `[2026-01-31 18:59:59.123][trace][pid][cid] text`. */
import type { LogLevel } from '@srs/kernel';

/** Longer lines are cut, so that a client's long names cannot flood the log. */
export const MAX_LINE_BYTES = 4096;

/** The words that stand in the line; the configuration's words differ for two of them. */
const levelWords: Readonly<Record<LogLevel, string>> = {
  verbose: 'verb',
  info: 'debug',
  trace: 'trace',
  warn: 'warn',
  error: 'error',
};

const YELLOW = '\u001b[33m';
const RED = '\u001b[31m';
const RESET = '\u001b[0m';

const pad = (value: number, width: number): string => String(value).padStart(width, '0');

/** UTC or local time. */
export function formatTime(wallMs: number, isUtc: boolean): string {
  const time = new Date(isUtc ? wallMs : wallMs - new Date(wallMs).getTimezoneOffset() * 60_000);
  return (
    `${time.getUTCFullYear()}-${pad(time.getUTCMonth() + 1, 2)}-${pad(time.getUTCDate(), 2)} ` +
    `${pad(time.getUTCHours(), 2)}:${pad(time.getUTCMinutes(), 2)}:${pad(time.getUTCSeconds(), 2)}.${pad(time.getUTCMilliseconds(), 3)}`
  );
}

export interface ClassicLine {
  readonly level: LogLevel;
  readonly wallMs: number;
  readonly pid: number;
  readonly cid: number;
  readonly text: string;
  /** The number of the last system error, for warnings and errors; 0 when there is none. */
  readonly errno: number;
  readonly useColour: boolean;
  readonly isUtc: boolean;
}

export function formatClassicLine(line: ClassicLine): string {
  const isLoud = line.level === 'warn' || line.level === 'error';
  const errno = isLoud ? `[${line.errno}]` : '';
  const head = `[${formatTime(line.wallMs, line.isUtc)}][${levelWords[line.level]}][${line.pid}][${line.cid}]${errno} `;
  // One line is one line: text from a client must not be able to forge another.
  const text = `${head}${cut(escapeControls(line.text), MAX_LINE_BYTES - head.length - 1)}\n`;
  if (!line.useColour || !isLoud) return text;
  return `${line.level === 'warn' ? YELLOW : RED}${text}${RESET}`;
}

function escapeControls(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, (character) => `\\x${pad(character.charCodeAt(0), 2)}`);
}

function cut(text: string, maxBytes: number): string {
  if (text.length * 3 <= maxBytes || Buffer.byteLength(text) <= maxBytes) return text;
  return Buffer.from(text)
    .subarray(0, maxBytes)
    .toString('utf8')
    .replace(/\ufffd+$/, '');
}
