import type { DirectoryStream, WorkerStream } from '@srs/worker';
import { describe, expect, it } from 'vitest';
import { cellsOf, deadPort, json, kbps, run, serve, serveMaster, slotOf } from './cli-test-support.ts';

const play = {
  players: 5,
  playersInStep: 4,
  flushIntervalMs: 7,
  flushes: 1,
  batchBytes: 7000,
  writes: 1,
  flushedBytes: 1,
  laps: 1,
  lagBytes: 9,
  cuts: 2,
  droppedFrames: 6,
};
const ring = {
  sizeBytes: 2 ** 21,
  capacityBytes: 2 ** 20,
  gopBytes: 3072,
  newestSequence: 77,
  newestTimestampMs: 5,
  rejectedRecords: 0,
};
const publisher = {
  cid: 200,
  ip: '10.0.0.1',
  aliveSeconds: 100,
  recvBytes: 4096,
  recvKbps: kbps(500),
  audioFrames: 43,
  videoFrames: 25,
  dataFrames: 1,
  bytes: 4000,
  droppedFrames: 11,
  correctedTimestamps: 12,
  ringBytes: 2 ** 20,
  gopBytes: 3072,
};

describe('srs-cli streams', () => {
  const directoryStream = (streamId: string, more: Partial<DirectoryStream> = {}): DirectoryStream => ({
    streamId,
    publisher: { slot: 1, pid: 1001, cid: 200, ip: '10.0.0.1' },
    subscribers: 2,
    ring,
    ...more,
  });
  const workerStream = (streamId: string, more: Partial<WorkerStream> = {}): WorkerStream => ({
    streamId,
    publisher: null,
    sourceCid: 200,
    play,
    ring,
    ...more,
  });

  it('joins what directory, publisher and readers know of a stream', async () => {
    const directory = await serve({
      '/api/v1/streams': () => [
        directoryStream('v/b/one'),
        directoryStream('v/a/waiting', { publisher: null, ring: null, subscribers: 1 }),
      ],
    });
    const first = await serve({ '/api/v1/streams': () => [workerStream('v/b/one', { publisher })] });
    const second = await serve({
      '/api/v1/streams': () => [
        workerStream('v/b/one', { play: { ...play, players: 3, flushIntervalMs: 20 } }),
        workerStream('v/a/waiting', { sourceCid: -1, ring: null, play: { ...play, players: 1, laps: 0, cuts: 0 } }),
      ],
    });
    const port = await serveMaster([slotOf(0, directory), slotOf(1, first), slotOf(2, second)]);
    const { cid: _cid, ip: _ip, ...input } = publisher;
    expect(await json(port, 'streams')).toMatchObject({
      isComplete: true,
      streams: [
        { streamId: 'v/a/waiting', publisher: null, input: null, ring: null, subscribers: 1, players: 1 },
        {
          streamId: 'v/b/one',
          publisher: { cid: 200, ip: '10.0.0.1', worker: 1 },
          input,
          ring,
          subscribers: 2,
          players: 8,
          laps: 2,
          flushIntervalMs: 20,
          playerCuts: 4,
          playerDroppedFrames: 12,
          readers: [
            { worker: 1, players: 5, flushIntervalMs: 7, lagBytes: 9 },
            { worker: 2, players: 3, flushIntervalMs: 20 },
          ],
        },
      ],
    });
    const { out } = await run(port, ['streams']);
    expect(out.split('\n')[0]?.trim().split(/ {2,}/)).toEqual([
      'Stream',
      'Publisher',
      'Video',
      'Audio',
      'In kbps',
      'Players',
      'Dropped',
      'Corrected',
      'Ring',
      'GOP',
      'Laps',
      'Flush ms',
      'Cuts',
    ]);
    expect(cellsOf(out, 'v/b/one')).toEqual([
      'v/b/one',
      '10.0.0.1 #200 worker 1',
      '25',
      '43',
      '500',
      '8',
      '11',
      '12',
      '1.0 MiB',
      '3.0 KiB',
      '2',
      '20',
      '4',
    ]);
    expect(cellsOf(out, 'v/a/waiting')).toEqual(['v/a/waiting', '-', '-', '-', '-', '1', '-', '-', '-', '-', '0', '7', '0']);
  });

  it('shows the stream of a silent worker, marked', async () => {
    const directory = await serve({ '/api/v1/streams': () => [directoryStream('v/a/s')] });
    const port = await serveMaster([slotOf(0, directory), slotOf(1, await deadPort())]);
    expect(await json(port, 'streams')).toMatchObject({
      isComplete: false,
      streams: [{ publisher: { cid: 200, worker: 1 }, input: null, ring, players: 0, readers: [] }],
      workers: [{ answer: 'full' }, { answer: 'none', problem: 'connection refused' }],
    });
    const { out } = await run(port, ['streams']);
    expect(cellsOf(out, 'v/a/s').slice(1, 4)).toEqual(['10.0.0.1 #200 worker 1 (silent)', '-', '-']);
    expect(out).toContain('! stream worker in slot 1 (pid 1001) is left out: connection refused\n');
  });

  it('knows the publisher from its worker when the directory is silent', async () => {
    const worker = await serve({ '/api/v1/streams': () => [workerStream('v/a/s', { publisher, play: null })] });
    const port = await serveMaster([slotOf(0, await deadPort()), slotOf(1, worker)]);
    expect(await json(port, 'streams')).toMatchObject({
      streams: [{ publisher: { cid: 200, ip: '10.0.0.1', worker: 1 }, subscribers: null, ring, players: 0, flushIntervalMs: 0 }],
    });
  });
});
