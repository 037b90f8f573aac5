/** Makes the documents of vhosts, streams and clients from what the workers tell. */
import { createHash } from 'node:crypto';
import { type Config, splitStreamId, type VhostConfig } from '@srs/config';
import type { PublisherInfo } from '@srs/control';
import type { ClientDocument, ForwardDocument, StreamDocument, VhostDocument } from './api-documents.ts';
import type { PullReport, PushReport } from './server-documents.ts';
import type { ClientView, StreamView, TrafficView } from './server-view.ts';

const DEFAULT_VHOST = '__defaultVhost__';
const ID_BYTES = 6;

/** The same in every worker and after a restart, without anybody keeping a table. */
function idOf(prefix: string, name: string): string {
  return `${prefix}-${createHash('sha256')
    .update(name)
    .digest('hex')
    .slice(0, ID_BYTES * 2)}`;
}

const vhostId = (name: string): string => idOf('vhost', name);
export const streamIdOf = (streamId: string): string => idOf('stream', streamId);

const urlOf = ({ vhost, app, stream }: ReturnType<typeof splitStreamId>): string =>
  `${vhost === DEFAULT_VHOST ? '' : vhost}/${app}/${stream}`;

function trafficFields(view: TrafficView): Pick<StreamDocument, 'send_bytes' | 'recv_bytes' | 'kbps'> {
  return {
    send_bytes: view.sendBytes,
    recv_bytes: view.recvBytes,
    kbps: { recv_30s: view.recvKbps30s, send_30s: view.sendKbps30s },
  };
}

const pushFields = (push: PushReport): StreamDocument['forwards'][number] => ({
  kind: push.kind,
  source: push.source,
  destination: push.destination,
  state: push.state,
  connects: push.connects,
  sent_frames: push.sentFrames,
  sent_bytes: push.sentBytes,
  dropped_frames: push.droppedFrames,
  last_error: push.lastError,
});

function pullFields(pull: PullReport): NonNullable<StreamDocument['pull']> {
  const { origin, protocol, state, stateSeconds, starts, lastError } = pull;
  return { origin, protocol: protocol ?? '', state, state_seconds: stateSeconds, starts, last_error: lastError };
}

/** Every destination of every stream; of one vhost or stream only if these are given, by id or name. */
export function forwardRows(
  streams: readonly StreamView[],
  { vhost, stream }: { readonly vhost?: string; readonly stream?: string },
): readonly ForwardDocument[] {
  return streams.flatMap(({ streamId, pushes }) => {
    const name = splitStreamId(streamId);
    const place = {
      stream: streamIdOf(streamId),
      vhost: vhostId(name.vhost),
      app: name.app,
      name: name.stream,
      url: urlOf(name),
    };
    if (vhost !== undefined && vhost !== place.vhost && vhost !== name.vhost) return [];
    if (stream !== undefined && stream !== place.stream && stream !== name.stream) return [];
    return pushes.map((push) => ({ ...place, ...pushFields(push) }));
  });
}

const noPublisher = { cid: -1, pid: 0, worker: -1, ip: '' };

function publisherFields(publisher: PublisherInfo | null): typeof noPublisher {
  if (publisher === null) return noPublisher;
  const { cid, pid, slot, ip } = publisher;
  return { cid, pid, worker: slot, ip };
}

