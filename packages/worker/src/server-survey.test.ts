import { Channel, linkPair } from '@srs/control';
import { expect, it } from 'vitest';
import { ServerSurvey } from './server-survey.ts';
import { STATUS_BOARD_BYTES, StatusBoard } from './status-board.ts';
import {
  clientOf,
  directoryStream,
  HOST,
  opened,
  play,
  publisher,
  surveyOf,
  video,
  workerStream,
} from './survey-test-support.ts';
import type { MasterProtocol } from './worker-start.ts';

it('a stream is one entry, its figures added up over all workers', async () => {
  const { survey } = await surveyOf([
    { role: 'back-source', streams: [directoryStream('v/a/s'), directoryStream('v/a/other')] },
    { streams: [workerStream('v/a/s', { publisher, play: null })] },
    { streams: [workerStream('v/a/s', { tracks: null })] },
    { streams: [workerStream('v/a/s', { play: { ...play, players: 2, flushIntervalMs: 40, lagBytes: 1 } })] },
    {
      role: 'http',
      streams: [
        workerStream('v/a/s', {
          play: { ...play, players: 3, playersInStep: 3, cuts: 0, droppedFrames: 0, lagBytes: 0, flushIntervalMs: 0 },
          traffic: null,
          tracks: null,
        }),
      ],
    },
  ]);
  const { streams, silent } = await survey.streams();
  expect(silent).toEqual([]);
  expect(streams.map(({ streamId }) => streamId)).toEqual(['v/a/other', 'v/a/s']);
  expect(streams[1]).toMatchObject({
    clients: 11,
    players: 10,
    publisher: { slot: 1, pid: 1001, cid: 200, ip: '10.0.0.1' },
    publishSeconds: 100,
    videoFrames: 25,
    audioFrames: 43,
    droppedFrames: 11,
    video,
    audio: null,
    recvBytes: 300,
    sendBytes: 600,
    recvKbps30s: 30,
    sendKbps30s: 60,
    pendingBytes: 9,
    playerCuts: 4,
    playerDroppedFrames: 12,
    lagBytes: 9,
    flushIntervalMs: 40,
    readers: [
      { slot: 2, players: 5, playersInStep: 4, flushIntervalMs: 7, lagBytes: 9 },
      { slot: 3, players: 2, playersInStep: 4, flushIntervalMs: 40, lagBytes: 1 },
      { slot: 4, players: 3, playersInStep: 3, flushIntervalMs: 0, lagBytes: 0 },
    ],
  });
  expect(streams[0]).toMatchObject({ clients: 0, publisher: { cid: 200 }, publishSeconds: 0, video: null });
});

it('a worker that hangs is named within its second, and the others are told', async () => {
  const { survey } = await surveyOf([
    { role: 'back-source', streams: [directoryStream('v/a/s')] },
    { isHung: true },
    { state: 'waiting' },
    { streams: [workerStream('v/a/s')], clients: [clientOf(7)] },
  ]);
  const named = [
    { slot: 1, role: 'stream', pid: 1001, problem: 'no answer within 1000 ms' },
    { slot: 2, role: 'stream', pid: 1002, problem: 'died of signal SIGKILL, is started again in a moment' },
  ];
  const startMs = performance.now();
  const [streams, clients, client] = await Promise.all([
    survey.streams(),
    survey.clients({ start: 0, count: 10 }),
    survey.client(7),
  ]);
  expect(performance.now() - startMs).toBeLessThan(2_500);
  expect(streams).toMatchObject({ silent: named, streams: [{ streamId: 'v/a/s', players: 5, publisher: { cid: 200 } }] });
  expect(clients).toMatchObject({ silent: named, total: 1, clients: [{ id: 7, slot: 3, pid: 1003 }] });
  expect(client).toMatchObject({ silent: named, found: { id: 7 } });
});

it('clients are listed worker by worker, whatever part is asked for', async () => {
  const ids = (first: number, count: number) => Array.from({ length: count }, (_, index) => clientOf(first + index));
  const { survey } = await surveyOf([
    { role: 'back-source', clients: ids(0, 1) },
    { clients: ids(100, 5) },
    { clients: [] },
    { clients: ids(300, 5) },
  ]);
  const listed = async (start: number, count: number) => {
    const { total, clients } = await survey.clients({ start, count });
    expect(total).toBe(10);
    return clients.map(({ id, slot }) => `${slot}:${id}`);
  };
  expect(await listed(0, 100)).toEqual([
    ...[100, 101, 102, 103, 104].map((id) => `1:${id}`),
    ...[300, 301, 302, 303, 304].map((id) => `3:${id}`),
  ]);
  expect(await listed(3, 4)).toEqual(['1:103', '1:104', '3:300', '3:301']);
  expect(await listed(6, 2)).toEqual(['3:301', '3:302']);
  expect(await listed(10, 5)).toEqual([]);
});

