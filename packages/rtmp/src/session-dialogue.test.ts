import { AmfObject, encodeAmf0 } from '@srs/amf';
import { describe, expect, it } from 'vitest';
import { fuzz } from '../../../test/support/fuzz.ts';
import { encodeMessage } from './chunk-writer.ts';
import { encodeCommand } from './command-message.ts';
import { encodeUserControl } from './control-message.ts';
import { messageTypes } from './message-types.ts';
import { ffmpegPlay, ffmpegPublish, gstreamerPublish, librtmpPublish, rtmpdumpPlay } from './session-test-dialogues.ts';
import {
  type Answers,
  clientHandshakeBytes,
  command,
  message,
  pair,
  plainConnect,
  type RecordedServer,
  recordedClient,
  recordedServer,
  serverInfo,
  setChunkSize,
} from './session-test-support.ts';

/** A Flash publisher that uses all that the protocol has, built by hand. */
const everything = Buffer.concat([
  setChunkSize,
  plainConnect,
  message(messageTypes.windowAckSize, Buffer.from('00000200', 'hex')),
  message(messageTypes.userControl, encodeUserControl(6, 5)),
  message(messageTypes.amf3Command, Buffer.concat([Buffer.of(0), encodeAmf0('createStream', 2, null)])),
  command('play', 0, null, 'show', -2, -1, true),
  command('pause', 0, null, true, 0),
  command('closeStream', 0, null),
  command('publish', 0, null, 'show', 'live'),
  message(messageTypes.amf0Data, encodeAmf0('@setDataFrame', 'onMetaData', AmfObject.ecmaArray({ width: 1 }))),
  message(messageTypes.amf3Data, Buffer.concat([Buffer.of(0), encodeAmf0('onCuePoint')]), 1),
  message(messageTypes.aggregate, Buffer.from('08000002000064000000002f010000000d0900000100007800000000170000000c', 'hex'), 300),
  message(messageTypes.video, Buffer.from('1701000000', 'hex'), 0x01000000),
  command('deleteStream', 5, null, 1),
]);

/** Events without warnings, and of media only the size and the first bytes, so that a table can be read. */
function shortEvents(server: RecordedServer): string[] {
  return server.events
    .filter((event) => !event.startsWith('warning'))
    .map((event) =>
      event.replace(
        /^(media \S+) (.*)$/,
        (_event, head: string, body: string) => `${head} ${body.length / 2} ${body.slice(0, 8)}`,
      ),
    );
}

/** Names and transaction ids of the commands in what a server has sent. */
function commandsOf(server: RecordedServer): string[] {
  return server.news().flatMap((line) => /^[35]\/[01] ((?!data)\S+ \d+)/.exec(line)?.[1] ?? []);
}

function run(bytes: Buffer, answers?: Answers): RecordedServer {
  const server = recordedServer(answers === undefined ? {} : { answers });
  server.receive(clientHandshakeBytes, bytes);
  return server;
}

const dialogues: readonly [string, Buffer, readonly string[], readonly string[]][] = [
  [
    'FFmpeg publishing',
    ffmpegPublish,
    [
      'connect rtmp://127.0.0.1:19350/live live',
      'publish s live fmle',
      'media 18@0 209 02000d40',
      'media 8@0 41 82ffc8ba',
      'media 8@5 41 82b0afb1',
      'media 8@10 17 82bccc67',
      'unpublish',
    ],
    [
      '_result 1',
      'onBWDone 0',
      '_result 2',
      '_result 3',
      '_result 4',
      '_result 5',
      'onFCPublish 3',
      'onStatus 0',
      'onFCUnpublish 0',
      '_result 7',
      'onStatus 0',
      '_result 8',
    ],
  ],
  [
    'GStreamer publishing, mostly without transaction ids, with a new message of fmt 3',
    gstreamerPublish,
    [
      'connect rtmp://127.0.0.1:19350/live live',
      'publish s live fmle',
      'media 18@0 209 02000d40',
      'media 8@0 41 829e8f89',
      'media 8@5 41 8286888c',
      'media 8@10 41 82a2441b',
      'unpublish',
    ],
    ['_result 1', 'onBWDone 0', '_result 2', 'onFCPublish 0', 'onStatus 0', 'onFCUnpublish 0', 'onStatus 0'],
  ],
  [
    'librtmp publishing',
    librtmpPublish,
    [
      'connect rtmp://127.0.0.1:19350/live live',
      'publish s live fmle',
      'media 18@0 209 02000d40',
      'media 8@0 41 829e8f89',
      'media 8@5 41 8286888c',
      'media 8@10 41 82a2441b',
      'unpublish',
    ],
    [
      '_result 1',
      'onBWDone 0',
      '_result 2',
      '_result 3',
      '_result 4',
      '_result 5',
      'onFCPublish 3',
      'onStatus 0',
      'onFCUnpublish 0',
      '_result 7',
      'onStatus 0',
      '_result 8',
    ],
  ],
  [
    'FFmpeg playing',
    ffmpegPlay,
    ['connect rtmp://127.0.0.1:19350/live live', 'play p -2000 -1 true', 'stop'],
    ['_result 1', 'onBWDone 0', '_result 2', '_result 3', '_result 4', 'onStatus 0', 'onStatus 0', '_result 6'],
  ],
  [
    'rtmpdump playing, with control messages that begin with fmt 1',
    rtmpdumpPlay,
    ['connect rtmp://127.0.0.1:19350/live live', 'play p -1000 1000 true', 'stop'],
    ['_result 1', 'onBWDone 0', '_result 2', '_result 3', '_result 4', 'onStatus 0', 'onStatus 0', '_result 6'],
  ],
  [
    'a client that uses everything',
    everything,
    [
      'connect rtmp://example.org/live live',
      'play show -2 -1 true',
      'pause true',
      'stop',
      'publish show live flash',
      'media 18@0 53 02000d40',
      'media 18@1 13 02000a6f',
      'media 8@300 2 2f01',
      'media 9@320 1 17',
      'media 9@16777216 5 17010000',
      'unpublish',
    ],
    ['_result 1', 'onBWDone 0', '_result 2', 'onStatus 0', 'onStatus 0', 'onStatus 0', 'onStatus 0', '_result 5'],
  ],
];

