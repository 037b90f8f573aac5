import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/deadline.ts';
import { HookServer } from '../support/hook-server.ts';
import { type ParsedMetric, parseMetrics, sampleOf } from '../support/prometheus-text.ts';
import { type ServerOptions, ServerProcess, type WorkerInfo } from '../support/server-process.ts';
import { LivePlayer, LivePublisher } from './live-client-test-support.ts';

type Metrics = ReadonlyMap<string, ParsedMetric>;

const LIMIT_MS = 10_000;

let server: ServerProcess;
const receivers: HookServer[] = [];
/** Sent SIGSTOP; one that still hangs when its test is over must not hold up the end of the server. */
const hung = new Set<number>();

afterEach(async () => {
  for (const pid of hung) {
    try {
      process.kill(pid, 'SIGCONT');
    } catch {
      // Dead, as the test may want it to be.
    }
  }
  hung.clear();
  await server.stop();
  for (const receiver of receivers.splice(0)) await receiver.close();
});

function start(options: ServerOptions): Promise<ServerProcess> {
  const top = options.top;
  return ServerProcess.start({
    ...options,
    top: (place) => `
http_api { enabled on; listen ${place.host}:${place.httpApiPort}; }
exporter { enabled on; listen ${place.host}:${place.sparePort}; label here; stream_labels 1; }
${typeof top === 'function' ? top(place) : (top ?? '')}`,
  });
}

async function get(path: string, port = server.place.sparePort): Promise<Response> {
  return await fetch(`http://${server.place.host}:${port}${path}`, { signal: AbortSignal.timeout(LIMIT_MS) });
}

async function scrape(port?: number): Promise<Metrics> {
  const response = await get('/metrics', port);
  expect(response.status).toBe(200);
  return parseMetrics(await response.text());
}

async function scrapeUntil(what: string, probe: (metrics: Metrics) => boolean): Promise<Metrics> {
  return await eventually(
    async () => {
      const metrics = await scrape();
      return probe(metrics) && metrics;
    },
    LIMIT_MS,
    () => `the metrics did not tell ${what}`,
  );
}

async function workersOf(role: string): Promise<WorkerInfo[]> {
  return (await server.workers()).filter((worker) => worker.role === role);
}

const kill = (worker: WorkerInfo | undefined): boolean => process.kill(worker!.pid, 'SIGKILL');

/** Every series that must never fall. */
function counterValues(metrics: Metrics): Map<string, number> {
  const values = new Map<string, number>();
  for (const { type, samples } of metrics.values()) {
    if (type === 'gauge') continue;
    for (const [series, value] of samples) values.set(series, value);
  }
  return values;
}

function expectNoFall(before: Metrics, after: Metrics): void {
  const now = counterValues(after);
  for (const [series, value] of counterValues(before)) {
    expect(now.get(series) ?? Number.NaN, series).toBeGreaterThanOrEqual(value);
  }
}

