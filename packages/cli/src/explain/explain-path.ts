/** The way of the data: from the publisher over its stream to a client, told from the end that was asked about. */
import type { ServerClient } from '@srs/survey';
import { mediaText } from '../cli-streams.ts';
import type { Column } from '../cli-table.ts';
import { bytesText, durationText, shortStreamName } from '../cli-text.ts';
import { type Facts, rateNow } from './explain-facts.ts';
import { counted } from './explain-finding.ts';

export interface PathStep {
  readonly step: 'client' | 'stream' | 'publisher' | 'origin' | 'push';
  /** Trackable id of a connection, as in the log; null for a stream. */
  readonly cid: number | null;
  readonly ip: string | null;
  readonly worker: number | null;
  readonly pid: number | null;
  readonly aliveSeconds: number | null;
  /** What goes to a client, or comes from a publisher. */
  readonly kbps: number | null;
  /** The rest, for people. */
  readonly detail: string;
}

export function pathOf(facts: Facts): readonly PathStep[] {
  const steps = [...pushSteps(facts), clientStep(facts), streamStep(facts), publisherStep(facts)];
  return steps.filter((step) => step !== undefined);
}

const nobody = { cid: null, ip: null, worker: null, pid: null, aliveSeconds: null, kbps: null } as const;

function clientStep({ client, workerIn, streamId, stream }: Facts): PathStep | undefined {
  // A publisher is at the other end of the way.
  if (client === undefined || (client.type === 'publish' && stream?.publisher?.cid === client.id)) return undefined;
  const { id, ip, worker, type, aliveSeconds, pageUrl, flashVer, server } = client;
  const uses = { play: 'plays', publish: 'publishes', unknown: 'connected' } as const;
  const detail = [
    streamId === '' ? uses[type] : `${uses[type]} ${shortStreamName(streamId)}`,
    ...(server === undefined ? (flashVer === '' ? [] : [`as ${flashVer}`]) : [`for a server, ${thereText(server)}`]),
    ...(pageUrl === '' ? [] : [`on page ${pageUrl}`]),
  ].join(' ');
  const kbps = rateNow(type === 'publish' ? client.recvKbps : client.sendKbps, client);
  return { step: 'client', cid: id, ip, worker, pid: workerIn(worker)?.pid ?? null, aliveSeconds, kbps, detail };
}

/** What is to be looked for on the other server, and in its log. */
const thereText = ({ serverIp, pid, id }: ServerClient): string => `there ip ${serverIp}, pid ${pid}, id ${id}`;

/** Servers are at the other end of the way, as players are; of a player's way they are no part. */
function pushSteps({ client, stream }: Facts): readonly PathStep[] {
  if (client !== undefined && client.type !== 'publish') return [];
  return (stream?.pushes ?? []).map(({ kind, destination, state, sentFrames, sentBytes }) => ({
    ...nobody,
    step: 'push',
    detail: `${kind} to ${destination}, ${state}, ${counted(sentFrames, 'frame')}, ${bytesText(sentBytes)}`,
  }));
}

function streamStep({ stream }: Facts): PathStep | undefined {
  if (stream === undefined) return undefined;
  const { streamId, ring, players, readers, publisher } = stream;
  const parts = [
    streamId,
    ...(publisher === null ? [] : [`source id ${publisher.cid}`]),
    `${counted(players, 'player')} on ${counted(readers.length, 'worker')}`,
    ...(ring === null
      ? []
      : [`ring of ${bytesText(ring.capacityBytes)}, ${bytesText(ring.gopBytes)} since the newest key frame`]),
  ];
  return { ...nobody, step: 'stream', detail: parts.join(', ') };
}

function publisherStep({ stream, client, inputKbps, workerIn }: Facts): PathStep | undefined {
  const publisher = stream?.publisher;
  if (stream?.pull != null) return originStep(stream, workerIn);
  if (publisher == null) return undefined;
  const { cid, ip, worker } = publisher;
  const input = stream?.input;
  const media = mediaText(stream?.tracks ?? null);
  const detail =
    input == null
      ? 'its worker does not say more'
      : [
          ...(media === undefined ? [] : [media]),
          ...(client?.server === undefined || client.id !== cid ? [] : [`from a server, ${thereText(client.server)}`]),
          `${input.videoFrames} frames of video, ${input.audioFrames} of audio, ${bytesText(input.recvBytes)}`,
        ].join(', ');
  return {
    step: 'publisher',
    cid,
    ip,
    worker,
    pid: workerIn(worker)?.pid ?? null,
    aliveSeconds: input?.aliveSeconds ?? null,
    kbps: inputKbps ?? null,
    detail,
  };
}

/** The id is that of the pull: with it, the origin's log tells who asked; `srs-cli explain` of the id there goes on from here. */
function originStep({ pull, publisher }: NonNullable<Facts['stream']>, workerIn: Facts['workerIn']): PathStep {
  const worker = publisher?.worker ?? null;
  const peer = pull?.peer;
  return {
    step: 'origin',
    cid: publisher?.cid ?? null,
    ip: publisher?.ip ?? null,
    worker,
    pid: worker === null ? null : (workerIn(worker)?.pid ?? null),
    aliveSeconds: null,
    kbps: null,
    detail: `${pull?.origin ?? ''}, ${pull?.state ?? ''}${peer == null ? '' : `, ${thereText(peer)}`}`,
  };
}

export const pathColumns: readonly Column<PathStep>[] = [
  { head: '', value: ({ step }) => step },
  { head: 'Id', isRight: true, value: ({ cid }) => cid ?? '' },
  { head: 'Ip', value: ({ ip }) => ip ?? '' },
  {
    head: 'Worker',
    isRight: true,
    value: ({ worker, pid }) => (worker === null ? '' : `${worker}${pid === null ? '' : ` (pid ${pid})`}`),
  },
  { head: 'For', isRight: true, value: ({ aliveSeconds }) => (aliveSeconds === null ? '' : durationText(aliveSeconds)) },
  { head: 'Kbps', isRight: true, value: ({ kbps }) => kbps ?? '' },
  { head: 'What', value: ({ detail }) => detail },
];