/** @param nowMs on the wall clock */
export function streamRow(view: StreamView, nowMs: number): StreamDocument {
  const name = splitStreamId(view.streamId);
  const { publisher, video, audio } = view;
  return {
    id: streamIdOf(view.streamId),
    name: name.stream,
    vhost: vhostId(name.vhost),
    app: name.app,
    tcUrl: `rtmp://${name.vhost}/${name.app}`,
    url: urlOf(name),
    live_ms: nowMs,
    alive: view.publishSeconds,
    clients: view.clients,
    players: view.players,
    frames: view.videoFrames,
    audio_frames: view.audioFrames,
    ...trafficFields(view),
    publish: { active: publisher !== null, ...publisherFields(publisher) },
    video,
    audio:
      audio === null
        ? null
        : { codec: audio.codec, sample_rate: audio.sampleRate, channel: audio.channels, profile: audio.profile },
    pull: view.pull === null ? null : pullFields(view.pull),
    forwards: view.pushes.map(pushFields),
    dropped_frames: view.droppedFrames,
    cuts: view.playerCuts,
    player_dropped_frames: view.playerDroppedFrames,
    pending_bytes: view.pendingBytes,
    lag_bytes: view.lagBytes,
    flush_interval_ms: view.flushIntervalMs,
    workers: view.readers.map(({ slot, players, playersInStep, flushIntervalMs, lagBytes }) => ({
      worker: slot,
      players,
      players_in_step: playersInStep,
      flush_interval_ms: flushIntervalMs,
      lag_bytes: lagBytes,
    })),
  };
}

function typeText({ type, dialect }: ClientView): string {
  if (type === 'play') return 'Play';
  if (type === 'unknown') return 'Unknown';
  return dialect === 'flash' ? 'publish(FlashPublish)' : 'publish(FMLEPublish)';
}

export function clientRow(view: ClientView): ClientDocument {
  const { vhost, app, stream, streamId, source } = view;
  return {
    id: view.id,
    vhost: vhost === '' ? '' : vhostId(vhost),
    stream: streamId === '' ? '' : streamIdOf(streamId),
    ip: view.ip,
    pageUrl: view.pageUrl,
    swfUrl: view.swfUrl,
    tcUrl: view.tcUrl,
    url: streamId === '' ? '' : urlOf({ vhost, app, stream }),
    name: stream,
    type: typeText(view),
    publish: view.type === 'publish',
    alive: view.aliveSeconds,
    bytes: view.sendBytes + view.recvBytes,
    ...trafficFields(view),
    flashVer: view.flashVer,
    protocol: view.protocol,
    worker: view.slot,
    pid: view.pid,
    source_id: source?.cid ?? -1,
    source: source === null ? null : publisherFields(source),
    dropped_frames: view.droppedFrames,
    cuts: view.cuts,
    pending_bytes: view.pendingBytes,
    lag_bytes: view.lagBytes,
    in_step: view.isInStep,
    paused: view.isPaused,
  };
}

/** The configured vhosts, and those that streams still run on. */
export function vhostRows(config: Config, streams: readonly StreamView[]): readonly VhostDocument[] {
  const byVhost = new Map<string, StreamView[]>([...config.vhosts.keys()].map((name) => [name, []]));
  for (const stream of streams) {
    const { vhost } = splitStreamId(stream.streamId);
    const known = byVhost.get(vhost);
    if (known === undefined) byVhost.set(vhost, [stream]);
    else known.push(stream);
  }
  return Array.from(byVhost, ([name, own]) => vhostRow(name, config.vhosts.get(name), own));
}

function vhostRow(name: string, vhost: VhostConfig | undefined, streams: readonly StreamView[]): VhostDocument {
  const sum = (pick: (stream: StreamView) => number): number => streams.reduce((total, stream) => total + pick(stream), 0);
  const isHls = vhost?.hls.enabled ?? false;
  return {
    id: vhostId(name),
    name,
    enabled: vhost?.enabled ?? false,
    clients: sum(({ clients }) => clients),
    streams: streams.length,
    ...trafficFields({
      recvBytes: sum(({ recvBytes }) => recvBytes),
      sendBytes: sum(({ sendBytes }) => sendBytes),
      recvKbps30s: sum(({ recvKbps30s }) => recvKbps30s),
      sendKbps30s: sum(({ sendKbps30s }) => sendKbps30s),
    }),
    hls: { enabled: isHls, fragment: isHls ? (vhost?.hls.fragmentMs ?? 0) / 1000 : 0 },
  };
}
