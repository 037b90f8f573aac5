/** Measures one server after the other, in turn, each started afresh. */
import { describeError } from '@srs/kernel';
import { describeEnvironment } from './bench-environment.ts';
import { NginxPeer } from './nginx-peer.ts';
import { NodeMediaServerPeer } from './node-media-server-peer.ts';
import { type Peer, PeerMissing, type RunningPeer } from './peer.ts';
import {
  complaintsOf,
  figuresOf,
  type MeasuredServer,
  type PeerRun,
  type PeersDocument,
  type PeersSettings,
  type RunFigures,
  type SkippedServer,
} from './peers-document.ts';
import { peersFigures } from './peers-figures.ts';
import { SendFloor } from './send-floor.ts';
import { SrsPeer, srsDefault, srsLowLatency } from './srs-peer.ts';
import { play, startPublishing } from './tester.ts';
import type { Workbench } from './workbench.ts';
import { WriteWatch } from './write-watch.ts';

/** They read at once, so latencies are theirs, and compare every byte with what was published. */
const CHECKED_PLAYERS = 100;
const STREAM = 'bench';
const RAMP_PER_SECOND = 1_000;
const WARM_UP_SECONDS = 2;
/** The publisher is there before the players and stays until it is stopped. */
const PUBLISH_SPARE_SECONDS = 90;
/** The server whose batches the bare loop repeats. */
const MODEL = 'srs';

export const serverNames = ['srs', 'srs-low-latency', 'nginx', 'node-media-server', 'floor'] as const;
type ServerName = (typeof serverNames)[number];

export interface PeersPlan extends PeersSettings {
  readonly servers: readonly ServerName[];
  readonly port: number;
}

type Contestant = Peer | SendFloor;

function contestant(name: ServerName): Contestant {
  switch (name) {
    case 'srs':
      return new SrsPeer(srsDefault);
    case 'srs-low-latency':
      return new SrsPeer(srsLowLatency);
    case 'nginx':
      return new NginxPeer();
    case 'node-media-server':
      return new NodeMediaServerPeer();
    case 'floor':
      return new SendFloor();
  }
}

/** @throws Interrupted */
export async function comparePeers(bench: Workbench, plan: PeersPlan, command: string): Promise<PeersDocument> {
  const environment = await describeEnvironment(bench, command);
  const { present, servers, skipped } = await prepareAll(bench, plan.servers.map(contestant));
  const runs: PeerRun[] = [];
  for (let round = 1; round <= plan.rounds; round++) {
    for (const players of plan.players) {
      for (const server of present) {
        bench.signal.throwIfAborted();
        const model = runs.findLast((run) => run.server === MODEL && run.players === players)?.figures;
        const run = await measure(bench, plan, server, { players, round, model });
        runs.push(run);
        bench.say(progressLine(run));
      }
    }
  }
  const { players, rounds, seconds, kbps, readEveryMs } = plan;
  const settings = { players, rounds, seconds, kbps, readEveryMs };
  return { kind: 'peers', environment, settings, servers, skipped, runs, figures: peersFigures(runs) };
}

interface Prepared {
  readonly present: readonly Contestant[];
  readonly servers: readonly MeasuredServer[];
  readonly skipped: readonly SkippedServer[];
}

async function prepareAll(bench: Workbench, contestants: readonly Contestant[]): Promise<Prepared> {
  const present: Contestant[] = [];
  const servers: MeasuredServer[] = [];
  const skipped: SkippedServer[] = [];
  for (const server of contestants) {
    try {
      servers.push({ name: server.name, title: server.title, version: await server.prepare(bench) });
      present.push(server);
    } catch (thrown) {
      if (!(thrown instanceof PeerMissing)) throw thrown;
      skipped.push({ name: server.name, reason: thrown.message });
      bench.say(`${server.name} is skipped: ${thrown.message}`);
    }
  }
  return { present, servers, skipped };
}

interface Turn {
  readonly players: number;
  readonly round: number;
  /** What the model did with as many players, just before. */
  readonly model: RunFigures | undefined;
}

