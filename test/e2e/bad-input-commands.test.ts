/** Broken AMF, commands with the wrong values, and names that lead astray, against the running server. */
import { AmfObject, type AmfValue, encodeAmf0 } from '@srs/amf';
import { type Command, encodeCommand, MEDIA_STREAM_ID, messageTypes } from '@srs/rtmp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BesiegedServer, uint32 } from './bad-input-test-support.ts';

const STRING = 2;
const OBJECT = 3;
const REFERENCE = 7;
const ECMA_ARRAY = 8;
const STRICT_ARRAY = 10;
const LONG_STRING = 12;
const AMF3 = 17;
/** One level of nesting: an object in the property `a` of an object, an array of one array. */
const objectLevel = Buffer.of(OBJECT, 0, 1, 0x61);
const arrayLevel = Buffer.of(STRICT_ARRAY, 0, 0, 0, 1);
const amf3ArrayLevel = Buffer.of(9, 3, 1);
const DEEP = 100_000;

let siege: BesiegedServer;

beforeAll(async () => {
  siege = await BesiegedServer.start();
});

afterAll(async () => {
  await siege.stop();
});

const bytes = (...parts: readonly (number | string | Uint8Array)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'number' ? Buffer.of(part) : Buffer.from(part))));

const repeated = (part: Buffer, count: number): Buffer => Buffer.alloc(part.length * count, part);

const brokenValues: readonly [string, Buffer, RegExp][] = [
  ['a marker and nothing behind it', bytes(STRING), /amf string length needs 2 bytes at \d+, 0 are left/],
  ['a string past the end', bytes(STRING, 0, 200, 'short'), /amf string needs 200 bytes at \d+, 5 are left/],
  ['a string of 65,535 bytes that are not there', bytes(STRING, 0xff, 0xff), /amf string needs 65535 bytes/],
  ['a long string of 4 GB', bytes(LONG_STRING, uint32(0xffffffff), 'short'), /amf long string needs 4294967295 bytes/],
  ['an array of 2^32-1 values', bytes(STRICT_ARRAY, uint32(0xffffffff)), /array count 4294967295 must be at most the 0 bytes/],
  ['objects 100,000 deep', repeated(objectLevel, DEEP), /amf nesting exceeds the limit \d+/],
  ['arrays 100,000 deep', repeated(arrayLevel, DEEP), /amf nesting exceeds the limit \d+/],
  ['AMF3 arrays 100,000 deep', bytes(AMF3, repeated(amf3ArrayLevel, DEEP)), /amf nesting exceeds the limit \d+/],
  ['an object inside itself', bytes(OBJECT, 0, 1, 'a', REFERENCE, 0, 0, 0, 0, 9), /amf reference 0 makes a cycle/],
  ['a reference to nothing', bytes(REFERENCE, 0xff, 0xff), /amf reference 65535 must be below 0/],
  ['a marker nobody has defined', bytes(0x55), /ret=2004: amf0 marker 85 at \d+ has no value/],
  ['the end of an object that has not begun', bytes(9), /amf0 object end at \d+ is outside an object/],
  ['a key past the end', bytes(OBJECT, 0xff, 0xff, 'a'), /amf key needs 65535 bytes/],
];

/** What `__proto__` must not become, in whatever object it is put. */
const prototypeKeys: [string, AmfValue][] = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'].map((key) => [
  key,
  AmfObject.object({ polluted: true }),
]);

const oddValues: readonly [string, Buffer][] = [
  ['an object without end', bytes(OBJECT, 0, 1, 'a', 5)],
  ['an associative array that counts 2^32-1 and is empty', bytes(ECMA_ARRAY, uint32(0xffffffff), 0, 0, 9)],
  ['the keys of a prototype', encodeAmf0(AmfObject.object(prototypeKeys))],
  ['numbers that are none', encodeAmf0(AmfObject.object({ a: Number.NaN, b: Infinity, c: -Infinity, d: -0, e: 5e-324 }))],
  ['text that is not UTF-8', bytes(OBJECT, 0, 1, 'a', STRING, 0, 4, Buffer.of(0xff, 0xc0, 0x80, 0xfe), 0, 0, 9)],
  ['NUL in key and text', bytes(OBJECT, 0, 2, 'a\0', STRING, 0, 2, '\0b', 0, 0, 9)],
  ['undefined', Buffer.of(6)],
];

