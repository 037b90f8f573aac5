/** Media that no encoder should send, against the running server. */
import { AmfObject, encodeAmf0 } from '@srs/amf';
import { timestampDelta } from '@srs/kernel';
import { messageTypes } from '@srs/rtmp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/deadline.ts';
import type { RawMessage } from '../support/raw-rtmp.ts';
import { type Attacker, BesiegedServer } from './bad-input-test-support.ts';

const MIB = 1024 * 1024;
const { audio, video, amf0Data, amf3Data, aggregate } = messageTypes;

/** avcC of x264, High, 640x360; hvcC of x265, Main, 320x180; av1C of 640x360, Main. */
const avcC = Buffer.from('0164001effe1001a6764001eacd940a02ff97011000003000100000300320f162d9601000668ebe3cb22c0fdf8f800', 'hex');

let siege: BesiegedServer;
let streams = 0;

beforeAll(async () => {
  siege = await BesiegedServer.start();
});

afterAll(async () => {
  await siege.stop();
});

interface Pair {
  readonly publisher: Attacker;
  readonly player: Attacker;
}

/** A publisher of a new stream, in large chunks, and a player of it. */
async function publishAndPlay(): Promise<Pair> {
  const name = `media-${streams++}`;
  const publisher = await siege.publish(name);
  publisher.rtmp.setChunkSize(60_000);
  const player = await siege.connectToApp();
  await player.play(name);
  return { publisher, player };
}

const mediaOf = ({ rtmp }: Attacker): RawMessage[] => rtmp.messages.filter(({ type }) => type === audio || type === video);

/** A sound that says that a player has begun. */
const firstSound = Buffer.from('af01ffeeddcb', 'hex');
/** A sound that tells a player apart what came before it. */
const lastSound = Buffer.from('af01ffeeddcc', 'hex');

