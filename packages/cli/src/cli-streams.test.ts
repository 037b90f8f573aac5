import { describe, expect, it } from 'vitest';
import { cellsOf, deadPort, json, run, serve, serveMaster, slotOf } from './cli-test-support.ts';
import { directoryStream, play, publisher, push, ring, tracks, workerStream } from './rows-test-support.ts';

describe('srs-cli streams', () => {
  it('joins what directory, publisher and readers know of a stream', async () => {
    const directory = await serve({
      '/api/v1/streams': () => [
        directoryStream('v/b/one'),
        directoryStream('v/a/waiting', { publisher: null, ring: null, subscribers: 1 }),
      ],
    });
    const first = await serve({ '/api/v1/streams': () => [workerStream('v/b/one', { publisher, tracks })] });
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
          tracks,
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
      'Media',
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
      'Pushed to',
      'Lease',
    ]);
    expect(cellsOf(out, 'v/b/one')).toEqual([
      'v/b/one',
      '10.0.0.1 #200 worker 1',
      'H264 1280x720 AAC',
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
      '-',
      '-',
    ]);
    expect(cellsOf(out, 'v/a/waiting')).toEqual([
      'v/a/waiting',
      '-',
      '-',
      '-',
      '-',
      '-',
      '1',
      '-',
      '-',
      '-',
      '-',
      '0',
      '7',
      '0',
      '-',
      '-',
    ]);
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

  it('tells where the streams of an edge come from, and how many of the servers have those that are pushed', async () => {
    const pull = {
      origin: '10.0.0.9:1935',
      protocol: 'rtmp',
      state: 'pulling',
      stateSeconds: 9,
      starts: 1,
      lastError: '',
      peer: null,
    } as const;
    const waiting = {
      ...pull,
      state: 'waiting',
      lastError: '10.0.0.9:1935: nobody publishes the stream there',
      peer: null,
    } as const;
    const directory = await serve({
      '/api/v1/streams': () => [
        directoryStream('v/a/pulled', { pull }),
        directoryStream('v/a/nowhere', { publisher: null, ring: null, pull: waiting }),
        directoryStream('v/a/pushed', { pushes: [push, { ...push, destination: '10.0.0.8:1935', state: 'waiting' }] }),
      ],
    });
    const port = await serveMaster([slotOf(0, directory)]);
    expect(await json(port, 'streams')).toMatchObject({
      streams: [{ pull: waiting }, { pull }, { pull: null, pushes: [push, {}] }],
    });
    const { out } = await run(port, ['streams']);
    expect(cellsOf(out, 'v/a/pulled')[1]).toBe('origin 10.0.0.9:1935');
    expect(cellsOf(out, 'v/a/nowhere')[1]).toBe('origin 10.0.0.9:1935 (waiting)');
    expect(cellsOf(out, 'v/a/pushed').at(-2)).toBe('1 of 2');
  });

  it('knows the publisher from its worker when the directory is silent', async () => {
    const worker = await serve({ '/api/v1/streams': () => [workerStream('v/a/s', { publisher, play: null })] });
    const port = await serveMaster([slotOf(0, await deadPort()), slotOf(1, worker)]);
    expect(await json(port, 'streams')).toMatchObject({
      streams: [{ publisher: { cid: 200, ip: '10.0.0.1', worker: 1 }, subscribers: null, ring, players: 0, flushIntervalMs: 0 }],
    });
  });
});
