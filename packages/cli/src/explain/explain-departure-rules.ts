/** What those tell who are not there any more: refused, let go, or broken off. */
import { durationText } from '../cli-text.ts';
import type { DepartureRow, Facts } from './explain-facts.ts';
import { counted, type Finding, note, type Rule, warning } from './explain-finding.ts';

/** Older ones have little to do with what is the case now. */
const RECENT_SECONDS = 600;

/** What most often helps, by what the reason says. */
const cures: readonly (readonly [RegExp, string])[] = [
  [/already published/, 'one publisher at a time: end the other one (srs-cli kick), or publish { busy replace }'],
  [/secur|denied|not allowed/i, 'security { allow ... } of the vhost says who may'],
  [/token|sign|expire|\bkey\b/i, 'the key or signature in the address of the client is not the one of the vhost'],
  [/page .* must end with/, 'refer, refer_publish and refer_play of the vhost say which pages may'],
  [/hook|https?:\/\//i, 'the server behind http_hooks has said no, or has not answered: look at its log'],
  [/vhost/, 'the host in the address of the client must be a vhost of the configuration, or there must be __defaultVhost__'],
  [/ring memory|shared memory/i, 'ring { memory } is used up: srs-cli workers shows by what'],
  [/limit|too many|connections|_per_ip/i, 'the limits per address (limits { ... }), or max_connections, are reached'],
];

const DEFAULT_CURE = 'the reason says what the server missed';

const cureFor = (reason: string): string => cures.find(([pattern]) => pattern.test(reason))?.[1] ?? DEFAULT_CURE;

const refused: Rule<Facts> = ({ client, departures }) => {
  if (client !== undefined) return undefined;
  return byReason(departures.filter((departure) => departure.isRefused)).map(([reason, rows]) =>
    warning(
      `${counted(rows.length, 'client')} ${rows.length === 1 ? 'was' : 'were'} refused, ${lastOf(rows)}: ${reason}`,
      cureFor(reason),
    ),
  );
};

/** A publisher that is gone explains players that wait. */
const lastPublisher: Rule<Facts> = ({ stream, departures }) => {
  if (stream !== undefined && stream.publisher !== null) return undefined;
  const last = departures.find(({ type }) => type === 'publish');
  if (last === undefined) return undefined;
  const when = `${durationText(last.agoSeconds)} ago, after ${durationText(last.aliveSeconds)}`;
  return note(`its last publisher, ${last.ip} (id ${last.id}), left ${when}: ${last.reason}`);
};

export const departureRules: readonly Rule<Facts>[] = [refused, lastPublisher];

/** What is said of a client that is not there any more. */
export function departureFinding(departure: DepartureRow): Finding {
  const { id, ip, worker, isRefused, reason, type, streamId, agoSeconds, aliveSeconds } = departure;
  const who = `client ${id} (${ip}, worker ${worker})`;
  const did = { publish: 'published', play: 'played', unknown: 'had asked for' } as const;
  const what = streamId === '' ? '' : `; it ${did[type]} ${streamId}`;
  const when = `${durationText(agoSeconds)} ago, after ${durationText(aliveSeconds)}`;
  return isRefused
    ? { severity: 'problem', what: `${who} was refused ${when}: ${reason}${what}`, advice: cureFor(reason) }
    : note(`${who} left ${when}: ${reason}${what}`);
}

function byReason(rows: readonly DepartureRow[]): readonly (readonly [string, readonly DepartureRow[]])[] {
  const groups = new Map<string, DepartureRow[]>();
  for (const row of rows) {
    if (row.agoSeconds > RECENT_SECONDS) continue;
    const group = groups.get(row.reason);
    if (group === undefined) groups.set(row.reason, [row]);
    else group.push(row);
  }
  return Array.from(groups);
}

function lastOf(rows: readonly DepartureRow[]): string {
  const [last] = rows;
  return last === undefined ? '' : `the last one ${durationText(last.agoSeconds)} ago (id ${last.id}, ${last.ip})`;
}
