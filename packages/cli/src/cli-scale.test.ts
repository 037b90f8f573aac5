import type { ClientDescription } from '@srs/survey';
import { describe, expect, it } from 'vitest';
import { runCli } from './cli-command.ts';
import { FakeProcess, kbps, serveBytes, serveMaster, slotOf, summaryOf } from './cli-test-support.ts';
import { clientOf, directoryStream, publisher, workerStream } from './rows-test-support.ts';

const STREAMS = 1_000;
const CLIENTS = 10_000;
const WORKERS = 4;
const RUNS = 7;
/**
 * To reading as JSON what all workers answer, which is done between the runs of the command, so that a busy machine slows both down.
 * The longest list takes six times as long.
 */
const MAX_RATIO = 15;

const streamId = (index: number): string => `__defaultVhost__/live/stream-${index}`;

/** A worker whose answers are ready, so that what is measured is the command. */
async function serveReady(
  answers: Readonly<Record<string, unknown>>,
  clients: readonly ClientDescription[],
  all: string[],
): Promise<number> {
  const bodies = new Map(Object.entries(answers).map(([path, data]) => [path, JSON.stringify({ code: 0, data })]));
  for (let start = 0; start === 0 || start < clients.length; start += 1000) {
    const data = clients.slice(start, start + 1000);
    const body = JSON.stringify({ code: 0, total: clients.length, start, count: data.length, data });
    bodies.set(`/api/v1/clients?start=${start}&count=1000`, body);
  }
  all.push(...bodies.values());
  return await serveBytes((socket) => {
    socket.once('data', (bytes) => {
      const path = String(bytes).split(' ', 2)[1] ?? '';
      const body = bodies.get(path) ?? '{"code":404,"error":"no such path"}';
      const status = bodies.has(path) ? '200 OK' : '404 Not Found';
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    });
  });
}

interface Crowd {
  /** Of the master. */
  readonly port: number;
  /** All that the workers answer. */
  readonly answers: readonly string[];
}

async function serveCrowd(): Promise<Crowd> {
  const answers: string[] = [];
  const directory = await serveReady(
    {
      '/api/v1/summary': summaryOf(0),
      '/api/v1/streams': Array.from({ length: STREAMS }, (_, index) => directoryStream(streamId(index))),
    },
    [],
    answers,
  );
  const slots = [slotOf(0, directory)];
  for (let slot = 1; slot <= WORKERS; slot += 1) {
    const streams = Array.from({ length: STREAMS }, (_, index) =>
      workerStream(streamId(index), { publisher: index % WORKERS === slot - 1 ? publisher : null }),
    );
    const clients = Array.from({ length: CLIENTS / WORKERS }, (_, index) =>
      clientOf(200 + index * WORKERS + slot, { streamId: streamId(index % STREAMS), sendKbps: kbps(index) }),
    );
    const ready = { '/api/v1/summary': summaryOf(slot), '/api/v1/streams': streams };
    slots.push(slotOf(slot, await serveReady(ready, clients, answers)));
  }
  return { port: await serveMaster(slots), answers };
}

describe(`srs-cli with ${STREAMS} streams and ${CLIENTS} clients`, () => {
  it.each([
    [['status']],
    [['workers']],
    [['streams']],
    [['clients']],
    [['--json', 'clients']],
    [['explain', 'live/stream-7']],
    [['top', '--once']],
  ])('%j answers in good time', async (args) => {
    const { port, answers } = await serveCrowd();
    const readingTimes: number[] = [];
    const times: number[] = [];
    let rows = 0;
    for (let run = 0; run < RUNS; run += 1) {
      const readingMs = performance.now();
      for (const answer of answers) JSON.parse(answer);
      readingTimes.push(performance.now() - readingMs);
      const process = new FakeProcess();
      const startMs = performance.now();
      const code = await runCli(['--api', String(port), '--timeout', '10000', ...args], process);
      times.push(performance.now() - startMs);
      expect(code).toBe(0);
      rows = process.stdout.text.split('\n').length;
    }
    if (args.includes('clients')) expect(rows).toBeGreaterThan(CLIENTS);
    if (args.includes('streams')) expect(rows).toBeGreaterThan(STREAMS);
    expect(Math.min(...times)).toBeLessThan(MAX_RATIO * Math.min(...readingTimes));
  });
});