/** Publishes a last sound, and gives what the player got before it. */
async function mediaUpToLast({ publisher, player }: Pair, timestampMs: number, limitMs = 15_000): Promise<RawMessage[]> {
  publisher.rtmp.sendFrame(audio, timestampMs, lastSound);
  await player.rtmp.waitForMessage(({ payload }) => payload.equals(lastSound), { limitMs });
  return mediaOf(player).slice(0, -1);
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const avc = (configuration: Uint8Array): Buffer => Buffer.concat([hex('17 00 000000'), configuration]);
const enhanced = (fourCc: string, body: Uint8Array): Buffer => Buffer.concat([hex('90'), Buffer.from(fourCc), body]);

describe('a decoder configuration that cannot be read ends the publish', () => {
  it.each<[string, number, Buffer, RegExp]>([
    ['AVC without composition time', video, hex('17 00'), /ret=3006: .* ends within its head/],
    ['AVC without a configuration', video, avc(Buffer.alloc(0)), /ret=3006: avc configuration/],
    ['avcC of 5 bytes', video, avc(avcC.subarray(0, 5)), /ret=3006: avc configuration/],
    ['avcC whose SPS ends early', video, avc(avcC.subarray(0, 20)), /ret=3006: avc configuration/],
    ['avcC without PPS', video, avc(avcC.subarray(0, 34)), /ret=3006: avc configuration/],
    ['hvcC of 1 byte', video, enhanced('hvc1', Buffer.of(1)), /ret=3006: hevc configuration/],
    ['hvcC without its arrays', video, enhanced('hvc1', Buffer.alloc(22, 1)), /ret=3006: hevc configuration/],
    ['av1C of 2 bytes', video, enhanced('av01', hex('81 00')), /ret=3006: av1 configuration/],
    ['AAC configuration of 0 bytes', audio, hex('af 00'), /ret=3005: aac configuration/],
    ['AAC configuration of 1 byte', audio, hex('af 00 12'), /ret=3005: aac configuration/],
    ['AAC configuration of object type 0', audio, hex('af 00 00 00'), /ret=3005: aac configuration object type 0/],
  ])('%s', async (_name, type, payload, why) => {
    using attacker = await siege.publish('configuration');
    attacker.rtmp.sendFrame(type, 0, payload);
    await attacker.expectRefused(why);
  });

  it('avcC cut at each of its bytes', async () => {
    for (let length = 0; length < avcC.length - 4; length++) {
      using attacker = await siege.publish('cut');
      attacker.rtmp.sendFrame(video, 0, avc(avcC.subarray(0, length)));
      await attacker.expectRefused(/ret=3006: avc /);
    }
  });
});

describe('odd media is borne, and players get it as it is', () => {
  /** The player gets each payload, in order and unchanged. */
  async function expectRelayed(frames: readonly (readonly [type: number, payload: Buffer])[]): Promise<void> {
    const pair = await publishAndPlay();
    using _publisher = pair.publisher;
    using _player = pair.player;
    // Sounds first, until the player has one: it joins a stream of sound live, which is a moment after it was told that it plays.
    const isFirstSound = ({ payload }: RawMessage): boolean => payload.equals(firstSound);
    await eventually(
      () => {
        pair.publisher.rtmp.sendFrame(audio, 0, firstSound);
        return pair.player.rtmp.messages.some(isFirstSound);
      },
      10_000,
      () => 'the player has got no sound',
    );
    for (const [index, [type, payload]] of frames.entries()) pair.publisher.rtmp.sendFrame(type, index, payload);
    const received = await mediaUpToLast(pair, frames.length);
    expect(
      received.filter((message) => !isFirstSound(message)).map(({ type, payload }) => `${type} ${payload.toString('hex')}`),
    ).toEqual(frames.map(([type, payload]) => `${type} ${payload.toString('hex')}`));
    await pair.publisher.expectBorne();
    await pair.player.leave();
  }

  it('every tag of one byte', async () => {
    const frames = Array.from({ length: 256 }, (_, byte) => [
      [audio, Buffer.of(byte)] as const,
      [video, Buffer.of(byte)] as const,
    ]);
    await expectRelayed(frames.flat());
  });

  it('tags of two and three bytes that are no configurations', async () => {
    const frames = Array.from({ length: 256 }, (_, byte) => [
      [audio, Buffer.of(byte, 1)] as const,
      [audio, Buffer.of(byte, 0xff, byte)] as const,
      [video, Buffer.of(byte, 1)] as const,
      [video, Buffer.of(byte, 2, 0xff)] as const,
    ]);
    await expectRelayed(frames.flat());
  });

  it('codecs nobody knows', async () => {
    const names = ['fake', '\n\0\u001b[', '....', '    '];
    const frames = names.flatMap((fourCc) => [
      [video, enhanced(fourCc, hex('01 02 03'))] as const,
      [video, Buffer.concat([hex('91'), Buffer.from(fourCc), hex('00 00 00 05')])] as const,
      [audio, Buffer.concat([hex('90'), Buffer.from(fourCc), hex('01')])] as const,
    ]);
    await expectRelayed(frames);
  });

  it('31 SPS, and pictures whose NAL units run past the end', async () => {
    const sps = avcC.subarray(6, 34);
    const many = Buffer.concat([
      avcC.subarray(0, 5),
      Buffer.of(0xff),
      ...Array.from({ length: 31 }, () => sps),
      avcC.subarray(34),
    ]);
    await expectRelayed([
      [video, avc(many)],
      [video, hex('17 01 000000 ffffffff 65')],
      [video, hex('27 01 000000 00000000')],
      [video, hex('27 01 7fffff 00000001')],
    ]);
  });

  it('the same configuration a hundred times: one line in the log', async () => {
    const before = siege.server.log().length;
    await expectRelayed(Array.from({ length: 100 }, () => [video, avc(avcC)] as const));
    const lines = siege.server
      .log()
      .slice(before)
      .filter((line) => line.includes('video sh'));
    expect(lines).toHaveLength(1);
  });

  it('data that is no AMF', async () => {
    const pair = await publishAndPlay();
    using publisher = pair.publisher;
    using _player = pair.player;
    for (const payload of [hex('00'), hex('ff'), hex('00 00 00 00'), Buffer.alloc(5000, 0xaa), encodeAmf0(5, null)]) {
      publisher.rtmp.sendFrame(amf0Data, 0, payload);
      publisher.rtmp.sendFrame(amf3Data, 0, payload);
    }
    expect(await mediaUpToLast(pair, 0)).toEqual([]);
    await publisher.expectBorne();
  });

  it('metadata that is no object', async () => {
    using publisher = await siege.publish('metadata');
    for (const value of [null, undefined, false, Number.NaN, 'text', [], new Date(Number.NaN)]) {
      publisher.rtmp.sendFrame(amf0Data, 0, encodeAmf0('@setDataFrame', 'onMetaData', value));
      publisher.rtmp.sendFrame(amf0Data, 0, encodeAmf0('onMetaData', value));
    }
    const odd = { audiosamplerate: Number.NaN, framerate: -Infinity, width: 'x'.repeat(60_000), duration: AmfObject.object() };
    publisher.rtmp.sendFrame(amf0Data, 0, encodeAmf0('onMetaData', AmfObject.object(odd)));
    publisher.rtmp.setChunkSize(60_000);
    await publisher.expectBorne();
  });
});

describe('aggregates', () => {
  const part = (type: number, size: number, body: Buffer): Buffer => {
    const head = Buffer.alloc(11);
    head[0] = type;
    head.writeUIntBE(size, 1, 3);
    return Buffer.concat([head, body, Buffer.alloc(4)]);
  };
  const sound = hex('af 01 02');

  it.each<[string, Buffer, RegExp]>([
    ['a part past the end', part(audio, 1000, sound), /ret=2024: aggregate part of type 8 needs 1000 bytes, 7 are left/],
    ['a part of a size that would be negative', part(audio, 0xffffff, sound), /aggregate part of type 8 needs 16777215 bytes/],
    ['a head that ends early', part(audio, 3, sound).subarray(0, 9), /ret=2024: aggregate header needs 11 bytes, 9 are left/],
    ['an aggregate inside', part(aggregate, 3, sound), /ret=2024: aggregate inside an aggregate is not allowed/],
  ])('%s: the publish ends', async (_name, payload, why) => {
    using attacker = await siege.publish('aggregate');
    attacker.rtmp.sendFrame(aggregate, 0, payload);
    await attacker.expectRefused(why);
  });

  it('of 100,000 empty parts are borne', async () => {
    using attacker = await siege.publish('aggregate');
    attacker.rtmp.setChunkSize(60_000);
    const one = part(audio, 0, Buffer.alloc(0));
    attacker.rtmp.sendFrame(aggregate, 0, Buffer.alloc(100_000 * one.length, one));
    await attacker.expectBorne();
  });
});

describe('timestamps', () => {
  const frame = (index: number): Buffer =>
    Buffer.concat([index % 25 === 0 ? hex('17 01 000000') : hex('27 01 000000'), Buffer.of(index)]);
  const COUNT = 100;

  it.each<[string, (index: number) => number]>([
    ['backwards', (index) => 1_000_000 - index * 40],
    ['jumping by 2^31', (index) => (index % 2) * 0x7fffffff + index * 40],
    ['jumping by 2^31 once', (index) => (index < 50 ? 0 : 0x7fffffff) + index * 40],
    ['across 2^32', (index) => (0xffffffff - 2000 + index * 40) % 2 ** 32],
    ['all zero', () => 0],
    ['all 2^32-1', () => 0xffffffff],
    ['an hour apart', (index) => index * 3_600_000],
    ['at random', (index) => (index * 2_654_435_761) % 2 ** 32],
  ])('%s: the player gets every frame, and a time that goes on', async (_name, timestampOf) => {
    const pair = await publishAndPlay();
    using publisher = pair.publisher;
    using _player = pair.player;
    publisher.rtmp.sendFrame(video, timestampOf(0), avc(avcC));
    for (let index = 0; index < COUNT; index++) publisher.rtmp.sendFrame(video, timestampOf(index), frame(index));
    const received = await mediaUpToLast(pair, timestampOf(COUNT));
    const pictures = received.filter(({ type, payload }) => type === video && payload[1] === 1);
    expect(pictures.map(({ payload }) => payload[5])).toEqual(Array.from({ length: COUNT }, (_, index) => index));
    const steps = pictures.slice(1).map(({ timestampMs }, index) => timestampDelta(pictures[index]!.timestampMs, timestampMs));
    expect(Math.min(...steps)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...steps)).toBeLessThanOrEqual(500);
    await publisher.expectBorne();
  });
});