describe.each(dialogues)('%s', (_name, bytes, events, answers) => {
  it('gives its requests, media and end', () => {
    const server = run(bytes);
    expect(shortEvents(server)).toEqual(['handshake simple', ...events]);
    expect(commandsOf(server)).toEqual(answers);
    expect(server.session.phase).toBe('identify');
  });

  it('gives the same at every split point', () => {
    const whole = run(bytes);
    // Where acknowledgements fall depends on how the bytes come; what they interrupt must not.
    const words = (server: RecordedServer) => server.news().filter((line) => !line.startsWith('2/0 control 3 '));
    const wholeWords = words(whole);
    for (let at = 0; at <= bytes.length; at++) {
      const server = recordedServer();
      server.receive(clientHandshakeBytes, bytes.subarray(0, at), bytes.subarray(at));
      expect(server.events).toEqual(whole.events);
      expect(words(server)).toEqual(wholeWords);
    }
  });

  it('gives the same byte by byte, and with all answers late', () => {
    const whole = run(bytes);
    const single = recordedServer();
    for (let at = 0; at < bytes.length; at++)
      single.receive(at === 0 ? clientHandshakeBytes : Buffer.alloc(0), bytes.subarray(at, at + 1));
    expect(single.events).toEqual(whole.events);
    const late = run(bytes, {});
    answerAll(late);
    expect(late.events).toEqual(whole.events);
  });
});

/** Accepts whatever waits until nothing does. */
function answerAll(server: RecordedServer): void {
  while (server.session.isWaiting) {
    if (server.session.phase === 'connect-pending') server.session.acceptConnect(serverInfo);
    else if (server.session.phase === 'publish-pending') server.session.acceptPublish();
    else server.session.acceptPlay();
  }
}

