import { AmfObject, amfToJson } from '@srs/amf';
import { messageTypes } from '@srs/rtmp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RawRtmp } from '../support/raw-rtmp.ts';
import { ServerProcess } from '../support/server-process.ts';
import { LivePlayer, LivePublisher } from './live-client-test-support.ts';
import { StampedSource } from './stamped-media-test-support.ts';

const FIRST_PACKET_TIMEOUT_MS = 700;
const NORMAL_TIMEOUT_MS = 500;

let server: ServerProcess;

beforeAll(async () => {
  server = await ServerProcess.start({
    vhost: `publish { firstpkt_timeout ${FIRST_PACKET_TIMEOUT_MS}; normal_timeout ${NORMAL_TIMEOUT_MS}; }`,
  });
});

afterAll(async () => {
  await server.stop();
});

it('a publisher that never sends media is closed after firstpkt_timeout, and its stream is free', async () => {
  const silent = await LivePublisher.open(server, 'live/silent');
  const startedMs = performance.now();
  using refused = await LivePublisher.open(server, 'live/silent');
  expect(refused.rejection?.code).toBe('NetStream.Publish.BadName');
  await silent.waitForClose();
  expect(performance.now() - startedMs).toBeGreaterThan(FIRST_PACKET_TIMEOUT_MS * 0.8);
  await server.waitForLog(
    new RegExp(`\\[${silent.peer.id}\\].*ret=1011: publisher sent no media within ${FIRST_PACKET_TIMEOUT_MS} ms`),
  );
  using next = await LivePublisher.start(server, 'live/silent');
  expect(next.isOpen).toBe(true);
});

it('a publisher that stops sending is closed after normal_timeout; players stay for the next one', async () => {
  const tired = await LivePublisher.start(server, 'live/tired');
  const player = await LivePlayer.start(server, 'live/tired');
  await player.waitForFrames(10);
  tired.pause();
  const pausedMs = performance.now();
  await tired.waitForClose();
  expect(performance.now() - pausedMs).toBeGreaterThan(NORMAL_TIMEOUT_MS * 0.8);
  await server.waitForLog(new RegExp(`\\[${tired.peer.id}\\].*publisher sent no media for ${NORMAL_TIMEOUT_MS} ms`));
  using next = await LivePublisher.start(server, 'live/tired', { session: 2 });
  await player.waitForSession(2);
  await player.waitForFrames(30);
  expect(next.isOpen).toBe(true);
  expect(player.checker.complaint).toBe('');
  player.close();
});

it('normal_timeout counts from the first media on, however long firstpkt_timeout is', async () => {
  await using patient = await ServerProcess.start({
    vhost: `publish { firstpkt_timeout 60000; normal_timeout ${NORMAL_TIMEOUT_MS}; }`,
  });
  const tired = await LivePublisher.start(patient, 'live/tired');
  const player = await LivePlayer.start(patient, 'live/tired');
  await player.waitForFrames(3);
  tired.pause();
  await tired.waitForClose();
  await patient.waitForLog(new RegExp(`\\[${tired.peer.id}\\].*publisher sent no media for ${NORMAL_TIMEOUT_MS} ms`));
  player.close();
});

it('a publisher that sends on is never closed', async () => {
  using publisher = await LivePublisher.start(server, 'live/steady');
  const player = await LivePlayer.start(server, 'live/steady');
  const isLong = () => player.checker.playedMs > 3 * FIRST_PACKET_TIMEOUT_MS;
  await player.waitFor('media for three time-outs', isLong);
  expect(publisher.isOpen).toBe(true);
  player.close();
});

it('a half-open publisher, gone without a word, makes room for a newcomer within normal_timeout', async () => {
  const lost = await LivePublisher.start(server, 'live/lost');
  const player = await LivePlayer.start(server, 'live/lost');
  await player.waitForFrames(10);
  // The network is gone: the socket stays, nothing comes any more and no end is ever sent.
  lost.pause();
  lost.socket.pause();
  let newcomer: LivePublisher | undefined;
  const deadlineMs = performance.now() + 10 * NORMAL_TIMEOUT_MS;
  while (newcomer === undefined && performance.now() < deadlineMs) {
    const tried = await LivePublisher.open(server, 'live/lost', { session: 2 });
    if (tried.rejection === undefined) newcomer = tried;
    else expect(tried.rejection.code).toBe('NetStream.Publish.BadName');
  }
  newcomer?.sendHeaders();
  newcomer?.play();
  await player.waitForSession(2);
  expect(player.checker.complaint).toBe('');
  for (const client of [lost, player, newcomer]) client?.close();
});

it('FCUnpublish, then another publish on the same connection', async () => {
  const player = await LivePlayer.start(server, 'live/again');
  using encoder = await RawRtmp.connect(server.place.rtmpPort);
  await encoder.connectApp('live');
  encoder.setChunkSize(60_000);
  for (const session of [1, 2, 3]) {
    const known = encoder.commands.length;
    await encoder.waitForAnswer(encoder.sendCommand('releaseStream', null, ['again']));
    await encoder.waitForAnswer(encoder.sendCommand('FCPublish', null, ['again']));
    const started = await encoder.publish('again');
    expect(JSON.stringify(started.args.map(amfToJson))).toContain('NetStream.Publish.Start');
    await encoder.waitForCommand('onFCPublish', { from: known });
    const source = new StampedSource('live/again', { session });
    const frames = [...source.headers(), ...Array.from({ length: 25 }, () => source.nextPicture()).flat()];
    for (const { type, timestampMs, payload } of frames) encoder.sendFrame(type, timestampMs, payload);
    const isWhole = () => player.checker.sessions.at(-1) === session && player.checker.nextSequence === source.sequence;
    await player.waitFor(`all of session ${session}`, isWhole);

    await encoder.waitForAnswer(encoder.sendCommand('FCUnpublish', null, ['again']));
    await encoder.waitForCommand('onFCUnpublish', { from: known });
    await encoder.waitForMessage((message) => {
      return message.type === messageTypes.amf0Command && message.payload.includes('NetStream.Unpublish.Success');
    });
  }
  expect(player.checker.complaint).toBe('');
  expect(player.checker.sessions).toEqual([1, 2, 3]);
  expect(encoder.isOpen).toBe(true);
  // Free for another connection, though this one stays.
  using other = await LivePublisher.start(server, 'live/again', { session: 4 });
  await player.waitForSession(4);
  expect(other.isOpen).toBe(true);
  player.close();
});

it('a publisher that says goodbye with deleteStream or just closes ends its stream in either way', async () => {
  const player = await LivePlayer.start(server, 'live/ends');
  for (const [session, end] of [
    [1, 'leave'],
    [2, 'close'],
    [3, 'leave'],
  ] as const) {
    const publisher = await LivePublisher.start(server, 'live/ends', { session });
    await player.waitForSession(session);
    publisher[end]();
    await server.waitForLog(new RegExp(`\\[${publisher.peer.id}\\] cleanup when unpublish`));
  }
  expect(player.checker.complaint).toBe('');
  player.close();
});

it('metadata that comes in other shapes than usual does not end a publish', async () => {
  using encoder = await RawRtmp.connect(server.place.rtmpPort);
  await encoder.connectApp('live');
  await encoder.publish('shapes');
  encoder.sendCommand('onMetaData', AmfObject.object({ width: 1 }));
  await encoder.waitForAnswer(encoder.sendCommand('_checkbw'));
  expect(encoder.isOpen).toBe(true);
});
