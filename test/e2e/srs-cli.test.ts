/** The operator's view of a whole server, by the command itself. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ChildProgram, type FinishedProgram } from '../support/child-program.ts';
import { eventually } from '../support/deadline.ts';
import { publishWithFfmpeg, recordWithFfmpeg } from '../support/foreign.ts';
import { clip } from '../support/media.ts';
import { requires } from '../support/requires.ts';
import { repositoryRoot, ServerProcess } from '../support/server-process.ts';

requires('ffmpeg');

const PLAYERS = 3;
/** The machine may be busy: only the tests of silence use the default. */
const PATIENT_MS = '5000';

interface Row {
  readonly slot: number;
  readonly pid: number;
  /** Of its private API. */
  readonly port: number;
  readonly state: string;
  readonly restarts: number;
  readonly lastEnd: string;
  readonly answer: string;
  readonly problem: string | null;
}

interface Document {
  readonly isComplete: boolean;
  readonly workers: readonly Row[];
  readonly totals: {
    readonly streams: number;
    readonly publishers: number;
    readonly players: number;
    readonly clients: number;
    readonly traffic: { readonly recvBytes: number; readonly sendBytes: number; readonly recvKbps: { readonly average: number } };
  };
  readonly streams: readonly {
    readonly streamId: string;
    readonly publisher: { readonly cid: number; readonly ip: string; readonly worker: number } | null;
    readonly input: { readonly videoFrames: number; readonly audioFrames: number } | null;
    readonly ring: { readonly capacityBytes: number; readonly gopBytes: number; readonly newestSequence: number } | null;
    readonly players: number;
  }[];
  readonly clients: readonly { readonly id: number; readonly type: string; readonly worker: number; readonly streamId: string }[];
}

function cli(server: ServerProcess, ...args: string[]): Promise<FinishedProgram> {
  const api = `${server.place.host}:${server.place.privatePort}`;
  return ChildProgram.run(join(repositoryRoot, 'bin/srs-cli'), ['--api', api, ...args]);
}

async function ask(server: ServerProcess, question: string, timeoutMs = PATIENT_MS): Promise<Document> {
  const { code, stdout, stderr } = await cli(server, '--json', '--timeout', timeoutMs, question);
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as Document;
}

/** The shortest of three runs, in milliseconds: what the command takes when the machine lets it. */
async function shortestRun(server: ServerProcess): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < 3; run += 1) {
    const startMs = performance.now();
    expect((await cli(server, 'status')).code).toBe(0);
    times.push(performance.now() - startMs);
  }
  return Math.min(...times);
}

function keysIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(keysIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...keysIn(inner)]);
}

async function publishAndPlay(server: ServerProcess): Promise<Disposable> {
  const programs = [await publishWithFfmpeg(await clip('h264-aac'), server.url('live/one'))];
  for (let index = 0; index < PLAYERS; index += 1) {
    programs.push(await recordWithFfmpeg(server.url('live/one'), join(server.place.directory, `${index}.flv`)));
  }
  await eventually(
    async () => {
      const { totals } = await ask(server, 'status');
      return totals.players === PLAYERS && totals.publishers === 1;
    },
    20_000,
    () => 'publisher and players did not come',
  );
  return {
    [Symbol.dispose]: () => {
      for (const program of programs) program.signal('SIGKILL');
    },
  };
}