describe('metrics', () => {
  it('tell what the test published, played, and lost', async () => {
    server = await start({
      workers: 'mode multi; stream 3; http 2;',
      vhost: 'security { enabled on; allow play all; allow publish 127.0.0.1; deny publish 127.0.0.2; }',
    });
    // Somebody has connected to see whether the server is there.
    const earlier = sampleOf(await scrape(), 'srs_clients_total');
    const first = await LivePublisher.start(server, 'live/one');
    const second = await LivePublisher.start(server, 'live/two?token=hidden');
    const players = await LivePlayer.crowd(server, 'live/one', 9);
    await Promise.all(players.map((player) => player.waitForFrames(100)));
    const refused = await LivePublisher.open(server, 'live/three', { localAddress: '127.0.0.2' });
    await refused.waitForClose();
    for (const player of players.slice(6)) player.close();
    const metrics = await scrapeUntil('who is there', (seen) => sampleOf(seen, 'srs_clients') === 8);
    expect(sampleOf(metrics, 'srs_streams')).toBe(2);
    expect(sampleOf(metrics, 'srs_clients_total') - earlier).toBe(12);
    // Those who just leave are none.
    expect(sampleOf(metrics, 'srs_clients_errs_total')).toBe(1);
    expect(sampleOf(metrics, 'srs_receive_bytes_total')).toBeGreaterThan(
      0.9 * (first.socket.bytesWritten + second.socket.bytesWritten),
    );
    const received = players.reduce((sum, { socket }) => sum + socket.bytesRead, 0);
    expect(sampleOf(metrics, 'srs_send_bytes_total')).toBeGreaterThan(0.9 * received);
    // One stream has a series, and it is the one with the players.
    expect([...metrics.get('srs_stream_players')!.samples]).toEqual([
      ['srs_stream_players{stream=__defaultVhost__/live/one}', 6],
    ]);
    expect(sampleOf(metrics, 'srs_streams_unlabelled')).toBe(1);
    expect([...metrics.get('srs_build_info')!.samples.keys()].join()).toMatch(/label=here/);
    // Each frame was on its way for a moment, and none for long.
    let batches = 0;
    let soon = 0;
    for (const { slot } of await workersOf('stream')) {
      const labels = { slot: String(slot), role: 'stream' };
      batches += sampleOf(metrics, 'srs_worker_frame_latency_seconds_count', labels);
      soon += sampleOf(metrics, 'srs_worker_frame_latency_seconds_bucket', { ...labels, le: '0.5' });
    }
    expect(batches).toBeGreaterThan(50);
    expect(soon / batches).toBeGreaterThan(0.9);
    // The port of the API has the same.
    expect(sampleOf(await scrape(server.place.httpApiPort), 'srs_streams')).toBe(2);
    for (const client of [first, second, ...players]) client.close();
  });

  it('no counter falls when workers are killed, those that serve the metrics included', async () => {
    server = await start({ workers: 'mode multi; stream 2; http 1;' });
    const [one, two] = await workersOf('stream');
    const publisher = await LivePublisher.start(server, 'live/one', { onWorker: one!.pid });
    const players = [
      await LivePlayer.start(server, 'live/one', { onWorker: one!.pid }),
      await LivePlayer.start(server, 'live/one', { onWorker: two!.pid }),
    ];
    await Promise.all(players.map((player) => player.waitForFrames(100)));
    const before = await scrape();
    expect(sampleOf(before, 'srs_worker_written_bytes_total', { slot: String(two!.slot), role: 'stream' })).toBeGreaterThan(
      10_000,
    );
    kill(two);
    const dead = await scrapeUntil(
      'the death',
      (seen) => sampleOf(seen, 'srs_worker_restarts_total', { slot: String(two!.slot), role: 'stream' }) === 1,
    );
    expectNoFall(before, dead);
    await scrapeUntil(
      'the successor',
      (seen) => sampleOf(seen, 'srs_worker_ready', { slot: String(two!.slot), role: 'stream' }) === 1,
    );
    const [http] = await workersOf('http');
    kill(http);
    const later = await eventually(
      () => scrape().catch(() => undefined),
      LIMIT_MS,
      () => 'the metrics are not served again',
    );
    expectNoFall(dead, later);
    for (const client of [publisher, ...players]) client.close();
  });

  it('a worker that hangs is named within a moment, and its counters stay', async () => {
    server = await start({ workers: 'mode multi; stream 2;' });
    const [one] = await workersOf('stream');
    const labels = { slot: String(one!.slot), role: 'stream' };
    const publisher = await LivePublisher.start(server, 'live/one', { onWorker: one!.pid });
    const before = await scrapeUntil('the publisher', (seen) => sampleOf(seen, 'srs_worker_publishers', labels) === 1);
    hung.add(one!.pid);
    process.kill(one!.pid, 'SIGSTOP');
    const startMs = performance.now();
    const [metrics, ready] = await Promise.all([scrape(), get('/readyz')]);
    expect(performance.now() - startMs).toBeLessThan(3_000);
    expect(sampleOf(metrics, 'srs_worker_ready', labels)).toBe(0);
    expect(sampleOf(metrics, 'srs_worker_clients', labels)).toBe(1);
    expectNoFall(before, metrics);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({
      ready: 3,
      reasons: [`stream worker in slot ${one!.slot} (pid ${one!.pid}): no answer within 1000 ms`],
    });
    expect((await get('/healthz')).status).toBe(200);
    process.kill(one!.pid, 'SIGCONT');
    await eventually(
      async () => (await get('/readyz')).status === 200,
      LIMIT_MS,
      () => 'the server is not ready again',
    );
    publisher.close();
  });

  it('in single mode the one process counts once', async () => {
    server = await start({ workers: 'mode single;' });
    const metrics = await scrape();
    expect(metrics.get('srs_worker_memory_bytes')?.samples.size).toBe(4);
    expect(sampleOf(metrics, 'srs_worker_ready', { slot: '2', role: 'http' })).toBe(1);
    expect(sampleOf(metrics, 'srs_memory')).toBeLessThan(400 * 1024);
  });
});

