/** Streams that one server pushes on to others. */

import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChildProgram } from '../support/child-program.ts';
import { eventually } from '../support/deadline.ts';
import { sampleOf } from '../support/prometheus-text.ts';
import { repositoryRoot, type ServerPlace, ServerProcess } from '../support/server-process.ts';
import { addressOf, SMALL } from './cluster-test-support.ts';
import { LivePlayer, LivePublisher } from './live-client-test-support.ts';
import { directoryRowOf, metricsOf, withMetrics } from './server-view-test-support.ts';

const LIMIT_MS = 20_000;

let destination: ServerProcess;
let deaf: Server;
const deafSockets = new Set<Socket>();
let source: ServerProcess;

type Metrics = Awaited<ReturnType<typeof metricsOf>>;

function configOf(...destinations: readonly string[]) {
  return {
    workers: 'mode multi; stream 2; http 2;',
    vhost: destinations.length === 0 ? '' : `forward ${destinations.join(' ')};`,
    top: (place: ServerPlace) => `${withMetrics(place)} vhost other.test { forward ${addressOf(destination)}; }`,
  };
}

const FORWARD = { slot: '0', role: 'back-source', kind: 'forward' };

const sumOfBytes = (metrics: Metrics): number => sampleOf(metrics, 'srs_forward_send_bytes_total', FORWARD);
const destinationsIn = (metrics: Metrics, state: string): number =>
  sampleOf(metrics, 'srs_forward_destinations', { ...FORWARD, state });

beforeAll(async () => {
  destination = await ServerProcess.start({ workers: SMALL, top: 'vhost other.test { }' });
  // Accepts, and never says a word.
  deaf = createServer((socket) => {
    deafSockets.add(socket);
    socket.on('error', () => {});
  });
  deaf.listen(0, '127.0.0.1');
  await once(deaf, 'listening');
  const { port } = deaf.address() as { port: number };
  source = await ServerProcess.start(configOf(addressOf(destination), '127.0.0.1:1', `127.0.0.1:${port}`));
});

afterAll(async () => {
  await source?.stop();
  await destination?.stop();
  for (const socket of deafSockets) socket.destroy();
  deaf?.close();
});

describe('a stream that is forwarded', () => {
  it('arrives whole, whatever becomes of other destinations', async () => {
    const player = await LivePlayer.start(destination, 'live/whole');
    const publisher = await LivePublisher.start(source, 'live/whole', { parameters: '?token=x' });
    const beside = await LivePlayer.start(source, 'live/whole');
    await player.waitForFrames(150);
    await beside.waitForFrames(50);
    expect(player.checker.complaint).toBe('');
    expect(player.checker.gaps).toEqual([]);
    expect(beside.checker.complaint).toBe('');
    expect(publisher.isOpen).toBe(true);
    await source.waitForLog(/forward of __defaultVhost__\/live\/whole to 127\.0\.0\.1:1: .*ECONNREFUSED.*; next try in \d+ ms/);
    for (const client of [player, beside, publisher]) client.leave();
  });

  it('keeps its vhost', async () => {
    const player = await LivePlayer.start(destination, 'live/vhost', { tcUrlParameters: '?vhost=other.test' });
    const publisher = await LivePublisher.start(source, 'live/vhost', { tcUrlParameters: '?vhost=other.test' });
    await player.waitForFrames(50);
    expect(player.checker.complaint).toBe('');
    for (const client of [player, publisher]) client.leave();
  });

  it('tells the other server who sends it', async () => {
    const from = destination.log().length;
    const publisher = await LivePublisher.start(source, 'live/identity');
    const line = await destination.waitForLog(/edge-srs ip=\S+, version=2\.0\.0, pid=\d+, id=\d+/, { from });
    const backSource = (await source.workers()).find(({ role }) => role === 'back-source')!;
    expect(line).toContain(`pid=${backSource.pid}, id=${publisher.peer.id}`);
    expect(
      await source.waitForLog(
        /forward of __defaultVhost__\/live\/identity to \S+: connected, version=2\.0\.0, ip=127\.0\.0\.1, pid=\d+, id=\d+, dsu=1/,
      ),
    ).toContain(`[${publisher.peer.id}]`);
    publisher.leave();
  });

  it('starts anew with headers and a key frame when the destination comes back, and players of both go on', async () => {
    const publisher = await LivePublisher.start(source, 'live/back');
    const beside = await LivePlayer.start(source, 'live/back');
    const before = await LivePlayer.start(destination, 'live/back');
    await before.waitForFrames(20);
    await destination.restart('SIGKILL');
    const after = await LivePlayer.start(destination, 'live/back');
    await after.waitForFrames(50);
    expect(after.checker.complaint).toBe('');
    expect(after.checker.firstSequence).toBeGreaterThan(0);
    expect(sampleOf(await metricsOf(source), 'srs_forward_reconnects_total', FORWARD)).toBeGreaterThan(0);
    expect(beside.checker.complaint).toBe('');
    expect(beside.checker.gaps).toEqual([]);
    for (const client of [publisher, beside, after]) client.leave();
  });

  it('ends there when it ends here', async () => {
    const publisher = await LivePublisher.start(source, 'live/end');
    const player = await LivePlayer.start(destination, 'live/end');
    await player.waitForFrames(10);
    publisher.leave();
    await eventually(
      async () => (await directoryRowOf(destination, 'live/end'))?.publisher == null,
      LIMIT_MS,
      () => 'it is still published there',
    );
    player.leave();
  });

  it('goes elsewhere after a reload, and a destination that stays notices nothing', async () => {
    await using second = await ServerProcess.start({ workers: SMALL });
    const publisher = await LivePublisher.start(source, 'live/reload');
    const staying = await LivePlayer.start(destination, 'live/reload');
    const coming = await LivePlayer.start(second, 'live/reload');
    await staying.waitForFrames(20);
    source.writeConfig(configOf(addressOf(destination), addressOf(second)));
    source.signal('SIGHUP');
    await coming.waitForFrames(50);
    expect(coming.checker.complaint).toBe('');
    expect(staying.checker.complaint).toBe('');
    expect(staying.checker.gaps).toEqual([]);
    for (const client of [publisher, staying, coming]) client.leave();
  });

  it('is not sent to the server that it comes from', async () => {
    source.writeConfig(configOf(addressOf(source), addressOf(destination)));
    source.signal('SIGHUP');
    await source.waitForLog(/reload/i);
    const player = await LivePlayer.start(destination, 'live/self');
    const publisher = await LivePublisher.start(source, 'live/self');
    await player.waitForFrames(50);
    await source.waitForLog(/forward of __defaultVhost__\/live\/self to \S+: that is this server itself, left out/);
    expect(publisher.isOpen).toBe(true);
    for (const client of [publisher, player]) client.leave();
  });
});

