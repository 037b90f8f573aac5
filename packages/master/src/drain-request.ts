/** What `POST /api/v1/drain` of the private API asks for. */
import { parseRedirectTarget, serverUrl } from '@srs/config';
import { SrsError } from '@srs/kernel';

/** Of the whole server. */
export interface DrainServerRequest {
  readonly kind: 'server';
  /** Where RTMP clients go; null when they are refused. */
  readonly to: string | null;
  readonly withinMs: number;
  readonly isStopping: boolean;
}

export type DrainRequest = { readonly kind: 'slot'; readonly slot: number } | DrainServerRequest | { readonly kind: 'cancel' };

const MAX_WITHIN_SECONDS = 86_400;

/** @throws SrsError naming what is wrong with the query */
export function parseDrainRequest(query: Readonly<Record<string, unknown>>, defaultMs: number): DrainRequest {
  const { slot, all, cancel, to, within, stop } = query;
  if (isOn(cancel)) return { kind: 'cancel' };
  if (!isOn(all)) return { kind: 'slot', slot: parseSlot(slot) };
  return {
    kind: 'server',
    to: to === undefined ? null : parseServer(to),
    withinMs: within === undefined ? defaultMs : parseSeconds(within) * 1000,
    isStopping: isOn(stop),
  };
}

const isOn = (value: unknown): boolean => value === '1' || value === 'true';

function parseSlot(text: unknown): number {
  const slot = Number(text);
  if (typeof text === 'string' && /^\d{1,3}$/.test(text)) return slot;
  throw new SrsError('ConfigInvalid', `slot ${JSON.stringify(text)} must be the number of a slot, see the list of workers`);
}

function parseServer(text: unknown): string {
  const target = parseRedirectTarget(String(text));
  if (target.kind === 'server') return serverUrl(target);
  throw new SrsError(
    'RtmpTcUrl',
    `address ${JSON.stringify(text)} must be rtmp://host[:port]: clients keep their app and stream`,
  );
}

function parseSeconds(text: unknown): number {
  const seconds = Number(text);
  if (typeof text === 'string' && /^\d{1,5}$/.test(text) && seconds <= MAX_WITHIN_SECONDS) return seconds;
  throw new SrsError('ConfigInvalid', `within ${JSON.stringify(text)} must be 0..${MAX_WITHIN_SECONDS} seconds`);
}