it('srs-cli tells of a publisher and its players on all workers, also of their bytes when they have left, and every field stands in the manual', async () => {
  await using server = await ServerProcess.start();
  using programs = await publishAndPlay(server);
  const status = await ask(server, 'status');
  expect(status).toMatchObject({
    isComplete: true,
    server: { mode: 'multi', pid: server.program.pid, listen: [{ port: server.place.rtmpPort }] },
    totals: { streams: 1, publishers: 1, players: PLAYERS, clients: PLAYERS + 1 },
  });
  expect(status.workers.map(({ state, answer }) => `${state} ${answer}`)).toEqual(['ready full', 'ready full', 'ready full']);
  expect(status.totals.traffic.recvBytes).toBeGreaterThan(10_000);
  expect(status.totals.traffic.sendBytes).toBeGreaterThan(10_000);
  expect(status.totals.traffic.recvKbps.average).toBeGreaterThan(0);

  const { streams } = await ask(server, 'streams');
  expect(streams).toMatchObject([{ streamId: '__defaultVhost__/live/one', players: PLAYERS, publisher: { ip: '127.0.0.1' } }]);
  const [stream] = streams;
  expect(stream?.input?.videoFrames).toBeGreaterThan(0);
  expect(stream?.input?.audioFrames).toBeGreaterThan(0);
  expect(stream?.ring?.gopBytes).toBeGreaterThan(0);
  expect(stream?.ring?.gopBytes).toBeLessThan(stream?.ring?.capacityBytes ?? 0);
  expect(stream?.ring?.newestSequence).toBeGreaterThan(0);

  const clients = await ask(server, 'clients');
  expect(clients.clients.map(({ type }) => type).sort()).toEqual(['play', 'play', 'play', 'publish']);
  const publisher = clients.clients.find(({ type }) => type === 'publish');
  expect(publisher).toMatchObject({ id: stream?.publisher?.cid, worker: stream?.publisher?.worker });

  const manual = readFileSync(join(repositoryRoot, 'docs/srs-cli.md'), 'utf8');
  const fields = new Set([...keysIn(status), ...keysIn(await ask(server, 'streams')), ...keysIn(clients)]);
  expect(fields.size).toBeGreaterThan(80);
  expect(Array.from(fields).filter((field) => !manual.includes(`\`${field}\``))).toEqual([]);

  programs[Symbol.dispose]();
  await eventually(
    async () => (await ask(server, 'status')).totals.clients === 0,
    10_000,
    () => 'the clients did not leave',
  );
  const { totals } = await ask(server, 'status');
  expect(totals.traffic.recvBytes).toBeGreaterThanOrEqual(status.totals.traffic.recvBytes);
  expect(totals.traffic.sendBytes).toBeGreaterThanOrEqual(status.totals.traffic.sendBytes);
});

it('a worker that hangs is a marked row within a second, and its stream is still known', async () => {
  // On a busy machine it hangs for longer than the publisher may be silent.
  await using server = await ServerProcess.start({ vhost: 'publish { normal_timeout 60000; }' });
  using _programs = await publishAndPlay(server);
  const [stream] = (await ask(server, 'streams')).streams;
  const hung = (await ask(server, 'status')).workers.find(({ slot }) => slot === stream?.publisher?.worker);
  const usualMs = await shortestRun(server);
  process.kill(hung!.pid, 'SIGSTOP');
  try {
    const withHungMs = await shortestRun(server);
    expect(withHungMs - usualMs).toBeLessThan(1000);
    const status = await ask(server, 'status', '1000');
    expect(status).toMatchObject({ isComplete: false, totals: { streams: 1, publishers: 0 } });
    expect(status.workers.find(({ slot }) => slot === hung?.slot)).toMatchObject({
      state: 'ready',
      answer: 'none',
      problem: 'no answer within 1000 ms',
      summary: null,
    });
    expect(status.workers.filter(({ answer }) => answer === 'full')).toHaveLength(2);
    expect((await ask(server, 'streams', '1000')).streams).toMatchObject([{ publisher: stream?.publisher, input: null }]);
    const { code, stdout } = await cli(server, 'clients');
    expect(code).toBe(0);
    expect(stdout).toContain(`! stream worker in slot ${hung?.slot} (pid ${hung?.pid}) is left out: no answer within 500 ms\n`);
  } finally {
    process.kill(hung!.pid, 'SIGCONT');
  }
  expect(await ask(server, 'status')).toMatchObject({ isComplete: true, totals: { publishers: 1, players: PLAYERS } });
});