describe('a destination by request', () => {
  interface Answer {
    readonly status: number;
    readonly body: { readonly added?: boolean; readonly data?: { readonly error: string }; readonly forwards?: readonly Row[] };
  }
  interface Row {
    readonly source: string;
    readonly destination: string;
    readonly state: string;
    readonly sent_bytes: number;
  }
  const NAME = 'asked';

  async function ask(method: string, query = '', body?: object): Promise<Answer> {
    const { host, httpApiPort } = source.place;
    const init = { method, signal: AbortSignal.timeout(LIMIT_MS), ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const response = await fetch(`http://${host}:${httpApiPort}/api/v1/forwards${query}`, init);
    return { status: response.status, body: (await response.json()) as Answer['body'] };
  }
  const add = (to: string) => ask('POST', '', { app: 'live', stream: NAME, destination: to });
  const remove = (to: string) =>
    ask('DELETE', `?${new URLSearchParams({ app: 'live', stream: NAME, destination: to }).toString()}`);
  const listed = async (): Promise<readonly Row[]> => {
    const rows = (await ask('GET', `?stream=${NAME}`)).body.forwards ?? [];
    return rows.filter(({ source: wantedBy }) => wantedBy === 'api');
  };
  const cli = (...args: readonly string[]) => {
    const api = `${source.place.host}:${source.place.privatePort}`;
    return ChildProgram.run(join(repositoryRoot, 'bin/srs-cli'), ['--api', api, '--timeout', '10000', 'forward', ...args]);
  };

  beforeAll(async () => {
    const from = source.log().length;
    source.writeConfig(configOf());
    source.signal('SIGHUP');
    await source.waitForLog(/reload/i, { from });
  });

  it('is added, told and taken away while the stream runs, and nobody else notices', async () => {
    const url = `rtmp://${addressOf(destination)}/[app]/[stream]?key=hidden-key`;
    const shown = url.replace('hidden-key', '***');
    expect(await add(url)).toMatchObject({ status: 404, body: { code: 2048 } });
    const publisher = await LivePublisher.start(source, `live/${NAME}`);
    const beside = await LivePlayer.start(source, `live/${NAME}`);
    const there = await LivePlayer.start(destination, `live/${NAME}`);
    const from = sumOfBytes(await metricsOf(source));

    expect(await add(url)).toMatchObject({ status: 200, body: { added: true } });
    expect(await add(url)).toMatchObject({ status: 200, body: { added: false } });
    await there.waitForFrames(50);
    expect([there.checker.complaint, there.checker.gaps]).toEqual(['', []]);
    const [row] = await listed();
    expect(row).toMatchObject({ source: 'api', destination: shown, state: 'publishing' });
    expect(row?.sent_bytes).toBeGreaterThan(0.9 * there.socket.bytesRead);
    const metrics = await metricsOf(source);
    expect(sumOfBytes(metrics) - from).toBeGreaterThanOrEqual(row!.sent_bytes);
    expect(destinationsIn(metrics, 'publishing')).toBeGreaterThan(0);
    expect((await cli('list', `live/${NAME}`)).stdout).toContain(shown);

    // What cannot be is refused, whatever worker is asked.
    expect(await add(addressOf(source))).toMatchObject({
      status: 400,
      body: { data: { error: expect.stringContaining('itself') as string } },
    });
    expect(await add('x y')).toMatchObject({
      status: 400,
      body: { data: { error: expect.stringMatching(/^destination "x y" must be /) as string } },
    });
    expect((await listed()).map((each) => each.destination)).toEqual([shown]);

    expect(await remove(addressOf(destination))).toMatchObject({ status: 404 });
    expect(await remove(shown)).toMatchObject({ status: 200 });
    await eventually(
      async () => (await directoryRowOf(destination, `live/${NAME}`))?.publisher == null,
      LIMIT_MS,
      () => 'it is still published there',
    );
    await eventually(
      async () => (await listed()).length === 0,
      LIMIT_MS,
      () => 'it is still listed',
    );
    expect(sumOfBytes(await metricsOf(source))).toBeGreaterThanOrEqual(sumOfBytes(metrics));
    expect([beside.checker.complaint, beside.checker.gaps]).toEqual(['', []]);
    for (const client of [publisher, beside, there]) client.leave();
  });

  it('is added and taken away on the command line, and ends with the publish', async () => {
    const url = `rtmp://${addressOf(destination)}/[app]/[stream]`;
    const isThere = async (): Promise<boolean> => (await directoryRowOf(destination, `live/${NAME}`))?.publisher != null;
    const seen = (wanted: boolean) =>
      eventually(
        async () => (await isThere()) === wanted,
        LIMIT_MS,
        () => `it is ${wanted ? 'not' : 'still'} published there`,
      );
    const publisher = await LivePublisher.start(source, `live/${NAME}`);
    expect(await cli('add', NAME, url)).toMatchObject({ code: 0, stderr: '' });
    await seen(true);
    expect(await cli('remove', NAME, url)).toMatchObject({ code: 0, stderr: '' });
    await seen(false);
    expect(await cli('remove', NAME, url)).toMatchObject({ code: 1, stdout: '' });
    expect(await cli('add', NAME, url)).toMatchObject({ code: 0 });
    await seen(true);
    publisher.leave();
    await seen(false);
    const second = await LivePublisher.start(source, `live/${NAME}`, { session: 2 });
    const beside = await LivePlayer.start(source, `live/${NAME}`);
    await beside.waitForFrames(25);
    expect([await listed(), await isThere()]).toEqual([[], false]);
    for (const client of [second, beside]) client.leave();
  });
});

describe('a stream that comes back', () => {
  it('takes nobody from its place, not even where a new publisher may', async () => {
    await using first = await ServerProcess.start({ workers: SMALL, vhost: 'publish { busy replace; }' });
    await using second = await ServerProcess.start({
      workers: SMALL,
      vhost: `publish { busy replace; } forward ${addressOf(first)};`,
    });
    first.writeConfig({ workers: SMALL, vhost: `publish { busy replace; } forward ${addressOf(second)};` });
    first.signal('SIGHUP');
    await first.waitForLog(/reload/i);
    const publisher = await LivePublisher.start(first, 'live/loop');
    const players = await Promise.all([LivePlayer.start(first, 'live/loop'), LivePlayer.start(second, 'live/loop')]);
    await first.waitForLog(/stream __defaultVhost__\/live\/loop comes back to the server that has sent it/);
    await Promise.all(players.map((player) => player.waitForFrames(100)));
    for (const { checker } of players) {
      expect(checker.complaint).toBe('');
      expect(checker.sessions).toEqual([1]);
    }
    expect(publisher.isOpen).toBe(true);
    // It is not tried again.
    expect(await directoryRowOf(second, 'live/loop')).toMatchObject({ pushes: [{ state: 'closed', connects: 0 }] });
    for (const client of [...players, publisher]) client.leave();
  });

  it('of edges that are origins of each other stays where it is published', async () => {
    await using first = await ServerProcess.start({ workers: SMALL });
    await using second = await ServerProcess.start({ workers: SMALL, vhost: `mode remote; origin ${addressOf(first)};` });
    first.writeConfig({ workers: SMALL, vhost: `mode remote; origin ${addressOf(second)};` });
    first.signal('SIGHUP');
    await first.waitForLog(/reload/i);
    const players = await Promise.all([LivePlayer.start(first, 'live/ring'), LivePlayer.start(second, 'live/ring')]);
    const publisher = await LivePublisher.start(first, 'live/ring');
    await Promise.all(players.map((player) => player.waitForFrames(100)));
    expect(players[0].checker.complaint).toBe('');
    // The second may have got the first frames already when they are pushed to it as well.
    expect(players[1].checker.faults.filter((fault) => !fault.includes('comes again'))).toEqual([]);
    expect(publisher.isOpen).toBe(true);
    for (const client of [...players, publisher]) client.leave();
  });
});
