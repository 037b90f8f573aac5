import type { Server } from 'node:net';
import { memoryLog } from '@srs/kernel';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseMetrics, sampleOf } from '../../../test/support/prometheus-text.ts';
import { createMetricsServer } from './metrics-server.ts';
import { MetricsSource, type MetricsSourceOptions } from './metrics-source.ts';
import { answerOf, countersOf, reportOf, serverOf } from './metrics-test-support.ts';

const name = 'exporter';

function sourceOf(
  more: Partial<MetricsSourceOptions['view']> = {},
  settings: Partial<ReturnType<MetricsSourceOptions['settings']>> = {},
) {
  return new MetricsSource({
    view: {
      directory: async () => ({ server: serverOf(), workers: [] }),
      summaries: async () => [answerOf(reportOf(0, 'back-source')), answerOf(reportOf(1, 'stream'), { clients: 3 })],
      streams: async () => ({ streams: [], silent: [] }),
      ...more,
    },
    board: { counters: () => [0, 1].map((slot) => countersOf(slot)), connectionsOf: () => 0 },
    system: { selfProcStats: () => ({ percent: 0.5, rss: 256 }) as never },
    settings: () => ({ enabled: true, label: '', tag: '', streamLabels: 0, ...settings }),
  });
}

async function serve(source: MetricsSource): Promise<string> {
  const front = await createMetricsServer({
    source,
    log: memoryLog(),
    claimConnection: () => true,
    releaseConnection: () => {},
    closeListener: (server: Server) => {
      server.close();
      return [];
    },
  });
  await front.listen(name, { host: '127.0.0.1', port: 0 });
  onTestFinished(() => front.close(0));
  return `http://127.0.0.1:${front.portOf(name)}`;
}

describe('the metrics server', () => {
  it('serves the metrics in the text format', async () => {
    const url = await serve(sourceOf());
    const response = await fetch(`${url}/metrics?x=1`);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const metrics = parseMetrics(await response.text());
    expect(sampleOf(metrics, 'srs_clients')).toBe(3);
    // Half a core of the master, and 10 % of each worker.
    expect(sampleOf(metrics, 'srs_cpu_percent')).toBe(70);
    const head = await fetch(`${url}/metrics`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  it('tells that it lives, and whether it is ready', async () => {
    const workers = [answerOf(reportOf(1, 'stream'))];
    const url = await serve(sourceOf({ summaries: async () => workers }));
    const health = await fetch(`${url}/healthz`);
    expect([health.status, await health.json()]).toEqual([200, expect.objectContaining({ code: 0, pid: process.pid })]);
    const ready = await fetch(`${url}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([200, expect.objectContaining({ code: 0, workers: 1, ready: 1 })]);
    workers.push(answerOf(reportOf(2, 'stream'), null));
    const unready = await fetch(`${url}/readyz`);
    expect(unready.status).toBe(503);
    expect(await unready.json()).toMatchObject({
      code: 503,
      reasons: ['stream worker in slot 2 (pid 1002): no answer within 1000 ms'],
    });
  });

  it('a master that does not answer is 503 with the reason, and alive all the same', async () => {
    const fail = () => Promise.reject(new Error('the master process does not answer'));
    const url = await serve(sourceOf({ directory: fail, summaries: fail }));
    const statuses = await Promise.all(
      ['/metrics', '/readyz', '/healthz'].map(async (path) => {
        const response = await fetch(url + path);
        return [response.status, (await response.text()).includes('the master process does not answer')];
      }),
    );
    expect(statuses).toEqual([
      [503, true],
      [503, true],
      [200, false],
    ]);
  });

  it('has no other paths and methods', async () => {
    const url = await serve(sourceOf());
    const statusOf = async (path: string, method: string) => (await fetch(url + path, { method })).status;
    expect(await statusOf('/api/v1/summaries', 'GET')).toBe(404);
    expect(await statusOf('/', 'GET')).toBe(404);
    expect(await statusOf('/metrics', 'POST')).toBe(405);
    expect(await statusOf('/readyz', 'DELETE')).toBe(405);
    expect(await (await fetch(`${url}/nothing`)).json()).toMatchObject({ data: { status_code: 404, url: '/nothing' } });
  });

  it('is 404 while the exporter is off', async () => {
    const url = await serve(sourceOf({}, { enabled: false }));
    const response = await fetch(`${url}/metrics`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ data: { error: 'metrics are switched off (exporter / enabled)' } });
  });

  it('many who ask at once cost the workers one question', async () => {
    let asked = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    const source = sourceOf({
      summaries: async () => {
        asked += 1;
        await promise;
        return [answerOf(reportOf(0, 'back-source'))];
      },
    });
    const texts = Array.from({ length: 50 }, () => source.metrics());
    resolve();
    expect(new Set(await Promise.all(texts)).size).toBe(1);
    expect(asked).toBe(1);
    // The next one is asked anew.
    await source.metrics();
    expect(asked).toBe(2);
  });

  it('asks for streams only when some are to have series of their own', async () => {
    let asked = 0;
    const streams = async () => {
      asked += 1;
      return { streams: [], silent: [] };
    };
    expect(await sourceOf({ streams }).metrics()).not.toContain('srs_streams_unlabelled');
    expect(asked).toBe(0);
    expect(await sourceOf({ streams }, { streamLabels: 5 }).metrics()).toContain('srs_streams_unlabelled 0');
    expect(asked).toBe(1);
  });
});