it('a worker that was killed is a marked row until it is back, with how it ended', async () => {
  await using server = await ServerProcess.start();
  const victim = (await ask(server, 'workers')).workers.at(-1);
  process.kill(victim!.pid, 'SIGKILL');
  const row = async (): Promise<Row | undefined> =>
    (await ask(server, 'workers')).workers.find(({ slot }) => slot === victim?.slot);
  const seen = new Set<string>();
  await eventually(
    async () => {
      const { state, answer, restarts } = (await row())!;
      seen.add(`${state} ${answer}`);
      return state === 'ready' && answer === 'full' && restarts === 1;
    },
    20_000,
    () => `the worker did not come back: ${Array.from(seen).join(', ')}`,
  );
  expect(await row()).toMatchObject({ restarts: 1, lastEnd: 'signal SIGKILL', problem: null });
  expect((await row())?.pid).not.toBe(victim?.pid);
  // Whatever was seen on the way: it never passed for a good answer while it was not there.
  for (const each of seen) expect(each).toMatch(/^(?:ready (?:full|none)|(?:waiting|starting) none)$/);
});

it('without a master there is a reason and exit status 1', async () => {
  await using server = await ServerProcess.start();
  const { place } = server;
  server.signal('SIGSTOP');
  const hung = await cli(server, 'status');
  server.signal('SIGCONT');
  const where = `srs-cli: the master's private API at ${place.host}:${place.privatePort} cannot be reached:`;
  expect(hung).toMatchObject({ code: 1, stdout: '', stderr: `${where} no answer within 500 ms` });
  await server.stop();
  expect(await cli(server, 'status')).toMatchObject({ code: 1, stdout: '', stderr: `${where} connection refused` });
});

it('a server of one process has the same view', async () => {
  await using server = await ServerProcess.start({ workers: 'mode single;' });
  using _programs = await publishAndPlay(server);
  expect(await ask(server, 'status')).toMatchObject({
    isComplete: true,
    server: { mode: 'single' },
    totals: { streams: 1, publishers: 1, players: PLAYERS, clients: PLAYERS + 1 },
    workers: [
      { role: 'back-source', pid: server.program.pid },
      { role: 'stream', pid: server.program.pid },
    ],
  });
  expect(await ask(server, 'streams')).toMatchObject({ streams: [{ players: PLAYERS, subscribers: 1 }] });
});

it("each worker's private API tells of its rings, gives clients in pages, and answers no name but localhost", async () => {
  await using server = await ServerProcess.start({ workers: 'mode multi; stream 1;' });
  using _programs = await publishAndPlay(server);
  const [backSource, worker] = (await ask(server, 'workers')).workers;
  const tell = async (path: string, port = worker!.port): Promise<unknown> =>
    await server.privateApi(`/api/v1/${path}`, { port });

  const streamId = '__defaultVhost__/live/one';
  expect(await tell('rings')).toMatchObject({ data: { held: 1, rings: [{ streamId, readerLaps: 0 }] } });
  expect(await tell('rings', backSource!.port)).toMatchObject({
    data: { count: 1, rings: [{ streamId, readerLagBytes: null }] },
  });

  const all = (await tell('clients')) as { readonly data: readonly { readonly id: number }[] };
  expect(all).toMatchObject({ code: 0, total: PLAYERS + 1, start: 0, count: PLAYERS + 1 });
  const ids = all.data.map(({ id }) => ({ id }));
  expect(await tell('clients?start=1&count=2')).toMatchObject({ total: PLAYERS + 1, start: 1, count: 2, data: ids.slice(1, 3) });
  await expect(tell('clients?count=0')).rejects.toThrow(/answered 400: .*count .*must be one number in 1\.\.10000/);

  for (const port of [server.place.privatePort, worker!.port]) {
    expect(await statusFor(port, 'evil.example')).toBe(403);
    expect(await statusFor(port, `localhost:${port}`)).toBe(200);
  }
});

/** `fetch` does not let a caller choose the host. */
async function statusFor(port: number, host: string): Promise<number> {
  const request = get({ host: '127.0.0.1', port, path: '/api/v1/summary', agent: false, headers: { host } });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode ?? 0;
}
