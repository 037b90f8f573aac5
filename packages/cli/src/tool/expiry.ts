/** Until when an address holds, as people say it. */
import { BadArguments } from '../cli-commands.ts';

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
/** A grant for longer is a key: it can be taken back only by taking back its secret. */
const MAX_SECONDS = 10 * 366 * 86_400;

/** @returns seconds since 1970. @throws BadArguments */
export function parseExpiry(text: string, unixSeconds: number): number {
  const expires = readExpiry(text, unixSeconds);
  if (expires === undefined) {
    throw new BadArguments(
      `--expires ${JSON.stringify(text)} must be a duration (90s, 30m, 2h, 7d), a time (2030-01-31T12:00:00Z) or seconds since 1970`,
    );
  }
  const fromNow = expires - unixSeconds;
  if (fromNow > 0 && fromNow <= MAX_SECONDS) return expires;
  throw new BadArguments(`--expires ${JSON.stringify(text)} is ${fromNow} s from now, must be 1..${MAX_SECONDS}`);
}

function readExpiry(text: string, unixSeconds: number): number | undefined {
  const [, count, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  if (count !== undefined && unit !== undefined) return unixSeconds + Number(count) * unitSeconds[unit]!;
  if (/^\d{9,12}$/.test(text)) return Number(text);
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)$/.test(text)) return undefined;
  const unixMs = Date.parse(text);
  return Number.isNaN(unixMs) ? undefined : Math.floor(unixMs / 1000);
}