it('a client is found and disconnected wherever it is', async () => {
  const source = { slot: 1, pid: 1001, cid: 200, ip: '10.0.0.1' };
  const { survey, kicked } = await surveyOf([
    { clients: [clientOf(7)] },
    { clients: [clientOf(8, { cuts: 2, isInStep: true, source })] },
  ]);
  expect(await survey.client(8)).toMatchObject({
    found: {
      id: 8,
      slot: 1,
      pid: 1001,
      cuts: 2,
      isInStep: true,
      isPaused: false,
      lagBytes: 0,
      recvKbps30s: 1,
      sendKbps30s: 2,
      source,
    },
  });
  expect(await survey.client(9)).toEqual({ found: null, silent: [] });
  expect(await survey.kick(8)).toEqual({ found: true, silent: [] });
  expect(await survey.kick(9)).toEqual({ found: false, silent: [] });
  expect(kicked).toEqual([8]);
});

it('the back-source that owns a stream is told to record it, and nobody else', async () => {
  const { survey, recorded } = await surveyOf([
    { role: 'back-source', streams: [directoryStream('v/live/one')] },
    { role: 'back-source', streams: [directoryStream('v/live/two words?&#')] },
    { streams: [] },
  ]);
  expect(await survey.record('v/live/one', true)).toEqual({ found: true, silent: [] });
  expect(await survey.record('v/live/two words?&#', false)).toEqual({ found: true, silent: [] });
  expect(await survey.record('v/live/one', undefined)).toEqual({ found: true, silent: [] });
  expect(await survey.record('v/live/three', true)).toEqual({ found: false, silent: [] });
  expect(recorded).toEqual(['v/live/one true', 'v/live/two words?&# false', 'v/live/one undefined']);
});

it('a destination is added and removed where the stream is', async () => {
  const { survey, forwarded } = await surveyOf([
    { role: 'back-source', streams: [directoryStream('v/live/one')] },
    { role: 'back-source', streams: [directoryStream('v/live/two')] },
    { streams: [] },
  ]);
  const url = 'rtmps://a.com/b/[stream]?key=1&x=#';
  expect(await survey.addForward('v/live/two', url)).toEqual({ found: 'added', silent: [] });
  expect(await survey.addForward('v/live/two', url)).toEqual({ found: 'already', silent: [] });
  expect(await survey.addForward('v/live/two', 'bad')).toEqual({
    found: { reason: 'malformed', text: 'bad it is' },
    silent: [],
  });
  expect(await survey.addForward('v/live/three', url)).toMatchObject({ found: { reason: 'no stream' }, silent: [] });
  expect(await survey.removeForward('v/live/one', '10.0.0.7')).toEqual({ found: true, silent: [] });
  expect(await survey.removeForward('v/live/three', '10.0.0.7')).toEqual({ found: false, silent: [] });
  expect(forwarded).toEqual([`add v/live/two ${url}`, 'remove v/live/one 10.0.0.7']);
});

it('without a back-source that answers a destination is not added, and who is silent is named', async () => {
  const { survey } = await surveyOf([{ role: 'back-source', state: 'waiting' }]);
  expect(await survey.addForward('v/live/one', '10.0.0.7')).toEqual({
    found: { reason: 'no stream', text: 'nobody publishes stream "v/live/one"' },
    silent: [{ slot: 0, role: 'back-source', pid: 1000, problem: 'died of signal SIGKILL, is started again in a moment' }],
  });
});

it('the traffic is that of all slots since the start, whoever fills them', async () => {
  const { survey, status } = await surveyOf([]);
  status.ownCounters[0] = 1000;
  status.ownCounters[1] = 20_000;
  status.claimConnection(10);
  expect(survey.traffic()).toEqual({
    sampleTimeMs: 5,
    recvBytes: 1000,
    sendBytes: 20_000,
    recvKbps: 1,
    sendKbps: 16,
    connections: 1,
  });
});

it('a master that does not answer is an error, not a wait', async () => {
  const [near] = linkPair();
  const channel = new Channel<MasterProtocol>(near, {});
  opened.push(channel);
  const status = new StatusBoard(Buffer.alloc(STATUS_BOARD_BYTES), 0);
  const survey = new ServerSurvey({ master: channel, privateHost: HOST, status, wallMs: () => 0, uptimeMs: () => 1 });
  await expect(survey.streams()).rejects.toMatchObject({ errorName: 'ControlTimeout' });
});
