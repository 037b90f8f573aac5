/** Measures players over RTMP and HTTP, and files, in turn, each server started afresh. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeError } from '@srs/kernel';
import { describeEnvironment } from './bench-environment.ts';
import {
  type FileFigures,
  type FileLoad,
  type FileRun,
  fileFiguresOf,
  fileLoads,
  type HttpDocument,
  type HttpPlan,
} from './http-document.ts';
import { httpFigures } from './http-figures.ts';
import { NginxFilesPeer } from './nginx-files-peer.ts';
import { type Peer, PeerMissing } from './peer.ts';
import { complaintsOf, type PeerRun, type SkippedServer } from './peers-document.ts';
import { measurePlayers } from './peers-run.ts';
import { type PlayedOver, SrsPeer } from './srs-peer.ts';
import { roundedText } from './statistics.ts';
import { requestFiles } from './tester.ts';
import type { Workbench } from './workbench.ts';

const SEGMENTS = 6;
const SEGMENT_SECONDS = 6;
const PLAYLIST = 'live/bench.m3u8';
/** Segments are whole packets of a transport stream. */
const TS_PACKET_BYTES = 188;

/** @throws Interrupted */
export async function measureHttp(bench: Workbench, plan: HttpPlan, command: string): Promise<HttpDocument> {
  const environment = await describeEnvironment(bench, command);
  const directory = bench.newPlace('html');
  writeFiles(directory, plan.segmentKb);
  const versions: Record<string, string> = {};
  const skipped: SkippedServer[] = [];
  const fileServers = await prepare(bench, fileServersIn(directory), versions, skipped);
  const playerRuns: PeerRun[] = [];
  const fileRuns: FileRun[] = [];
  for (let round = 1; round <= plan.rounds; round++) {
    // Who comes first in one round comes last in the next: a machine that becomes slower favours nobody.
    const inTurn = <Item>(items: readonly Item[]): readonly Item[] => (round % 2 === 1 ? items : items.toReversed());
    if (plan.measure.includes('players')) {
      for (const over of inTurn(plan.over)) playerRuns.push(await measureOver(bench, plan, directory, over, round));
    }
    if (!plan.measure.includes('files')) continue;
    for (const load of fileLoads) {
      for (const server of inTurn(fileServers)) fileRuns.push(await measureFiles(bench, plan, server, load, round));
    }
  }
  const figures = httpFigures(plan, playerRuns, fileRuns);
  return { kind: 'http', environment, settings: plan, versions, skipped, playerRuns, fileRuns, figures };
}

function fileServersIn(directory: string): readonly Peer[] {
  return [
    new SrsPeer({ name: 'srs', title: 'srs', streamWorkers: 1, httpDirectory: directory, playedOver: 'http-flv' }),
    new NginxFilesPeer(directory),
  ];
}

async function prepare(
  bench: Workbench,
  servers: readonly Peer[],
  versions: Record<string, string>,
  skipped: SkippedServer[],
): Promise<Peer[]> {
  const present: Peer[] = [];
  for (const server of servers) {
    try {
      versions[server.name] = await server.prepare(bench);
      present.push(server);
    } catch (thrown) {
      if (!(thrown instanceof PeerMissing)) throw thrown;
      skipped.push({ name: server.name, reason: thrown.message });
      bench.say(`${server.name} is skipped: ${thrown.message}`);
    }
  }
  return present;
}

async function measureOver(
  bench: Workbench,
  plan: HttpPlan,
  httpDirectory: string,
  playedOver: PlayedOver,
  round: number,
): Promise<PeerRun> {
  const place = { server: playedOver, players: plan.players, round };
  // The configuration is the same for all; only what the players ask for is not.
  const server = new SrsPeer({ name: playedOver, title: playedOver, streamWorkers: 1, httpDirectory, playedOver });
  const run = await attempt(bench, async () => {
    await using running = await server.start(bench, plan.port);
    return await measurePlayers(bench, plan, running, plan.players);
  });
  const outcome = 'failure' in run ? { isValid: false, complaints: [run.failure] } : run;
  const cpu = 'failure' in run ? 'failed' : `CPU ${run.figures?.cpuPercent.toFixed(1)} %`;
  bench.say([`round ${round}, ${plan.players} players over ${playedOver}: ${cpu}`, ...outcome.complaints].join('; '));
  return { ...place, ...outcome };
}

async function measureFiles(bench: Workbench, plan: HttpPlan, server: Peer, load: FileLoad, round: number): Promise<FileRun> {
  const place = { server: server.name, load, round };
  const run = await attempt(bench, async () => {
    await using running = await server.start(bench, plan.port);
    const urls = pathsOf(load).map((path) => running.fileUrl?.(path) ?? running.url(path));
    const { connections, seconds } = plan;
    const summary = await requestFiles(bench, { urls, connections, seconds, processes: running.processes });
    // As fast as it goes, the tester may be at its limit by intention.
    return { figures: fileFiguresOf(summary, running.processes), complaints: complaintsOf({ ...summary, invalidReasons: [] }) };
  });
  const outcome = 'failure' in run ? { complaints: [run.failure] } : run;
  const shown = 'failure' in run ? 'failed' : figuresText(run.figures);
  bench.say([`round ${round}, ${load}, ${server.name}: ${shown}`, ...outcome.complaints].join('; '));
  return { ...place, ...outcome };
}

async function attempt<Outcome>(
  bench: Workbench,
  measure: () => Promise<Outcome>,
): Promise<Outcome | { readonly failure: string }> {
  try {
    return await measure();
  } catch (thrown) {
    bench.signal.throwIfAborted();
    return { failure: describeError(thrown) };
  }
}

function figuresText({ requestsPerSecond, cpuPercent, requestsPerCpuSecond, testerCpuPercent }: FileFigures): string {
  const perCpu = `${roundedText(requestsPerCpuSecond)} per second of CPU`;
  const cpu = `${roundedText(cpuPercent)} % of a core, tester ${roundedText(testerCpuPercent)} %`;
  return `${roundedText(requestsPerSecond)} requests a second, ${perCpu}, ${cpu}`;
}

function segmentPath(index: number): string {
  return `live/bench-${index}.ts`;
}

function pathsOf(load: FileLoad): string[] {
  const segments = Array.from({ length: SEGMENTS }, (_, index) => segmentPath(index));
  if (load === 'playlists') return [PLAYLIST];
  return load === 'segments' ? segments : segments.flatMap((path) => [PLAYLIST, path]);
}

function writeFiles(directory: string, segmentKb: number): void {
  mkdirSync(join(directory, 'live'));
  const bytes = Math.ceil((segmentKb * 1_000) / TS_PACKET_BYTES) * TS_PACKET_BYTES;
  const entries: string[] = [];
  for (let index = 0; index < SEGMENTS; index++) {
    writeFileSync(join(directory, segmentPath(index)), randomBytes(bytes));
    entries.push(`#EXTINF:${SEGMENT_SECONDS}.000,`, `bench-${index}.ts`);
  }
  const head = ['#EXTM3U', '#EXT-X-VERSION:3', `#EXT-X-TARGETDURATION:${SEGMENT_SECONDS}`, '#EXT-X-MEDIA-SEQUENCE:0'];
  writeFileSync(join(directory, PLAYLIST), `${[...head, ...entries].join('\n')}\n`);
}