describe('broken AMF ends the connection', () => {
  it.each(brokenValues)('in a command: %s', async (_name, value, why) => {
    using attacker = await siege.connectToApp();
    attacker.rtmp.setChunkSize(60_000);
    attacker.rtmp.sendMessage(messageTypes.amf0Command, bytes(encodeAmf0('call', 7), value));
    await attacker.expectRefused(why);
  });

  it.each(brokenValues)('in the connect command: %s', async (_name, value, why) => {
    using attacker = await siege.connectWithHandshake();
    attacker.rtmp.setChunkSize(60_000);
    attacker.rtmp.sendMessage(messageTypes.amf0Command, bytes(encodeAmf0('connect', 1), value));
    await attacker.expectRefused(why);
  });

  it.each(brokenValues)('in metadata: %s', async (_name, value, why) => {
    using attacker = await siege.publish('broken');
    attacker.rtmp.setChunkSize(60_000);
    attacker.rtmp.sendFrame(messageTypes.amf0Data, 0, bytes(encodeAmf0('@setDataFrame', 'onMetaData'), value));
    await attacker.expectRefused(why);
  });

  it.each<[string, number, Buffer, RegExp]>([
    ['a command without a name', messageTypes.amf0Command, Buffer.of(5), /ret=2007: command name must be a string, not null/],
    ['a command whose name is a number', messageTypes.amf0Command, encodeAmf0(1, 1), /command name must be a string, not number/],
    ['an AMF3 command of one byte', messageTypes.amf3Command, Buffer.of(0), /command name must be a string, not undefined/],
    ['a command of 2 MB', messageTypes.amf0Command, Buffer.alloc(2_000_000), /message length 2000000 must be at most 1048576/],
  ])('%s', async (_name, type, payload, why) => {
    using attacker = await siege.connectToApp();
    attacker.rtmp.setChunkSize(60_000);
    attacker.rtmp.sendMessage(type, payload);
    await attacker.expectRefused(why);
  });
});

describe('odd AMF is borne', () => {
  it.each(oddValues)('in a command: %s', async (_name, value) => {
    using attacker = await siege.connectToApp();
    attacker.rtmp.sendMessage(messageTypes.amf0Command, bytes(encodeAmf0('call', 7), value));
    await attacker.rtmp.waitForAnswer(7);
    await attacker.expectBorne();
  });

  it.each(oddValues)('in metadata, which players get: %s', async (_name, value) => {
    using attacker = await siege.publish('odd');
    using player = await siege.connectToApp();
    await player.play('odd');
    attacker.rtmp.sendFrame(messageTypes.amf0Data, 0, bytes(encodeAmf0('@setDataFrame', 'onMetaData'), value));
    attacker.rtmp.sendFrame(messageTypes.audio, 0, Buffer.from('af01', 'hex'));
    await player.rtmp.waitForMessage(({ type }) => type === messageTypes.audio);
    const names = player.rtmp.messages
      .filter(({ type }) => type === messageTypes.amf0Data)
      .map(({ payload }) => payload.toString('latin1'));
    expect(names.some((name) => name.includes('onMetaData'))).toBe(true);
    await attacker.expectBorne();
    await player.leave();
  });

  it('a connect command with the keys of a prototype', async () => {
    using attacker = await siege.connect();
    const entries: [string, AmfValue][] = [...prototypeKeys, ['tcUrl', 'rtmp://127.0.0.1/live']];
    await attacker.rtmp.handshake();
    const id = attacker.rtmp.sendCommand('connect', AmfObject.object(entries), [AmfObject.object(prototypeKeys)]);
    expect((await attacker.rtmp.waitForAnswer(id)).name).toBe('_result');
    await attacker.expectBorne();
  });

  it('transaction ids that are no counting numbers', async () => {
    using attacker = await siege.connectToApp();
    for (const id of [Number.NaN, Infinity, -Infinity, -1, 0.5, 2 ** 53]) {
      attacker.rtmp.sendMessage(messageTypes.amf0Command, encodeCommand('createStream', id, null));
    }
    await attacker.expectBorne();
  });

  it('play with times that are none', async () => {
    using attacker = await siege.connectToApp();
    for (const time of [Number.NaN, Infinity, -Infinity, 1e308, 'text', null, AmfObject.object()]) {
      expect(codeOf(await attacker.rtmp.play('odd-times', [time, time, time]))).toBe('NetStream.Play.Reset');
    }
    await attacker.expectBorne();
  });
});

