import { AmfObject, amfToJson } from '@srs/amf';
import { MEDIA_STREAM_ID, messageTypes } from '@srs/rtmp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../support/deadline.ts';
import type { RawMessage } from '../support/raw-rtmp.ts';
import { RawRtmp } from '../support/raw-rtmp.ts';
import { ServerProcess } from '../support/server-process.ts';
import { LivePlayer, LivePublisher } from './live-client-test-support.ts';
import { allClients } from './server-view-test-support.ts';
import { SequenceChecker } from './stamped-media-test-support.ts';

let server: ServerProcess;

beforeAll(async () => {
  server = await ServerProcess.start();
});

afterAll(async () => {
  await server.stop();
});

const isVideo = (message: RawMessage) => message.type === messageTypes.video;

function checked(messages: readonly RawMessage[], stream: string): SequenceChecker {
  const checker = new SequenceChecker(stream);
  for (const { type, timestampMs, payload } of messages) {
    const isMetadata = type === messageTypes.amf0Data && payload.includes('onMetaData');
    if (type === messageTypes.audio || type === messageTypes.video || isMetadata) checker.accept(type, timestampMs, payload);
  }
  return checker;
}

it('a stream that nobody publishes is waited for, from its first key frame on', async () => {
  const players = await LivePlayer.crowd(server, 'live/later', 3);
  for (const player of players) expect(player.statusCodes).toContain('NetStream.Play.Start');
  await eventually(
    async () => (await allClients(server)).filter((client) => client.stream === 'later').length === 3,
    5_000,
    () => 'the players are not listed',
  );
  using publisher = await LivePublisher.start(server, 'live/later');
  await Promise.all(players.map((player) => player.waitForFrames(50)));
  for (const player of players) {
    expect(player.checker.complaint).toBe('');
    expect(player.checker.firstSequence).toBe(0);
    player.close();
  }
  expect(publisher.isOpen).toBe(true);
});

it('pause: nothing comes any more; unpause: what was missed follows, without a gap', async () => {
  using publisher = await LivePublisher.start(server, 'live/pause');
  const witness = await LivePlayer.start(server, 'live/pause');
  const player = await LivePlayer.start(server, 'live/pause');
  await player.waitForFrames(30);
  player.session.pause(true);
  await player.waitForStatus('NetStream.Pause.Notify');
  const frames = player.checker.frames;
  await witness.waitForFrames(75);
  expect(player.checker.frames).toBe(frames);
  player.session.pause(false);
  await player.waitForStatus('NetStream.Unpause.Notify');
  const isLevel = () => player.checker.nextSequence >= witness.checker.nextSequence - 3;
  await player.waitFor('all that was missed', isLevel);
  await player.waitForFrames(30);
  expect(player.checker.complaint).toBe('');
  expect(witness.checker.complaint).toBe('');
  expect(publisher.isOpen).toBe(true);
  for (const client of [player, witness]) client.close();
});

it('closeStream ends the play but not the connection; another play starts anew', async () => {
  using publisher = await LivePublisher.start(server, 'live/close');
  using client = await RawRtmp.connect(server.place.rtmpPort);
  await client.connectApp('live');
  await client.play('close');
  const first = await client.waitForMessage(isVideo);
  expect(first.payload[0]).toBe(0x17);
  client.sendCommand('closeStream', null, [], { messageStreamId: MEDIA_STREAM_ID });
  // An answer to a later call marks where the play has ended.
  await client.waitForAnswer(client.sendCommand('createStream'));
  const ended = client.messages.length;
  const listed = async () => (await allClients(server)).find((row) => row.stream === 'close' && row.type === 'play');
  expect(await listed()).toBeUndefined();
  const known = publisher.source.sequence;
  await eventually(
    () => publisher.source.sequence > known + 30,
    5_000,
    () => 'the publisher stands still',
  );
  expect(client.messages.slice(ended).filter(isVideo)).toEqual([]);

  await client.play('close');
  await client.waitForMessage((message) => isVideo(message) && message.payload[1] === 1, { from: ended });
  await client.waitForMessage((message) => isVideo(message) && message.payload[0] === 0x27, { from: ended });
  expect(checked(client.messages.slice(ended), 'live/close').complaint).toBe('');
  expect(client.isOpen).toBe(true);
});

it('a play with a duration ends after so much stream time, not before; others go on', async () => {
  using publisher = await LivePublisher.start(server, 'live/length');
  const other = await LivePlayer.start(server, 'live/length');
  const durationMs = 1_500;
  const player = await LivePlayer.start(server, 'live/length', { rtmp: { playDurationMs: durationMs } });
  await player.waitForClose();
  expect(player.checker.playedMs).toBeGreaterThanOrEqual(durationMs);
  expect(player.checker.playedMs).toBeLessThan(durationMs + 100);
  expect(player.checker.complaint).toBe('');
  await other.waitForFrames(30);
  expect(other.checker.complaint).toBe('');
  expect(publisher.isOpen).toBe(true);
  other.close();
});

it('a stream name that is no text is refused with a status, and the connection is closed', async () => {
  using client = await RawRtmp.connect(server.place.rtmpPort);
  await client.connectApp('live');
  const status = await client.play(false);
  expect(JSON.stringify(status.args.map(amfToJson))).toContain('NetStream.Play.StreamNotFound');
  await client.waitForClose();
});

it('one connection may publish, end it, and play', async () => {
  using client = await RawRtmp.connect(server.place.rtmpPort);
  await client.connectApp('live', { objectEncoding: 0, ignored: AmfObject.object({ a: 1 }) });
  await client.publish('own');
  using publisher = await LivePublisher.start(server, 'live/other-stream');
  client.sendCommand('closeStream', null, [], { messageStreamId: MEDIA_STREAM_ID });
  await client.play('other-stream');
  await client.waitForMessage(isVideo);
  expect(publisher.isOpen).toBe(true);
});
