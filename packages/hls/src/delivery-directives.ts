/** What a player may ask of a low-latency playlist in its URL (RFC 8216bis, 6.2.5). */

export interface DeliveryDirectives {
  /** The playlist must have this segment, or this part of it. */
  readonly msn: number | undefined;
  readonly part: number | undefined;
  /** A delta update will do. */
  readonly isDelta: boolean;
}

/** @returns undefined when they contradict each other or are no numbers */
export function readDirectives(query: string): DeliveryDirectives | undefined {
  const params = new URLSearchParams(query);
  const msn = readNumber(params.get('_HLS_msn'));
  const part = readNumber(params.get('_HLS_part'));
  if (Number.isNaN(msn) || Number.isNaN(part)) return undefined;
  if (part !== undefined && msn === undefined) return undefined;
  const skip = params.get('_HLS_skip');
  return { msn, part, isDelta: skip === 'YES' || skip === 'v2' };
}

function readNumber(text: string | null): number | undefined {
  if (text === null) return undefined;
  return /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
}