describe('heartbeat', () => {
  const INTERVAL_MS = 300;

  async function startBeating(receiver: HookServer, more: ServerOptions = {}): Promise<void> {
    receivers.push(receiver);
    server = await start({
      ...more,
      top: `heartbeat { enabled on; interval ${INTERVAL_MS / 1000}; url ${receiver.url('/api/v1/servers')}; device_id device-1; summaries on; ports on; }`,
    });
  }

  it('one of two http workers beats, and the other goes on when it is killed', async () => {
    const receiver = await HookServer.start();
    await startBeating(receiver, { workers: 'mode multi; stream 1; http 2;' });
    await receiver.waitFor(() => true, 4);
    const [{ method, path, body }] = receiver.requests as [HookServer['requests'][number]];
    expect([method, path]).toEqual(['POST', '/api/v1/servers']);
    expect(body).toMatchObject({
      device_id: 'device-1',
      rtmp: [String(server.place.rtmpPort)],
      api: [String(server.place.httpApiPort)],
      summaries: { code: 0, data: { ok: true, self: { pid: server.program.pid } } },
    });
    const startMs = performance.now();
    const count = receiver.requests.length;
    await receiver.waitFor(() => true, count + 6);
    expect(performance.now() - startMs).toBeGreaterThan(5 * INTERVAL_MS);
    kill((await workersOf('http'))[0]);
    await receiver.waitFor(() => true, receiver.requests.length + 4);
  });

  it('a receiver that hangs holds up neither clients nor the end of the server', async () => {
    const receiver = await HookServer.start(() => undefined);
    await startBeating(receiver, { workers: 'mode multi; stream 1;' });
    await receiver.waitFor(() => true);
    const publisher = await LivePublisher.start(server, 'live/one');
    const player = await LivePlayer.start(server, 'live/one');
    await player.waitForFrames(50);
    expect((await get('/api/v1/summaries', server.place.httpApiPort)).status).toBe(200);
    expect(receiver.requests).toHaveLength(1);
    publisher.close();
    player.close();
    const startMs = performance.now();
    await server.stop();
    expect(performance.now() - startMs).toBeLessThan(4_000);
  });

  it('needs no API', async () => {
    const receiver = await HookServer.start();
    receivers.push(receiver);
    server = await ServerProcess.start({
      top: `heartbeat { enabled on; interval 0.1; url ${receiver.url()}; }`,
      workers: 'mode single;',
    });
    await receiver.waitFor(() => true, 3);
    expect(Object.keys(receiver.requests[0]!.body)).toEqual(['device_id', 'ip']);
  });

  it('is switched on, turned elsewhere and off by a reload', async () => {
    const one = await HookServer.start();
    const two = await HookServer.start();
    receivers.push(one, two);
    const beating = (url: string, enabled = 'on') => `heartbeat { enabled ${enabled}; interval 0.1; url ${url}; }`;
    const reload = async (top: string): Promise<void> => {
      server.writeConfig({ workers: 'mode multi; stream 1;', top });
      const from = server.log().length;
      server.signal('SIGHUP');
      await server.waitForLog(/reload/, { from });
    };
    // Without any HTTP there is no process that could beat: a worker comes for it.
    server = await ServerProcess.start({ workers: 'mode multi; stream 1;' });
    await reload(beating(one.url()));
    await one.waitFor(() => true, 2);
    await reload(beating(two.url()));
    await two.waitFor(() => true, 2);
    // The last one may have been on its way.
    const count = one.requests.length;
    await two.waitFor(() => true, two.requests.length + 3);
    expect(one.requests.length).toBeLessThanOrEqual(count + 1);
    await reload(beating(two.url(), 'off'));
    await eventually(
      async () => (await workersOf('http')).length === 0,
      LIMIT_MS,
      () => 'the http worker stays',
    );
  });
});