const codeOf = (command: Command): unknown =>
  command.args.map((arg) => (arg instanceof AmfObject ? arg.get('code') : undefined)).find((code) => code !== undefined);

const notTexts: readonly [string, AmfValue][] = [
  ['boolean', true],
  ['null', null],
  ['undefined', undefined],
  ['number', 5],
  ['object', AmfObject.object({ name: 'x' })],
];

describe('what should be a text and is not', () => {
  it.each(notTexts)('%s as tcUrl: connect is refused', async (type, tcUrl) => {
    using attacker = await siege.connectWithHandshake();
    const answer = await attacker.rtmp.waitForAnswer(
      attacker.rtmp.sendCommand('connect', AmfObject.object({ app: 'live', tcUrl })),
    );
    expect([answer.name, codeOf(answer)]).toEqual(['_error', 'NetConnection.Connect.Rejected']);
    await attacker.expectRefused(new RegExp(`ret=2005: connect tcUrl must be a text, not ${type}`));
  });

  it.each(notTexts)('%s as app and all other properties: the tcUrl says it all', async (_type, value) => {
    using attacker = await siege.connect();
    const answer = await attacker.rtmp.connectApp('live', { app: value, flashVer: value, pageUrl: value, swfUrl: value });
    expect(answer.name).toBe('_result');
    await attacker.expectBorne();
  });

  it.each(notTexts.filter(([type]) => type !== 'undefined'))('%s as properties of connect', async (type, value) => {
    using attacker = await siege.connectWithHandshake();
    attacker.rtmp.sendCommand('connect', value);
    if (type === 'object') await attacker.expectRefused(/ret=2005: connect tcUrl must be a text, not undefined/);
    else await attacker.expectRefused(new RegExp(`ret=2005: connect object must be an object, not ${type}`));
  });

  it.each(notTexts)('%s as name of a stream to publish', async (type, name) => {
    using attacker = await siege.connectToApp();
    expect(codeOf(await attacker.rtmp.publish(name))).toBe('NetStream.Publish.BadName');
    await attacker.expectRefused(new RegExp(`ret=2041: stream name must be a text, not ${type}`));
  });

  it.each(notTexts)('%s as name of a stream to play', async (type, name) => {
    using attacker = await siege.connectToApp();
    expect(codeOf(await attacker.rtmp.play(name))).toBe('NetStream.Play.StreamNotFound');
    await attacker.expectRefused(new RegExp(`ret=2041: stream name must be a text, not ${type}`));
  });
});

const badNames: readonly [string, string, RegExp][] = [
  ['..', '..', /begins with a dot/],
  ['a way up', 'a/../b', /begins with a dot/],
  ['percent dots', '%2e%2e', /begins with a dot/],
  ['a percent way up', 'a%2f..%2fb', /begins with a dot/],
  ['full-width dots', '\uff0e\uff0e', /begins with a dot/],
  ['a hidden file', '.htaccess', /begins with a dot/],
  ['NUL', 'a\0b', /control or invisible/],
  ['percent NUL', 'a%00b', /control or invisible/],
  ['a newline', 'a\nb', /control or invisible/],
  ['percent newline', 'a%0d%0ab', /control or invisible/],
  ['an escape sequence', 'a\u001b[2Jb', /control or invisible/],
  ['text that runs backwards', 'a\u202eb', /control or invisible/],
  ['a backslash', 'a\\b', /backslash/],
  ['a percent backslash', 'a%5cb', /backslash/],
  ['a leading dash', '-i', /begins with a dash/],
  ['a dash behind a slash', 'a/-rf', /begins with a dash/],
  ['4 KB', 'x'.repeat(4096), /4096 bytes, must have at most/],
  ['only slashes', '///', /is empty/],
];

