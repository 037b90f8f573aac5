/** What can be wrong on the way out: workers that are late, players that do not keep up. */
import type { SummarizedWorker } from '../cli-status.ts';
import { bytesText, durationText } from '../cli-text.ts';
import { type Facts, rateNow } from './explain-facts.ts';
import { counted, type Finding, note, problem, type Rule, warning } from './explain-finding.ts';

/** A worker whose event loop is later than this is overloaded. */
const LATE_LOOP_MS = 50;
const BUSY_CPU_PERCENT = 90;
/** A viewer notices this. */
const LATE_SECONDS = 1;
/** Bytes that wait in a connection for as long as this are more than a moment of a full network. */
const SLOW_SECONDS = 0.5;
/** More than a viewer of a live stream takes for live. */
const LONG_FLUSH_MS = 100;
const LONG_STRETCH = 1.5;
/** A player that gets less than this part of its stream misses something. */
const FULL_SHARE = 0.8;
const SETTLED_SECONDS = 40;
/** Clients that want something have said so by now. */
const IDLE_SECONDS = 10;

const MORE_WORKERS = 'more stream workers (workers { stream }) if there are cores to spare, fewer clients on this machine if not';

const ownWorker: Rule<Facts> = ({ client, stream, workerIn }) => {
  const slots = new Set([client?.worker, stream?.publisher?.worker, ...(client === undefined ? readersOf(stream) : [])]);
  return Array.from(slots).flatMap((slot) => {
    const worker = slot === undefined ? undefined : workerIn(slot);
    return worker === undefined ? [] : workerFindings(worker);
  });
};

const readersOf = (stream: Facts['stream']): readonly number[] => stream?.readers.map(({ worker }) => worker) ?? [];

function workerFindings({ slot, pid, state, answer, problem: reason, restarts, lastEnd, summary }: SummarizedWorker): Finding[] {
  const name = `worker ${slot} (pid ${pid})`;
  const findings: Finding[] = [];
  if (answer === 'none') {
    const advice =
      state === 'ready'
        ? 'it hangs or is overloaded: the log says what it did last; the master ends a worker that is silent for 15 s and starts it again'
        : 'its clients have been dropped and come back by themselves if they try again; srs-cli workers shows when it serves';
    findings.push(problem(`${name} does not answer: ${reason ?? state}`, advice));
  }
  if (summary !== null && summary.eventLoop.p99Ms > LATE_LOOP_MS) {
    const { p99Ms, windowSeconds } = summary.eventLoop;
    const load = `${summary.cpuPercent.toFixed(0)} % of a core, ${counted(summary.players, 'player')}`;
    findings.push(
      problem(`${name} is late by ${p99Ms.toFixed(0)} ms (p99 of the last ${windowSeconds} s): ${load}`, MORE_WORKERS),
    );
  } else if (summary !== null && summary.cpuPercent > BUSY_CPU_PERCENT) {
    findings.push(warning(`${name} takes ${summary.cpuPercent.toFixed(0)} % of a core: it cannot take more`, MORE_WORKERS));
  }
  const stretch = summary?.fanOut?.stretch ?? 1;
  if (stretch > LONG_STRETCH) {
    findings.push(
      warning(`${name} sends so much that all its streams are collected ${stretch.toFixed(1)} times longer`, MORE_WORKERS),
    );
  }
  if (restarts > 0) {
    const since = summary === null ? '' : `, ${durationText(summary.uptimeSeconds)} ago`;
    findings.push(note(`${name} has been started again ${counted(restarts, 'time')}, the last one after ${lastEnd}${since}`));
  }
  return findings;
}

const longFlush: Rule<Facts> = ({ client, stream, setting }) =>
  stream?.readers
    .filter(
      ({ worker, flushIntervalMs }) => flushIntervalMs > LONG_FLUSH_MS && (client === undefined || client.worker === worker),
    )
    .map(({ worker, flushIntervalMs, players }) => {
      const bound = setting('play / mw_latency');
      return note(
        `worker ${worker} collects frames for ${flushIntervalMs} ms before it sends them to its ${counted(players, 'player')}: so much comes on top of the latency`,
        `a smaller mw_latency${bound === undefined ? '' : ` (now ${bound})`} or min_latency on shortens that and costs CPU; more stream workers shorten it too`,
      );
    });

