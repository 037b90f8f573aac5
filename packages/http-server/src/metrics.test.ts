import { readFileSync } from 'node:fs';
import { timeBoundsMs } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { parseMetrics, sampleOf } from '../../../test/support/prometheus-text.ts';
import { metricHelp, renderMetrics } from './metrics.ts';
import { busiestStreams } from './metrics-figures.ts';
import { answerOf, countersOf, figuresOf, reportOf, serverOf, streamOf } from './metrics-test-support.ts';

const parsed = async (more: Parameters<typeof figuresOf>[0] = {}) => parseMetrics(await renderMetrics(figuresOf(more)));

describe('metrics', () => {
  it('have the names of SRS, summed over all processes', async () => {
    const counted = (slot: number) =>
      countersOf(slot, { counts: { recvBytes: 10 ** slot, sendBytes: 2 * 10 ** slot, clients: slot, clientErrors: 1 } });
    const metrics = await parsed({
      summaries: [
        answerOf(reportOf(0, 'back-source'), { publishedStreams: 7 }),
        answerOf(reportOf(1, 'stream'), { clients: 20, cpuPercent: 30 }),
        answerOf(reportOf(2, 'stream'), { clients: 30, cpuPercent: 40 }),
        answerOf(reportOf(3, 'http'), { cpuPercent: 5 }),
      ],
      counters: [0, 1, 2, 3].map(counted),
    });
    expect(sampleOf(metrics, 'srs_streams')).toBe(7);
    expect(sampleOf(metrics, 'srs_clients')).toBe(50);
    expect(sampleOf(metrics, 'srs_clients_total')).toBe(6);
    expect(sampleOf(metrics, 'srs_clients_errs_total')).toBe(4);
    expect(sampleOf(metrics, 'srs_receive_bytes_total')).toBe(1111);
    expect(sampleOf(metrics, 'srs_send_bytes_total')).toBe(2222);
    // The master has 1, the back-source 10.
    expect(sampleOf(metrics, 'srs_cpu_percent')).toBe(1 + 10 + 30 + 40 + 5);
    // In kB: 50 MiB for each worker, 40 for the master.
    expect(sampleOf(metrics, 'srs_memory')).toBe((4 * 50 + 40) * 1024);
    for (const [name, type] of [
      ['srs_cpu_percent', 'gauge'],
      ['srs_send_bytes_total', 'counter'],
      ['srs_receive_bytes_total', 'counter'],
      ['srs_clients_total', 'counter'],
    ] as const) {
      expect(metrics.get(name)?.type).toBe(type);
    }
  });

  it('tell which server it is, with the label and the tag of the configuration', async () => {
    const labels = { label: 'cn-"beijing"\n', tag: 'a\\b' };
    const [info = ''] = (await parsed({ labels })).get('srs_build_info')!.samples.keys();
    expect(info).toContain('version=2.0.0');
    expect(info).toContain('major=2');
    expect(info).toContain('pid=999');
    expect(info).toContain('label=cn-\\"beijing\\"\\n');
    expect(info).toContain('tag=a\\\\b');
    const [plain = ''] = (await parsed()).get('srs_build_info')!.samples.keys();
    expect(plain).not.toMatch(/label|tag=/);
  });

  it('a worker that does not answer keeps its counters, and its clients as the kernel counts them', async () => {
    const counts = { sendBytes: 1000, recvBytes: 100, clients: 40, writes: 5 };
    const metrics = await parsed({
      summaries: [
        answerOf(reportOf(0, 'back-source'), null),
        answerOf(reportOf(1, 'stream'), null),
        answerOf(reportOf(2, 'stream'), { clients: 2, publishedStreams: 2 }),
        answerOf(reportOf(3, 'http'), null),
        answerOf(reportOf(4, 'stream', { state: 'draining' })),
      ],
      counters: [0, 1, 2, 3, 4].map((slot) => countersOf(slot, { counts })),
      connectionsOf: (slot) => 10 + slot,
    });
    const silent = { slot: '1', role: 'stream' };
    expect(sampleOf(metrics, 'srs_worker_ready', silent)).toBe(0);
    expect(sampleOf(metrics, 'srs_worker_ready', { slot: '2', role: 'stream' })).toBe(1);
    expect(sampleOf(metrics, 'srs_worker_ready', { slot: '4', role: 'stream' })).toBe(0);
    expect(sampleOf(metrics, 'srs_worker_send_bytes_total', silent)).toBe(1000);
    expect(sampleOf(metrics, 'srs_worker_writes_total', silent)).toBe(5);
    expect(sampleOf(metrics, 'srs_send_bytes_total')).toBe(5000);
    expect(sampleOf(metrics, 'srs_worker_clients', silent)).toBe(11);
    // Not the connections to the API.
    expect(sampleOf(metrics, 'srs_clients')).toBe(13);
    // The directory is silent: what the others publish is known.
    expect(sampleOf(metrics, 'srs_streams')).toBe(2);
    expect(() => sampleOf(metrics, 'srs_worker_cpu_percent', silent)).toThrow('no series');
  });

  it('what a slot that is gone has counted is in the sums', async () => {
    const metrics = await parsed({
      counters: [0, 1, 2, 3, 9].map((slot) => countersOf(slot, { counts: { clients: 1, sendBytes: 1 } })),
    });
    expect(sampleOf(metrics, 'srs_clients_total')).toBe(5);
    expect(sampleOf(metrics, 'srs_send_bytes_total')).toBe(5);
    expect(Array.from(metrics.get('srs_worker_clients_total')!.samples.keys()).join()).not.toContain('slot=9');
  });

  it('in single mode the one process counts once', async () => {
    const pid = 999;
    const metrics = await parsed({
      server: serverOf(pid),
      summaries: [
        answerOf(reportOf(0, 'back-source', { pid })),
        answerOf(reportOf(1, 'stream', { pid })),
        answerOf(reportOf(2, 'http', { pid })),
      ],
    });
    expect(sampleOf(metrics, 'srs_cpu_percent')).toBe(10);
    expect(sampleOf(metrics, 'srs_memory')).toBe(50 * 1024);
    expect(metrics.get('srs_worker_cpu_percent')?.samples.size).toBe(1);
    expect(metrics.get('srs_worker_ready')?.samples.size).toBe(3);
    expect(metrics.get('srs_worker_event_loop_delay_seconds')?.samples.size).toBe(timeBoundsMs.length + 3);
  });

  it('histograms count upwards in seconds, and their last bucket is their count', async () => {
    const counts = timeBoundsMs.map((_, index) => index + 1);
    const frameAgeMs = { counts: [...counts, 100], sum: 4_500 };
    const metrics = await parsed({
      counters: [countersOf(0), countersOf(1, { distributions: { frameAgeMs } }), countersOf(2), countersOf(3)],
    });
    const labels = { slot: '1', role: 'stream' };
    const name = 'srs_worker_frame_latency_seconds';
    expect(metrics.get(name)?.type).toBe('histogram');
    let upTo = 0;
    for (const [index, bound] of timeBoundsMs.entries()) {
      upTo += index + 1;
      expect(sampleOf(metrics, `${name}_bucket`, { ...labels, le: String(bound / 1000) })).toBe(upTo);
    }
    expect(sampleOf(metrics, `${name}_bucket`, { ...labels, le: '+Inf' })).toBe(upTo + 100);
    expect(sampleOf(metrics, `${name}_count`, labels)).toBe(upTo + 100);
    expect(sampleOf(metrics, `${name}_sum`, labels)).toBe(4.5);
    expect(sampleOf(metrics, `${name}_count`, { slot: '2', role: 'stream' })).toBe(0);
    // Who sends nothing to players has no latency; everybody has an event loop.
    expect(Array.from(metrics.get(name)!.samples.keys()).join()).not.toContain('back-source');
    expect(metrics.get('srs_worker_event_loop_delay_seconds')?.samples.size).toBe(4 * (timeBoundsMs.length + 3));
  });

  it('streams have no series unless some are asked for, and never more than that', async () => {
    const streams = Array.from({ length: 1000 }, (_, index) =>
      streamOf(`__defaultVhost__/live/${index}`, { players: index % 7 }),
    );
    expect(await renderMetrics(figuresOf())).not.toContain('stream=');
    const metrics = await parsed({ streams: busiestStreams(streams, 3), unlabelledStreams: 997 });
    expect(metrics.get('srs_stream_players')?.samples).toEqual(
      new Map(['104', '111', '118'].map((name) => [`srs_stream_players{stream=__defaultVhost__/live/${name}}`, 6])),
    );
    expect(sampleOf(metrics, 'srs_streams_unlabelled')).toBe(997);
  });

  it('names of streams that clients choose break nothing and tell no secret', async () => {
    const names = ['a"} 1\nsrs_streams 99', 'back\\slash\\', 'x?token=hidden', 'x?token=other', '流\u2028', '{}', '', '\r'];
    const metrics = await parsed({ streams: names.map((name) => streamOf(name)), unlabelledStreams: 0 });
    const series = metrics.get('srs_stream_players')!.samples;
    // The two that differ in their secret only are one.
    expect(series.size).toBe(names.length - 1);
    expect(series.get('srs_stream_players{stream=x?token=***}')).toBe(2);
    expect(sampleOf(metrics, 'srs_streams')).toBe(0);
    expect(Array.from(series.keys()).join()).not.toMatch(/hidden|other/);
  });

  it('tell of back-sources what they push and pull, by kind and state', async () => {
    const counts = {
      forwardReconnects: 1,
      forwardSentBytes: 2,
      forwardDroppedFrames: 3,
      edgePushReconnects: 4,
      edgePushSentBytes: 5,
      edgePushDroppedFrames: 6,
      pullStarts: 7,
      pullRecvBytes: 8,
    };
    const metrics = await parsed({
      summaries: [
        answerOf(reportOf(0, 'back-source'), {
          pushes: [
            { kind: 'forward', state: 'publishing', count: 10 },
            { kind: 'forward', state: 'waiting', count: 11 },
            { kind: 'edge push', state: 'publishing', count: 12 },
          ],
          pulls: [
            { state: 'pulling', count: 13 },
            { state: 'waiting', count: 14 },
          ],
        }),
        answerOf(reportOf(1, 'stream')),
      ],
      counters: [countersOf(0, { counts }), countersOf(1, { counts })],
    });
    const slot = { slot: '0', role: 'back-source' };
    const [forward, edgePush] = [
      { ...slot, kind: 'forward' },
      { ...slot, kind: 'edge push' },
    ];
    expect(sampleOf(metrics, 'srs_forward_destinations', { ...forward, state: 'publishing' })).toBe(10);
    expect(sampleOf(metrics, 'srs_forward_destinations', { ...forward, state: 'waiting' })).toBe(11);
    expect(sampleOf(metrics, 'srs_forward_destinations', { ...edgePush, state: 'publishing' })).toBe(12);
    expect(sampleOf(metrics, 'srs_forward_reconnects_total', forward)).toBe(1);
    expect(sampleOf(metrics, 'srs_forward_send_bytes_total', forward)).toBe(2);
    expect(sampleOf(metrics, 'srs_forward_dropped_frames_total', forward)).toBe(3);
    expect(sampleOf(metrics, 'srs_forward_reconnects_total', edgePush)).toBe(4);
    expect(sampleOf(metrics, 'srs_forward_send_bytes_total', edgePush)).toBe(5);
    expect(sampleOf(metrics, 'srs_forward_dropped_frames_total', edgePush)).toBe(6);
    expect(sampleOf(metrics, 'srs_pull_streams', { ...slot, state: 'pulling' })).toBe(13);
    expect(sampleOf(metrics, 'srs_pull_streams', { ...slot, state: 'waiting' })).toBe(14);
    expect(sampleOf(metrics, 'srs_pull_starts_total', slot)).toBe(7);
    expect(sampleOf(metrics, 'srs_pull_receive_bytes_total', slot)).toBe(8);
    // Other workers have none.
    expect(metrics.get('srs_forward_send_bytes_total')?.samples.size).toBe(2);
    expect(metrics.get('srs_pull_starts_total')?.samples.size).toBe(1);
  });

  it('tell of each registry how it is reached', async () => {
    const registry = { name: 'redis://a:6379', isUp: true, leases: 2, commands: 30, failures: 4, latencyMs: 5, lastError: '' };
    const registries = [registry, { ...registry, name: 'redis://b:6379', isUp: false }];
    const metrics = await parsed({ summaries: [answerOf(reportOf(0, 'back-source'), { registries })] });
    const labels = { slot: '0', role: 'back-source', registry: 'redis://a:6379' };
    expect(sampleOf(metrics, 'srs_registry_up', labels)).toBe(1);
    expect(sampleOf(metrics, 'srs_registry_up', { ...labels, registry: 'redis://b:6379' })).toBe(0);
    expect(sampleOf(metrics, 'srs_registry_leases', labels)).toBe(2);
    expect(sampleOf(metrics, 'srs_registry_commands_total', labels)).toBe(30);
    expect(sampleOf(metrics, 'srs_registry_failures_total', labels)).toBe(4);
    expect(sampleOf(metrics, 'srs_registry_latency_seconds', labels)).toBe(0.005);
  });

  it('do not depend on what was asked before', async () => {
    const counters = [0, 1, 2, 3].map((slot) => countersOf(slot, { counts: { clients: 5 } }));
    const first = await renderMetrics(figuresOf({ counters }));
    expect(await renderMetrics(figuresOf({ counters }))).toBe(first);
  });

  it('are all in the documentation, with their types, and no others are', () => {
    const text = readFileSync(new URL('../../../docs/monitoring.md', import.meta.url), 'utf8');
    const documented = Array.from(text.matchAll(/^\| `(srs_\w+)` \| (\w+) \|/gm), ([, name, type]) => `${name} ${type}`);
    expect(documented.toSorted()).toEqual(Array.from(metricHelp, ([name, { type }]) => `${name} ${type}`).toSorted());
  });
});