async function measure(bench: Workbench, plan: PeersPlan, server: Contestant, turn: Turn): Promise<PeerRun> {
  const place = { server: server.name, players: turn.players, round: turn.round };
  try {
    if (server instanceof SendFloor) return { ...place, ...(await measureFloor(bench, plan, server, turn)) };
    await using running = await server.start(bench, plan.port);
    return { ...place, ...(await measurePlayers(bench, plan, running, turn.players)) };
  } catch (thrown) {
    bench.signal.throwIfAborted();
    return { ...place, isValid: false, complaints: [describeError(thrown)] };
  }
}

type Outcome = Pick<PeerRun, 'figures' | 'isValid' | 'complaints'>;

/** Players and their publisher against a server that has just been started. */
export async function measurePlayers(
  bench: Workbench,
  plan: { readonly seconds: number; readonly kbps: number; readonly readEveryMs?: number },
  running: RunningPeer,
  players: number,
  onSecond?: () => void,
): Promise<Outcome> {
  const { seconds, kbps, readEveryMs } = plan;
  const url = running.url(STREAM);
  const wholeSeconds = Math.ceil(players / RAMP_PER_SECOND) + WARM_UP_SECONDS + seconds + PUBLISH_SPARE_SECONDS;
  await using _publisher = await startPublishing(bench, { url, kbps, seconds: wholeSeconds });
  const watch = new WriteWatch(running);
  const summary = await play(bench, {
    url: running.playUrl?.(STREAM) ?? url,
    players,
    seconds,
    readEveryMs,
    checked: Math.min(players, CHECKED_PLAYERS),
    warmUpSeconds: WARM_UP_SECONDS,
    rampPerSecond: RAMP_PER_SECOND,
    processes: running.processes,
    onSecond: () => {
      watch.look();
      onSecond?.();
    },
  });
  const batch = watch.batch(seconds);
  return {
    figures: figuresOf(summary, running.processes, batch),
    isValid: summary.valid,
    complaints: complaintsOf(summary),
  };
}

/** The loop that only sends: as many sockets, as many bytes, as often as the model's players got them. */
async function measureFloor(bench: Workbench, plan: PeersPlan, floor: SendFloor, turn: Turn): Promise<Outcome> {
  const batch = turn.model?.batch;
  if (batch === undefined) throw new Error(`the batch of ${MODEL} with ${turn.players} players is not known`);
  const result = await floor.measure(bench, plan.port, { players: turn.players, seconds: plan.seconds, ...batch });
  const complaints = [
    ...(result.lateTurns > 0 ? [`${result.lateTurns} of ${result.turns} turns began late`] : []),
    ...(result.closed > 0 ? [`${result.closed} sockets were closed`] : []),
  ];
  const cpuPercent = (result.userMs + result.systemMs) / result.seconds / 10;
  const kbpsAverage = (result.bytes * 8) / result.seconds / turn.players / 1_000;
  return { figures: { cpuPercent, totalCpuPercent: cpuPercent, kbpsAverage, batch }, isValid: result.closed === 0, complaints };
}

function progressLine({ server, players, round, figures, isValid, complaints }: PeerRun): string {
  const head = `round ${round}, ${players} players, ${server}:`;
  if (figures === undefined) return `${head} failed: ${complaints.join('; ')}`;
  const { cpuPercent, totalCpuPercent, pssPerPlayerKb, latencyMs, batch } = figures;
  const parts = [
    `CPU ${cpuPercent.toFixed(1)} % (all ${totalCpuPercent.toFixed(1)} %)`,
    ...(pssPerPlayerKb === undefined ? [] : [`${pssPerPlayerKb.toFixed(1)} KB per player`]),
    ...(latencyMs === undefined ? [] : [`latency p50 ${latencyMs.p50.toFixed(1)} ms, p99 ${latencyMs.p99.toFixed(1)} ms`]),
    ...(batch === undefined ? [] : [`batch ${batch.intervalMs.toFixed(0)} ms, ${batch.bytes} bytes`]),
    ...(isValid ? [] : ['not valid']),
    ...complaints,
  ];
  return `${head} ${parts.join(', ')}`;
}
