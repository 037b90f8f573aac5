/** Figures and foreign words as an operator reads them. */
import { defaultVhostName } from '@srs/config';
import type { Kbps } from '@srs/kernel';

/** The windows of a rate are empty for as long as this after its start. */
const WINDOW_FILLED_SECONDS = 40;

/** What flows now: the last 30 s, or for something younger the average since its start. */
export function currentKbps(rate: Kbps, ageSeconds: number): number {
  return ageSeconds < WINDOW_FILLED_SECONDS ? rate.average : rate.last30s;
}

const byteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** `1.5 MiB`. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < byteUnits.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${byteUnits[unit]}`;
}

/** `42s`, `3m07s`, `5h12m`, `12d03h`. */
export function durationText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number): string => String(value).padStart(2, '0');
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m${two(whole % 60)}s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)}h${two(Math.floor(whole / 60) % 60)}m`;
  return `${Math.floor(whole / 86_400)}d${two(Math.floor(whole / 3600) % 24)}h`;
}

/** Names come from clients: what would move the cursor or colour the screen is written out, `\x1b`. */
export function printable(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

const DEFAULT_VHOST = `${defaultVhostName}/`;

/** `APP/STREAM` for a stream of the default vhost, as people write it; others keep their vhost. */
export function shortStreamName(streamId: string): string {
  return streamId.startsWith(DEFAULT_VHOST) ? streamId.slice(DEFAULT_VHOST.length) : streamId;
}
