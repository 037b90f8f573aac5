import type { ClientDescription } from '@srs/survey';
import { describe, expect, it } from 'vitest';
import { runCli } from './cli-command.ts';
import { FakeProcess, kbps, serveBytes, serveMaster, slotOf, summaryOf } from './cli-test-support.ts';
import { clientOf, directoryStream, publisher, workerStream } from './rows-test-support.ts';

const STREAMS = 1_000;
const CLIENTS = 10_000;
const WORKERS = 4;
const RUNS = 7;
/** The goal is 100 ms; a machine that does other things at the same time gets five times as much. */
const LIMIT_MS = 500;

const streamId = (index: number): string => `__defaultVhost__/live/stream-${index}`;

/** A worker whose answers are ready, so that what is measured is the command. */
async function serveReady(answers: Readonly<Record<string, unknown>>, clients: readonly ClientDescription[]): Promise<number> {
  const bodies = new Map(Object.entries(answers).map(([path, data]) => [path, JSON.stringify({ code: 0, data })]));
  for (let start = 0; start === 0 || start < clients.length; start += 1000) {
    const data = clients.slice(start, start + 1000);
    const body = JSON.stringify({ code: 0, total: clients.length, start, count: data.length, data });
    bodies.set(`/api/v1/clients?start=${start}&count=1000`, body);
  }
  return await serveBytes((socket) => {
    socket.once('data', (bytes) => {
      const path = String(bytes).split(' ', 2)[1] ?? '';
      const body = bodies.get(path) ?? '{"code":404,"error":"no such path"}';
      const status = bodies.has(path) ? '200 OK' : '404 Not Found';
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    });
  });
}

async function serveCrowd(): Promise<number> {
  const directory = await serveReady(
    {
      '/api/v1/summary': summaryOf(0),
      '/api/v1/streams': Array.from({ length: STREAMS }, (_, index) => directoryStream(streamId(index))),
    },
    [],
  );
  const slots = [slotOf(0, directory)];
  for (let slot = 1; slot <= WORKERS; slot += 1) {
    const streams = Array.from({ length: STREAMS }, (_, index) =>
      workerStream(streamId(index), { publisher: index % WORKERS === slot - 1 ? publisher : null }),
    );
    const clients = Array.from({ length: CLIENTS / WORKERS }, (_, index) =>
      clientOf(200 + index * WORKERS + slot, { streamId: streamId(index % STREAMS), sendKbps: kbps(index) }),
    );
    slots.push(slotOf(slot, await serveReady({ '/api/v1/summary': summaryOf(slot), '/api/v1/streams': streams }, clients)));
  }
  return await serveMaster(slots);
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
    const port = await serveCrowd();
    const times: number[] = [];
    let rows = 0;
    for (let run = 0; run < RUNS; run += 1) {
      const process = new FakeProcess();
      const startMs = performance.now();
      const code = await runCli(['--api', String(port), '--timeout', '10000', ...args], process);
      times.push(performance.now() - startMs);
      expect(code).toBe(0);
      rows = process.stdout.text.split('\n').length;
    }
    times.sort((a, b) => a - b);
    const median = times[Math.floor(RUNS / 2)]!;
    if (args.includes('clients')) expect(rows).toBeGreaterThan(CLIENTS);
    if (args.includes('streams')) expect(rows).toBeGreaterThan(STREAMS);
    expect(median).toBeLessThan(LIMIT_MS);
  });
});