describe('a name that could leave its place is refused with a reason', () => {
  it.each(badNames)('app: %s', async (_name, app, why) => {
    using attacker = await siege.connect();
    const answer = await attacker.rtmp.connectApp(app);
    expect([answer.name, codeOf(answer)]).toEqual(['_error', 'NetConnection.Connect.Rejected']);
    await attacker.expectRefused(why);
  });

  it.each(badNames)('stream to publish: %s', async (_name, stream, why) => {
    using attacker = await siege.connectToApp();
    expect(codeOf(await attacker.rtmp.publish(stream))).toBe('NetStream.Publish.BadName');
    await attacker.expectRefused(why);
  });

  it.each(badNames)('stream to play: %s', async (_name, stream, why) => {
    using attacker = await siege.connectToApp();
    expect(codeOf(await attacker.rtmp.play(stream))).toBe('NetStream.Play.StreamNotFound');
    await attacker.expectRefused(why);
  });

  it('a name of 64 KB', async () => {
    using attacker = await siege.connectToApp();
    attacker.rtmp.setChunkSize(60_000);
    expect(codeOf(await attacker.rtmp.publish('y'.repeat(70_000)))).toBe('NetStream.Publish.BadName');
    await attacker.expectRefused(/ret=2041: stream name has 70000 bytes, must have at most 8192/);
  });

  // Any other word is a vhost that nobody has configured: the default one serves it, under its own name.
  const badVhosts: readonly [string, string][] = [
    ['NUL', 'a\0b'],
    ['a newline', 'a\n\u0085b'],
    ['an escape sequence', 'a\u001b[2Jb'],
    ['text that runs backwards', 'a\u202eb'],
    ['4 KB', 'x'.repeat(4096)],
    ['only slashes', '///'],
  ];
  const strangeVhosts = [
    '..',
    'a/../b',
    '%2e%2e',
    '%00',
    'a\\b',
    '-i',
    '.htaccess',
    '__proto__',
    '__defaultVhost__',
    '*',
    '[::1]',
  ];

  it.each(badVhosts)('?vhost= of connect: %s', async (_name, vhost) => {
    using attacker = await siege.connect();
    const answer = await attacker.rtmp.connectApp(`live?vhost=${vhost}`);
    expect([answer.name, codeOf(answer)]).toEqual(['_error', 'NetConnection.Connect.Rejected']);
    await attacker.expectRefused(/ret=2006: tcUrl .* (?:parameters|must name a vhost)/);
  });

  it.each(badVhosts)('?vhost= of a stream: %s', async (_name, vhost) => {
    using attacker = await siege.connectToApp();
    expect(codeOf(await attacker.rtmp.publish(`name?vhost=${vhost}`))).toBe('NetStream.Publish.BadName');
    await attacker.expectRefused(/ret=2041: .*(?:parameters|vhost in stream name)/);
  });

  it.each(strangeVhosts)('?vhost=%s is served by the default vhost', async (vhost) => {
    using inConnect = await siege.connect();
    await inConnect.rtmp.connectApp(`live?vhost=${vhost}`);
    await inConnect.rtmp.play('name');
    using inStream = await siege.connectToApp();
    await inStream.rtmp.play(`name?vhost=${vhost}`);
    for (const attacker of [inConnect, inStream]) {
      await siege.server.waitForLog(new RegExp(`\\[${attacker.cid}\\] source url=__defaultVhost__/live/name,`));
      await attacker.expectBorne();
    }
  });

  it('a line that a name would forge in the log stays one line', async () => {
    const forged = '[2026-01-01 00:00:00.000][error][1][1][0] forged';
    using attacker = await siege.connect();
    const answer = await attacker.rtmp.connectApp('live', { pageUrl: `http://x/\n${forged}\r\n\u2028${forged}` });
    expect(answer.name).toBe('_result');
    attacker.rtmp.sendCommand(`x\n${forged}`);
    await attacker.expectBorne();
    expect(siege.server.log().filter((line) => line.startsWith('[2026-01-01 00:00:00.000]'))).toEqual([]);
  });
});