const playersBehind: Rule<Facts> = ({ client, stream }) => {
  if (client !== undefined || stream === undefined) return undefined;
  const behind = stream.readers.reduce((sum, { players, playersInStep }) => sum + players - playersInStep, 0);
  const findings: Finding[] = [];
  if (stream.publisher !== null && behind > 0) {
    findings.push(
      note(
        `${behind} of ${counted(stream.players, 'player')} ${behind === 1 ? 'is' : 'are'} behind, joining or paused`,
        'srs-cli clients shows which: look at their Pending, Lag and Cuts',
      ),
    );
  }
  if (stream.playerCuts > 0) {
    findings.push(
      warning(
        `players were too late ${counted(stream.playerCuts, 'time')}, ${leftOut(stream.playerDroppedFrames)} for them`,
        'slow networks of viewers: srs-cli clients shows whose; queue_length says how late a player may be',
      ),
    );
  }
  return findings;
};

const leftOut = (frames: number): string => `${counted(frames, 'frame')} ${frames === 1 ? 'was' : 'were'} left out`;

const idleClient: Rule<Facts> = ({ client }) => {
  if (client?.type !== 'unknown' || client.aliveSeconds < IDLE_SECONDS) return undefined;
  const where = client.app === '' ? 'has not asked for an application' : `is in the application ${client.app}`;
  return warning(
    `it is connected for ${durationText(client.aliveSeconds)}, ${where}, and neither publishes nor plays`,
    `the log lines with [${client.id}] say how far it came; srs-cli kick ${client.id} ends it`,
  );
};

const paused: Rule<Facts> = ({ client }) =>
  client?.isPaused === true ? note('the viewer has paused it: it is sent nothing until it goes on') : undefined;

/** How far it is behind, and why. */
const slowPlayer: Rule<Facts> = ({ client, inputKbps, setting }) => {
  if (client?.type !== 'play' || client.isPaused === true || inputKbps === undefined || inputKbps === 0) return undefined;
  const secondsOf = (bytes: number): number => (bytes * 8) / 1000 / inputKbps;
  const { id, pendingBytes, lagBytes = 0 } = client;
  const findings: Finding[] = [];
  if (secondsOf(pendingBytes) > SLOW_SECONDS) {
    findings.push(
      problem(
        `it does not take its bytes: ${bytesText(pendingBytes)} wait in its connection, ${secondsOf(pendingBytes).toFixed(1)} s of the stream`,
        `its network or its device is slower than the ${inputKbps} kbps of the stream: offer a stream with less`,
      ),
    );
  }
  const lagSeconds = secondsOf(lagBytes);
  if (lagSeconds <= LATE_SECONDS) return findings;
  const limit = setting('queue_length');
  const behind = `it is ${lagSeconds.toFixed(1)} s behind (${bytesText(lagBytes)})`;
  if (limit !== undefined && lagSeconds > Number(limit)) {
    const advice = `its program has stopped reading, or its network is gone; if it goes on, it does so at the newest key frame. srs-cli kick ${id} ends it`;
    findings.push(problem(`${behind}, more than queue_length ${limit} s: it takes nothing any more`, advice));
  } else {
    const kbps = rateNow(client.sendKbps, client);
    const rates =
      kbps < inputKbps * FULL_SHARE ? `it takes ${kbps} kbps of the ${inputKbps} kbps of the stream: offer one with less. ` : '';
    const bound = `It is cut to the newest key frame when it is later than queue_length${limit === undefined ? '' : ` (now ${limit} s)`}: a smaller one keeps it nearer to live`;
    findings.push(problem(behind, rates + bound));
  }
  return findings;
};

const cutPlayer: Rule<Facts> = ({ client }) => {
  const cuts = client?.cuts ?? 0;
  if (client === undefined || cuts === 0) return undefined;
  return warning(
    `it was too late ${counted(cuts, 'time')}: ${leftOut(client.droppedFrames ?? 0)} for it`,
    'its network is too slow, if only at times: a stream with less bit rate, or a larger queue_length for one that only stutters',
  );
};

const starvedPlayer: Rule<Facts> = ({ client, stream, inputKbps }) => {
  if (client?.type !== 'play' || client.isPaused === true || inputKbps === undefined || stream?.input == null) return undefined;
  if (client.aliveSeconds < SETTLED_SECONDS || stream.input.aliveSeconds < SETTLED_SECONDS) return undefined;
  const kbps = rateNow(client.sendKbps, client);
  const isSlow = (client.cuts ?? 0) > 0 || (client.lagBytes ?? 0) > 0;
  if (kbps >= inputKbps * FULL_SHARE || isSlow) return undefined;
  return warning(
    `it got ${kbps} kbps in the last 30 s, the publisher sent ${inputKbps} kbps`,
    'it is neither behind nor cut: it has asked for sound or pictures only, or has just joined',
  );
};

export const playerRules: readonly Rule<Facts>[] = [
  ownWorker,
  slowPlayer,
  idleClient,
  cutPlayer,
  starvedPlayer,
  playersBehind,
  longFlush,
  paused,
];