describe('a peer', () => {
  it('may send mutated dialogues, in two pieces, to servers that answer at once, late or with a refusal', () => {
    const samples = dialogues.map(([, bytes]) => bytes);
    let media = 0;
    const result = fuzz({ samples, count: 40_000, timeBoxMs: 15_000, maxGrowthBytes: 8_000_000 }, (input, random) => {
      const answers = [{}, { connect: 'accept', publish: 'reject' }, undefined, undefined] as const;
      const isLate = random.below(4) === 0;
      const server = recordedServer({
        answers: isLate ? {} : (answers[random.below(4)] ?? { connect: 'accept', publish: 'accept', play: 'accept' }),
        limits: { maxHeldBytes: 2048 },
      });
      const at = random.below(input.length + 1);
      server.session.receive(clientHandshakeBytes);
      server.session.receive(input.subarray(0, at));
      if (isLate) answerAll(server);
      server.session.receive(input.subarray(at));
      if (isLate) answerAll(server);
      media += server.events.filter((event) => event.startsWith('media')).length;
    });
    expect(result.accepted).toBeGreaterThan(1000);
    expect(result.refused).toBeGreaterThan(1000);
    // The mutations must not all die before they have got anywhere.
    expect(media).toBeGreaterThan(5000);
  });

  it('may send 200,000 mutated messages, one after the other as long as the session bears them', () => {
    const body = (type: number, payload: Buffer) => Buffer.concat([Buffer.of(type), payload]);
    const commands = [
      encodeCommand('createStream', 2, null),
      encodeCommand('publish', 0, null, 'show', 'live'),
      encodeCommand('play', 0, null, 'show', -2, -1, true),
      encodeCommand('pause', 0, null, true, 0),
      encodeCommand('FCPublish', 3, null, 'show'),
      encodeCommand('FCUnpublish', 4, null, 'show'),
      encodeCommand('deleteStream', 5, null, 1),
      encodeCommand('_checkbw', 6, null),
    ];
    const media = Buffer.from('08000002000064000000002f010000000d090000010000780000000017', 'hex');
    const samples = [
      ...commands.map((payload) => body(messageTypes.amf0Command, payload)),
      body(messageTypes.amf3Command, Buffer.concat([Buffer.of(0), commands[1]!])),
      body(messageTypes.userControl, encodeUserControl(6, 5)),
      body(messageTypes.windowAckSize, Buffer.from('00000200', 'hex')),
      body(messageTypes.aggregate, media),
      body(messageTypes.amf3Data, Buffer.concat([Buffer.of(0), encodeAmf0('onCuePoint')])),
      body(messageTypes.audio, Buffer.of(0xaf, 1)),
    ];
    const seen = { identify: 0, publish: 0, play: 0, media: 0 };
    const connected = Buffer.concat([setChunkSize, plainConnect]);
    const starts = ['publish', 'play', 'x'].map((name) => Buffer.concat([connected, command(name, 0, null, 'show')]));
    let server = run(connected);
    let age = 0;
    const result = fuzz({ samples, count: 200_000, timeBoxMs: 15_000, maxGrowthBytes: 8_000_000 }, (input, random) => {
      // A new one now and then: a mutated Set Chunk Size or Abort leaves a session that waits for bytes for ever.
      if (server.session.phase === 'closed' || ++age % 64 === 0) server = run(starts[random.below(3)]!);
      server.session.receive(message(input[0] ?? 0, input.subarray(1), age));
      const phase = server.session.phase;
      if (phase === 'identify' || phase === 'publish' || phase === 'play') seen[phase] += 1;
      seen.media += server.events.filter((event) => event.startsWith('media')).length;
      server.events.length = 0;
      server.sent.length = 0;
    });
    expect(result.refused).toBeGreaterThan(5000);
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(5000);
  });
});

/** What a server says to a player, up to the first frames. */
function serverDialogue(): Buffer {
  const toClient: Buffer[] = [];
  const both = pair({ handshake: 'simple' }, { onSend: () => {} });
  both.client.session.start();
  both.pump();
  toClient.push(...both.server.sent);
  const stream = Buffer.concat(toClient).subarray(3073);
  return Buffer.concat([
    stream,
    encodeMessage(4, messageTypes.amf0Data, 0, 1, encodeAmf0('onMetaData', AmfObject.object({ width: 1 })), 60_000),
    encodeMessage(6, messageTypes.video, 0, 1, Buffer.from('1700000000', 'hex'), 60_000),
    encodeMessage(7, messageTypes.aggregate, 40, 1, Buffer.from('08000002000064000000002f010000000d', 'hex'), 60_000),
    encodeMessage(2, messageTypes.userControl, 0, 0, encodeUserControl(1, 1), 60_000),
  ]);
}

const serverHandshakeBytes = Buffer.concat([Buffer.of(3), Buffer.alloc(2 * 1536, 0x22)]);

function runClient(...pieces: readonly Buffer[]) {
  const client = recordedClient({ handshake: 'simple' });
  client.session.start();
  client.session.receive(serverHandshakeBytes);
  for (const piece of pieces) client.session.receive(piece);
  return client;
}

describe('a server playing to a client', () => {
  it('gives the same at every split point', () => {
    const bytes = serverDialogue();
    const whole = runClient(bytes);
    expect(whole.events).toContain('ready');
    expect(whole.events).toContain('media 8@40 2f01');
    for (let at = 0; at <= bytes.length; at++) {
      const client = runClient(bytes.subarray(0, at), bytes.subarray(at));
      expect(client.events).toEqual(whole.events);
      expect(Buffer.concat(client.sent)).toEqual(Buffer.concat(whole.sent));
    }
  });

  it('may send mutated dialogues', () => {
    const samples = [serverDialogue()];
    const result = fuzz({ samples, count: 30_000, timeBoxMs: 10_000, maxGrowthBytes: 8_000_000 }, (input) => {
      runClient(input);
    });
    expect(result.accepted).toBeGreaterThan(500);
    expect(result.refused).toBeGreaterThan(500);
  });
});