it('a text of a megabyte in connect is refused at once, and one of 8 KB costs no time', async () => {
  using huge = await siege.connectWithHandshake();
  huge.rtmp.setChunkSize(60_000);
  const properties = { tcUrl: 'rtmp://127.0.0.1/live', pageUrl: 'a.'.repeat(500_000) };
  huge.rtmp.sendCommand('connect', AmfObject.object(properties));
  await huge.expectRefused(/ret=2005: connect pageUrl of 1000000 bytes must have at most 8192/);
  using long = await siege.connect();
  await long.rtmp.connectApp('live', { pageUrl: 'a.'.repeat(4096), swfUrl: 'a-'.repeat(4096), flashVer: 'a://'.repeat(2048) });
  await long.expectBorne();
});

it('200 large connect objects are not kept', async () => {
  const large = AmfObject.object(Array.from({ length: 15_000 }, (_, index) => [`key-${index}`, 'value'] as const));
  const before = siege.holdings();
  const attackers = [];
  for (let index = 0; index < 200; index++) {
    const attacker = await siege.connect();
    await attacker.rtmp.handshake();
    attacker.rtmp.setChunkSize(60_000);
    const properties = AmfObject.object({ tcUrl: 'rtmp://127.0.0.1/live', large });
    await attacker.rtmp.waitForAnswer(attacker.rtmp.sendCommand('connect', properties, [large]));
    attackers.push(attacker);
  }
  expect(siege.holdings().memoryBytes - before.memoryBytes).toBeLessThan(100 * 1024 * 1024);
  for (const attacker of attackers) await attacker.leave();
  expect(siege.holdings().descriptors).toBe(before.descriptors);
});

it('commands in an order that makes no sense are borne', async () => {
  using attacker = await siege.connectToApp();
  const { rtmp } = attacker;
  const stream = { messageStreamId: MEDIA_STREAM_ID };
  for (const name of [
    'FCUnpublish',
    'deleteStream',
    'closeStream',
    'pause',
    'seek',
    'receiveAudio',
    '_result',
    '_error',
    'onStatus',
    '',
  ]) {
    rtmp.sendCommand(name, null, [], stream);
    rtmp.sendCommand(name, null, [AmfObject.object(), Number.NaN, null, 'x'], stream);
  }
  rtmp.sendCommand('play', null, ['anything'], stream);
  rtmp.sendCommand('pause', null, ['x', 'y'], stream);
  rtmp.sendCommand('pause', null, [], stream);
  rtmp.sendCommand('publish', null, ['nonsense', AmfObject.object()], stream);
  rtmp.sendCommand('play', null, ['anything'], stream);
  rtmp.sendCommand('publish', null, ['nonsense'], stream);
  rtmp.sendCommand('closeStream', null, [], stream);
  rtmp.sendCommand('deleteStream', null, [Number.NaN]);
  await attacker.expectBorne();
});

it('a second connect is answered as any call', async () => {
  using attacker = await siege.connectToApp();
  const again = attacker.rtmp.sendCommand('connect', AmfObject.object({ tcUrl: 'rtmp://127.0.0.1/../..' }));
  await attacker.rtmp.waitForAnswer(again);
  await attacker.expectBorne();
});

it('nobody else has noticed', async () => {
  await siege.expectPeace();
});
