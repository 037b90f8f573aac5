/** What an operator does to a running server with `srs-cli`, and what the server then does. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ChildProgram, type FinishedProgram } from '../support/child-program.ts';
import { eventually } from '../support/deadline.ts';
import { publishWithFfmpeg, recordWithFfmpeg } from '../support/foreign.ts';
import { clip } from '../support/media.ts';
import { requires } from '../support/requires.ts';
import { repositoryRoot, ServerProcess } from '../support/server-process.ts';

requires('ffmpeg');

/** The machine may be busy. */
const PATIENT_MS = '10000';
const LIMIT_MS = 20_000;

function cli(server: ServerProcess, ...args: string[]): Promise<FinishedProgram> {
  const api = `${server.place.host}:${server.place.privatePort}`;
  return ChildProgram.run(join(repositoryRoot, 'bin/srs-cli'), ['--api', api, '--timeout', PATIENT_MS, ...args]);
}

async function ask<T>(server: ServerProcess, ...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await cli(server, '--json', ...args);
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as T;
}

/** Programs that end with the test. */
class Programs {
  readonly #programs: ChildProgram[] = [];

  add(program: ChildProgram): ChildProgram {
    this.#programs.push(program);
    return program;
  }

  [Symbol.dispose](): void {
    for (const program of this.#programs) program.signal('SIGKILL');
  }
}

interface Client {
  readonly id: number;
  readonly type: string;
  readonly worker: number;
}

async function clientOfType(server: ServerProcess, type: string): Promise<Client> {
  let found: Client | undefined;
  await eventually(
    async () => {
      const { clients } = await ask<{ clients: Client[] }>(server, 'clients');
      found = clients.find((client) => client.type === type);
      return found !== undefined;
    },
    LIMIT_MS,
    () => `no client has the type ${type}`,
  );
  return found!;
}

interface Explanation {
  readonly findings: readonly { readonly what: string; readonly advice: string | null }[];
  readonly path: readonly { readonly step: string; readonly cid: number | null }[];
  readonly departure: { readonly isRefused: boolean; readonly reason: string } | null;
}

it('kick disconnects one client and nobody else, and explain tells afterwards what became of it', async () => {
  await using server = await ServerProcess.start();
  using programs = new Programs();
  const publisher = programs.add(await publishWithFfmpeg(await clip('h264-aac'), server.url('live/one')));
  const player = programs.add(await recordWithFfmpeg(server.url('live/one'), join(server.place.directory, 'a.flv')));
  const { id, worker } = await clientOfType(server, 'play');
  const source = await clientOfType(server, 'publish');

  const path = (await ask<Explanation>(server, 'explain', String(id))).path.map(({ step, cid }) => [step, cid]);
  expect(path).toEqual([
    ['client', id],
    ['stream', null],
    ['publisher', source.id],
  ]);

  const { code, stdout } = await cli(server, 'kick', String(id));
  expect([code, stdout]).toEqual([0, expect.stringMatching(`^client ${id} of the stream worker in slot ${worker} `)]);
  await player.waitForExit(LIMIT_MS);
  expect(publisher.isRunning).toBe(true);
  expect(await cli(server, 'kick', String(id))).toMatchObject({
    code: 1,
    stderr: `srs-cli: there is no client ${id}; srs-cli clients lists them`,
  });
  await eventually(
    async () => (await cli(server, 'explain', String(id))).code === 0,
    LIMIT_MS,
    () => 'the client that left is not known',
  );
  expect((await ask<Explanation>(server, 'explain', String(id))).departure).toMatchObject({
    isRefused: false,
    reason: 'disconnected by the operator',
  });
});

it('explain tells why a second publisher was refused, and what a player waits for', async () => {
  await using server = await ServerProcess.start();
  using programs = new Programs();
  programs.add(await publishWithFfmpeg(await clip('h264-aac'), server.url('live/one')));
  await clientOfType(server, 'publish');
  const second = programs.add(await publishWithFfmpeg(await clip('h264-aac'), server.url('live/one')));
  await second.waitForExit(LIMIT_MS);
  await eventually(
    async () => (await ask<Explanation>(server, 'explain', 'live/one')).findings.some(({ what }) => what.includes('refused')),
    LIMIT_MS,
    () => 'the refusal is not told',
  );
  const { findings } = await ask<Explanation>(server, 'explain', 'live/one');
  const refusal = findings.find(({ what }) => what.includes('refused'));
  expect(refusal?.what).toMatch(/^1 client was refused, .* already published by 127\.0\.0\.1/);
  expect(refusal?.advice).toContain('busy replace');

  programs.add(await recordWithFfmpeg(server.url('live/oen'), join(server.place.directory, 'w.flv')));
  const player = await clientOfType(server, 'play');
  const { stdout } = await cli(server, 'explain', String(player.id));
  expect(stdout).toContain('problem: nobody publishes live/oen; the player waits for it\n  -> published is live/one:');
  expect(await cli(server, 'explain', 'live/onne')).toMatchObject({
    code: 1,
    stderr: 'srs-cli: nobody publishes or plays live/onne; there is live/one',
  });
});

it('reload and config tell what counts and where it comes from; a bad file is refused with its line', async () => {
  await using server = await ServerProcess.start({ vhost: 'queue_length 10;', env: { SRS_MAX_CONNECTIONS: '900' } });
  const origins = async (pattern: string): Promise<unknown> =>
    (await ask<{ directives: unknown }>(server, 'config', pattern)).directives;
  const directive = 'vhost __defaultVhost__ / queue_length';
  expect(await origins('queue_length')).toEqual([
    { directive, value: '10', origin: expect.stringMatching(/^file .*srs\.conf:\d+$/) as string },
  ]);
  expect(await origins('max_connections')).toMatchObject([{ value: '900', origin: 'environment SRS_MAX_CONNECTIONS' }]);
  expect(await origins('gop_cache')).toContainEqual(expect.objectContaining({ origin: 'default' }));

  server.writeConfig({ vhost: 'queue_length 11;' });
  const change = { kind: 'changed', directive, live: expect.any(String) as string };
  expect(await ask(server, 'reload', '--dry-run')).toMatchObject({ isApplied: false, isDryRun: true, changes: [change] });
  expect(await origins('queue_length')).toMatchObject([{ value: '10' }]);
  const report = await ask<{ workers: { isApplied: boolean }[] }>(server, 'reload');
  expect(report).toMatchObject({ isApplied: true, changes: [change], problems: [] });
  expect(report.workers.map(({ isApplied }) => isApplied)).toEqual([true, true, true]);
  expect(await origins('queue_length')).toMatchObject([{ value: '11' }]);

  server.writeConfig({ vhost: 'queue_length never;' });
  const refused = await cli(server, 'reload');
  expect(refused.code).toBe(1);
  expect(refused.stdout).toMatch(/^! .*srs\.conf:\d+: .*queue_length/);
  expect(refused.stderr).toContain('cannot be applied, nothing has changed: 1 problem');
  expect(await origins('queue_length')).toMatchObject([{ value: '11' }]);
});

it('drain starts one worker again, log-level silences all of them, top --once and completion see the server', async () => {
  await using server = await ServerProcess.start();
  using programs = new Programs();
  expect((await cli(server, 'log-level', 'error')).code).toBe(0);
  const before = (await server.workers()).find(({ slot }) => slot === 1);
  const lines = server.log().length;
  expect((await cli(server, 'drain', '1')).code).toBe(0);
  await eventually(
    async () => (await server.workers()).some(({ slot, pid, state }) => slot === 1 && state === 'ready' && pid !== before?.pid),
    LIMIT_MS,
    () => 'the worker was not started again',
  );
  programs.add(await publishWithFfmpeg(await clip('h264-aac'), server.url('live/one')));
  const { id } = await clientOfType(server, 'publish');
  expect(
    server
      .log()
      .slice(lines)
      .filter((line) => line.includes(`[${id}]`)),
  ).toEqual([]);

  const { code, stdout } = await cli(server, 'top', '--once');
  expect(code).toBe(0);
  expect(stdout).toMatch(new RegExp(`^live/one .* ${id} `, 'm'));
  const completed = await ChildProgram.run(join(repositoryRoot, 'bin/srs-cli'), [
    '--get-yargs-completions',
    'srs-cli',
    '--api',
    String(server.place.privatePort),
    'explain',
    'live',
  ]);
  expect(completed.stdout.trim()).toBe('live/one');
});

it('what one worker is asked for is told although another one hangs', async () => {
  await using server = await ServerProcess.start();
  using programs = new Programs();
  programs.add(await publishWithFfmpeg(await clip('h264-aac'), server.url('live/one')));
  const { worker } = await clientOfType(server, 'publish');
  const hung = (await server.workers()).find(({ role, slot }) => role === 'stream' && slot !== worker)!;
  process.kill(hung.pid, 'SIGSTOP');
  try {
    const mark = `! stream worker in slot ${hung.slot} (pid ${hung.pid}) is left out: no answer within 1000 ms`;
    const answers = await Promise.all(
      [
        ['explain', 'live/one'],
        ['top', '--once'],
        ['kick', '1'],
      ].map((args) => cli(server, '--timeout', '1000', ...args)),
    );
    expect(answers.map(({ code }) => code)).toEqual([0, 0, 1]);
    for (const { stdout } of answers) expect(stdout).toContain(mark);
    expect(answers[2]?.stderr).toContain('there is no client 1 on the workers that have answered');
  } finally {
    process.kill(hung.pid, 'SIGCONT');
  }
});

it('every field that the commands print stands in the manual', async () => {
  await using server = await ServerProcess.start();
  using programs = new Programs();
  programs.add(await publishWithFfmpeg(await clip('h264-aac'), server.url('live/one')));
  programs.add(await recordWithFfmpeg(server.url('live/one'), join(server.place.directory, 'a.flv')));
  const { id } = await clientOfType(server, 'play');
  const documents = [
    await ask(server, 'top'),
    await ask(server, 'explain', String(id)),
    await ask(server, 'explain', 'live/one'),
    await ask(server, 'config', 'listen'),
    await ask(server, 'reload'),
    await ask(server, 'log-level', 'trace'),
    await ask(server, 'forward', 'add', 'live/one', '127.0.0.1:1'),
    await ask(server, 'forward', 'list'),
    await ask(server, 'forward', 'remove', 'live/one', '127.0.0.1:1'),
    await ask(server, 'kick', String(id)),
    await ask(server, 'drain', '2'),
  ];
  const manual = readFileSync(join(repositoryRoot, 'docs/srs-cli.md'), 'utf8');
  const fields = new Set(documents.flatMap(keysIn));
  expect(fields.size).toBeGreaterThan(100);
  expect(Array.from(fields).filter((field) => !manual.includes(`\`${field}\``))).toEqual([]);
});

function keysIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(keysIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...keysIn(inner)]);
}