describe('volume', () => {
  /** Sends as fast as the server takes it, and never holds more than one piece. */
  async function pour(
    { rtmp }: Attacker,
    count: number,
    type: number,
    payloadOf: (index: number) => Buffer,
    first = 0,
  ): Promise<void> {
    for (let index = first; index < first + count && rtmp.isOpen; index++) {
      rtmp.sendFrame(type, Math.floor(index / 10), payloadOf(index));
      if (rtmp.socket.writableLength > MIB) await new Promise<void>((resolve) => void rtmp.socket.once('drain', () => resolve()));
    }
  }

  it('400 MB as fast as the server takes them: memory stays, and nobody is disturbed', async () => {
    const before = siege.holdings();
    using attacker = await siege.publish('torrent');
    attacker.rtmp.setChunkSize(60_000);
    const picture = Buffer.alloc(100_000, 7);
    const head = [hex('17 01 000000'), hex('27 01 000000')] as const;
    attacker.rtmp.sendFrame(video, 0, avc(avcC));
    await pour(attacker, 4000, video, (index) => {
      head[index % 50 === 0 ? 0 : 1].copy(picture);
      return picture;
    });
    await attacker.rtmp.waitForAnswer(attacker.rtmp.sendCommand('createStream'), 30_000);
    // A third of what was sent: input that has been copied into the ring waits for the garbage collector.
    expect(siege.holdings().memoryBytes - before.memoryBytes).toBeLessThan(128 * MIB);
    await attacker.expectBorne();
    await siege.expectPeace();
  });

  it('never a key frame: what is held is bounded by the ring', async () => {
    const before = siege.holdings();
    using attacker = await siege.publish('endless');
    attacker.rtmp.setChunkSize(60_000);
    attacker.rtmp.sendFrame(video, 0, avc(avcC));
    const picture = Buffer.alloc(50_000, 7);
    hex('27 01 000000').copy(picture);
    await pour(attacker, 3000, video, () => picture);
    await attacker.rtmp.waitForAnswer(attacker.rtmp.sendCommand('createStream'), 30_000);
    expect(siege.holdings().memoryBytes - before.memoryBytes).toBeLessThan(64 * MIB);
    using player = await siege.connectToApp();
    await player.rtmp.play('endless');
    attacker.rtmp.sendFrame(video, 4000, Buffer.concat([hex('17 01 000000'), hex('01 02')]));
    const first = await player.rtmp.waitForMessage(({ type, payload }) => type === video && payload[1] === 1);
    expect(first.payload[0]).toBe(0x17);
    await attacker.expectBorne();
  });

  it('frames of 10 MB', async () => {
    const before = siege.holdings();
    using attacker = await siege.publish('huge');
    attacker.rtmp.setChunkSize(60_000);
    const picture = Buffer.alloc(10 * MIB, 7);
    hex('17 01 000000').copy(picture);
    await pour(attacker, 30, video, () => picture);
    await attacker.expectBorne([
      /a frame of 10485760 bytes does not fit into a ring of \d+ bytes/,
      /no bigger ring than 67108864 bytes \(ring max_size\)/,
    ]);
    expect(siege.holdings().memoryBytes - before.memoryBytes).toBeLessThan(150 * MIB);
  });

  it('10,000 frames at a time reach the player, each one', async () => {
    const AT_A_TIME = 10_000;
    const COUNT = 3 * AT_A_TIME;
    const pair = await publishAndPlay();
    using publisher = pair.publisher;
    using player = pair.player;
    publisher.rtmp.sendFrame(video, 0, avc(avcC));
    const numbered = (index: number): Buffer => {
      const payload = Buffer.alloc(9);
      payload[0] = index % 1000 === 0 ? 0x17 : 0x27;
      payload[1] = 1;
      payload.writeUInt32BE(index, 5);
      return payload;
    };
    for (let first = 0; first < COUNT; first += AT_A_TIME) {
      await pour(publisher, AT_A_TIME, video, numbered, first);
      // The ring holds this many, however late the player's worker is.
      const last = numbered(first + AT_A_TIME - 1);
      await player.rtmp.waitForMessage(({ payload }) => payload.equals(last), { limitMs: 30_000 });
    }
    const received = await mediaUpToLast(pair, COUNT / 10, 30_000);
    const numbers = received
      .filter(({ type, payload }) => type === video && payload[1] === 1)
      .map(({ payload }) => payload.readUInt32BE(5));
    expect(numbers).toHaveLength(COUNT);
    expect(numbers.every((number, index) => number === index)).toBe(true);
    await publisher.expectBorne();
  });
});

it('nobody else has noticed', async () => {
  await siege.expectPeace();
});
