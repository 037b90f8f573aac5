import { AmfObject, encodeAmf0 } from '@srs/amf';
import { describe, expect, it } from 'vitest';
import type { ClientSessionOptions } from './client-session-handler.ts';
import { identityArguments } from './command-connect.ts';
import { messageTypes } from './message-types.ts';
import {
  command,
  connectCommand,
  describeSent,
  message,
  type Pair,
  pair,
  recordedClient,
  serverInfo,
  setChunkSize,
  testCrypto,
} from './session-test-support.ts';

/** S0, S1 and S2, which the client does not verify. */
const serverHandshakeBytes = Buffer.concat([Buffer.of(3), Buffer.alloc(2 * 1536, 0x22)]);
const success = AmfObject.object({ level: 'status', code: 'NetConnection.Connect.Success' });
const status = (level: string, code: string, description = '') =>
  command('onStatus', 0, null, AmfObject.object({ level, code, description }));

/** A client whose server is played by the test, past the handshake. */
function scriptedClient(options: Partial<ClientSessionOptions> = {}) {
  const client = recordedClient({ handshake: 'simple', ...options });
  client.session.start();
  client.session.receive(serverHandshakeBytes);
  client.session.receive(setChunkSize);
  let told = 0;
  return {
    ...client,
    receive: (...pieces: readonly Buffer[]) => {
      for (const piece of pieces) client.session.receive(piece);
    },
    news: () => {
      const lines = describeSent(client.sent);
      const news = lines.slice(told);
      told = lines.length;
      return news;
    },
  };
}

function connectedClient(options: Partial<ClientSessionOptions> = {}) {
  const client = scriptedClient(options);
  client.receive(command('_result', 1, AmfObject.object({}), success));
  client.events.length = 0;
  return client;
}

function readyClient(options: Partial<ClientSessionOptions> = {}) {
  const client = connectedClient(options);
  const isFmle = options.role === 'publish' && options.publishStyle !== 'flash';
  client.receive(
    command('_result', isFmle ? 4 : 2, null, 1),
    status('status', options.role === 'publish' ? 'NetStream.Publish.Start' : 'NetStream.Play.Start'),
  );
  client.events.length = 0;
  client.news();
  return client;
}

describe('connect', () => {
  it('says what Flash Player says, then the window', () => {
    const client = scriptedClient({ pageUrl: 'http://p', swfUrl: 'http://s', args: AmfObject.object({ token: 'secret' }) });
    expect(client.news()).toEqual([
      '3/0 connect 1 {"app":"live","flashVer":"WIN 12,0,0,41","swfUrl":"http://s","tcUrl":"rtmp://example.org/live",' +
        '"fpad":false,"capabilities":239,"audioCodecs":3575,"videoCodecs":252,"videoFunction":1,"pageUrl":"http://p",' +
        '"objectEncoding":0} {"token":"secret"}',
      '2/0 control 5 002625a0',
    ]);
  });

  it('may say more, and who it is', () => {
    const client = scriptedClient({
      flashVer: 'FMLE/3.0',
      connectProperties: [['fourCcList', ['av01']]],
      args: identityArguments(serverInfo),
    });
    const [connect = ''] = client.news();
    expect(connect).toContain('"flashVer":"FMLE/3.0"');
    expect(connect).toContain('"objectEncoding":0,"fourCcList":["av01"]} {"srs_sig":"SRS"');
    expect(connect).toContain('"srs_authors":"Second","srs_pid":4711,"srs_id":105,"srs_server_ip":"192.0.2.1"}');
  });

  it.each([
    ['the transaction id of the request', command('_result', 1, AmfObject.object({ fmsVer: 'FMS/3' }), success)],
    ['transaction id 0, as nginx-rtmp', command('_result', 0, AmfObject.object({ fmsVer: 'FMS/3' }), success)],
    ['null properties, as Red5', command('_result', 1, null, success)],
    ['nothing but the name', command('_result', 1, null)],
  ])('is accepted by a result with %s', (_name, result) => {
    const client = scriptedClient();
    client.receive(result);
    expect(client.events[0]).toMatch(/^connected/);
    expect(client.session.phase).toBe('create-stream');
  });

  it.each([
    ['_error', command('_error', 1, null, AmfObject.object({ level: 'error', code: 'C', description: 'D' })), 'rejected C D'],
    ['a result of level error', command('_result', 1, null, AmfObject.object({ level: 'error', code: 'C' })), 'rejected C '],
    ['onStatus of level error', status('error', 'C', 'D'), 'rejected C D'],
    ['an _error without words', command('_error', 1, null), 'rejected  '],
  ])('is refused by %s', (_name, answer, event) => {
    const client = scriptedClient();
    client.receive(answer, command('_result', 1, null, success));
    expect(client.events).toEqual([event]);
    expect(client.session.phase).toBe('closed');
  });

  it('is left alone by results of other calls, and its end by commands nobody knows', () => {
    const client = scriptedClient();
    client.receive(command('_result', 9, null), command('_error', 9, null), command('onBWDone', 0, null), status('status', 'S'));
    expect(client.events).toEqual(['command onBWDone', 'status S']);
    expect(client.session.phase).toBe('connect');
  });

  it('alone is all that the role connect does', () => {
    const client = connectedClient({ role: 'connect' });
    client.news();
    expect(client.session.phase).toBe('connected');
    client.receive(status('error', 'X'), command('onSrsBandCheckStartPlayBytes', 0, null));
    expect(client.events).toEqual(['error X', 'command onSrsBandCheckStartPlayBytes']);
    client.session.sendCommand('onSrsBandCheckStartingPlayBytes', AmfObject.object({}));
    client.session.close();
    expect(client.news()).toEqual(['5/0 onSrsBandCheckStartingPlayBytes 0 null {}']);
  });
});

describe('play', () => {
  it('is createStream, play, the buffer length and the chunk size', () => {
    const client = connectedClient();
    client.receive(command('_result', 2, null, 3));
    expect(client.news().slice(2)).toEqual([
      '3/0 createStream 2 null',
      '5/3 play 0 null "show" -2 -1 true',
      '2/0 user control 3 3 1000',
      'chunk size 60000',
    ]);
  });

  it('takes its own numbers', () => {
    const client = connectedClient({ playStart: -1, playDurationMs: 5000, bufferLengthMs: 300, chunkSize: 128 });
    client.receive(command('_result', 0, null, 1));
    expect(client.news().slice(3)).toEqual(['5/1 play 0 null "show" -1 5000 true', '2/0 user control 3 1 300']);
  });

  it('is ready with Play.Start, and gives media then', () => {
    const client = connectedClient();
    const metadata = encodeAmf0('onMetaData', AmfObject.object({}));
    client.receive(
      message(messageTypes.audio, Buffer.of(1)),
      command('_result', 2, null, 1),
      status('status', 'NetStream.Play.Reset'),
      status('status', 'NetStream.Play.Start'),
      message(messageTypes.amf0Data, encodeAmf0('|RtmpSampleAccess', true, true)),
      message(messageTypes.amf0Data, encodeAmf0('onStatus', AmfObject.object({}))),
      message(messageTypes.amf0Data, metadata, 1),
      message(messageTypes.amf3Data, Buffer.concat([Buffer.of(0), metadata]), 2),
      message(messageTypes.audio, Buffer.of(2), 3),
      message(messageTypes.aggregate, Buffer.from('09000001000000000000002700000000', 'hex'), 4),
    );
    expect(client.events).toEqual([
      'status NetStream.Play.Reset',
      'ready',
      'status NetStream.Play.Start',
      `media 18@1 ${metadata.toString('hex')}`,
      `media 18@2 ${metadata.toString('hex')}`,
      'media 8@3 02',
      'media 9@4 27',
    ]);
  });

  it('is ready with the first media of a server that says nothing', () => {
    const client = connectedClient();
    client.receive(command('_result', 2, null, 1), message(messageTypes.video, Buffer.of(1)));
    expect(client.events).toEqual(['ready', 'media 9@0 01']);
  });

  it.each([
    ['onStatus', status('error', 'NetStream.Play.StreamNotFound', 'no')],
    ['_error', command('_error', 0, null, AmfObject.object({ code: 'NetStream.Play.StreamNotFound', description: 'no' }))],
  ])('is refused by %s', (_name, refusal) => {
    const client = connectedClient();
    client.receive(command('_result', 2, null, 1), refusal, message(messageTypes.video, Buffer.of(1)));
    expect(client.events).toEqual(['rejected NetStream.Play.StreamNotFound no']);
  });

  it('tells errors that come later as status, and the end of the stream', () => {
    const client = readyClient();
    client.receive(
      status('error', 'NetStream.Play.Failed'),
      message(messageTypes.userControl, Buffer.from('000100000001', 'hex')),
    );
    expect(client.events).toEqual(['error NetStream.Play.Failed', 'user control 1 1']);
    expect(client.session.phase).toBe('ready');
  });

  it('can be paused, and ends with deleteStream', () => {
    const client = readyClient();
    client.session.pause(true, 40);
    client.session.close();
    expect(client.news()).toEqual(['5/1 pause 0 null true 40', '3/0 deleteStream 0 null 1']);
    client.receive(message(messageTypes.video, Buffer.of(1)));
    expect(client.events).toEqual([]);
  });
});

describe('publish', () => {
  it('in the way of encoders announces the stream first', () => {
    const client = connectedClient({ role: 'publish' });
    client.receive(command('_result', 2, null), command('_error', 3, null), command('_result', 4, null, 1));
    expect(client.news().slice(2)).toEqual([
      '3/0 releaseStream 2 null "show"',
      '3/0 FCPublish 3 null "show"',
      '3/0 createStream 4 null',
      'chunk size 60000',
      '5/1 publish 0 null "show" "live"',
    ]);
  });

  it('in the way of Flash is createStream and publish', () => {
    const client = connectedClient({ role: 'publish', publishStyle: 'flash', publishType: 'record' });
    client.receive(command('_result', 2, null, 1));
    expect(client.news().slice(2)).toEqual(['3/0 createStream 2 null', 'chunk size 60000', '5/1 publish 0 null "show" "record"']);
  });

  it('sends frames on the chunk stream of their kind, once it is ready', () => {
    const client = connectedClient({ role: 'publish' });
    const send = () => client.session.sendFrame(8, 0, Buffer.of(1));
    expect(send).toThrow('no frame may be sent in phase create-stream of role publish');
    client.receive(command('_result', 4, null, 1));
    expect(send).toThrow('in phase start');
    client.receive(status('status', 'NetStream.Publish.Start'));
    client.news();
    client.session.sendFrame(8, 0, Buffer.of(1));
    client.session.sendFrame(9, 40, Buffer.of(2));
    client.session.sendFrame(18, 40, encodeAmf0('x'));
    expect(client.session.encodeFrame(9, 0x01000000, Buffer.of(3)).toString('hex')).toBe(
      '06ffffff000001090100000001000000' + '03',
    );
    expect(client.news()).toEqual(['7/1 media 8 01', '6/1 media 9 02', '4/1 data "x"']);
  });

  it('ends with FCUnpublish and deleteStream, or deleteStream alone', () => {
    const encoder = readyClient({ role: 'publish' });
    encoder.session.close();
    expect(encoder.news()).toEqual(['3/0 FCUnpublish 5 null "show"', '3/0 deleteStream 0 null 1']);
    expect(() => encoder.session.sendFrame(8, 0, Buffer.of(1))).toThrow('in phase closed');
    const flash = readyClient({ role: 'publish', publishStyle: 'flash' });
    flash.session.close();
    expect(flash.news()).toEqual(['3/0 deleteStream 0 null 1']);
  });

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['text', 'one'],
    ['0', 0],
    ['NaN', Number.NaN],
    ['1.5', 1.5],
  ])('needs a message stream, not %s', (_name, value) => {
    const client = connectedClient({ role: 'publish' });
    expect(() => client.receive(command('_result', 4, null, value))).toThrow(
      expect.objectContaining({ errorName: 'RtmpResponse', message: expect.stringMatching(/must be 1..4294967295$/) as string }),
    );
    expect(client.session.phase).toBe('closed');
  });
});

describe('a client and a server session', () => {
  const stories: readonly [string, Partial<ClientSessionOptions>, string][] = [
    ['complex handshake, encoder', { role: 'publish' }, 'publish show live fmle'],
    ['simple handshake, encoder', { role: 'publish', handshake: 'simple' }, 'publish show live fmle'],
    ['Flash publisher', { role: 'publish', publishStyle: 'flash' }, 'publish show live flash'],
    ['player', { role: 'play' }, 'play show -2 -1 true'],
  ];

  it.each(stories)('understand each other at every step size: %s', (_name, options, request) => {
    for (const stepBytes of [1, 7, 1000, Number.POSITIVE_INFINITY]) {
      const both = pair({ ...options, crypto: { ...testCrypto } });
      both.client.session.start();
      both.pump(stepBytes);
      expect(both.server.events.slice(1)).toEqual(['connect rtmp://example.org/live live', request]);
      expect(both.client.events[0]).toBe('connected FMS/3,5,3,888 105');
      expect(both.client.session.phase).toBe('ready');
      both.client.session.close();
      both.pump(stepBytes);
      expect(both.server.events.at(-1)).toBe(options.role === 'publish' ? 'unpublish' : 'stop');
    }
  });

  function refused(answers: NonNullable<Parameters<typeof pair>[1]>['answers'], options: Partial<ClientSessionOptions>): Pair {
    const both = pair(options, { answers: answers ?? {} });
    both.client.session.start();
    both.pump();
    return both;
  }

  it('agree on every refusal', () => {
    expect(refused({ connect: 'reject' }, {}).client.events).toEqual(['rejected NetConnection.Connect.Rejected no']);
    expect(refused({ connect: 'accept', publish: 'reject' }, { role: 'publish' }).client.events.at(-1)).toBe(
      'rejected NetStream.Publish.BadName no',
    );
    expect(refused({ connect: 'accept', play: 'reject' }, {}).client.events.at(-1)).toBe(
      'rejected NetStream.Play.StreamNotFound no',
    );
  });

  it('agree on where to go instead', () => {
    const both = refused({ connect: 'accept' }, {});
    both.server.session.redirect({ tcUrl: 'rtmp://b/live', url: 'rtmp://b/live/show' });
    both.pump();
    expect(both.client.events.at(-1)).toBe(
      'rejected NetConnection.Connect.Rejected RTMP 302 Redirect {"tcUrl":"rtmp://b/live","url":"rtmp://b/live/show"}',
    );
  });

  it('carry frames larger than a chunk, with times past 24 bits', () => {
    const both = pair({ role: 'publish', chunkSize: 128 });
    both.client.session.start();
    both.pump();
    const body = Buffer.from(Array.from({ length: 1000 }, (_, index) => index & 0xff));
    both.client.session.sendFrame(9, 0x01020304, body);
    both.pump(100);
    expect(both.server.events.at(-1)).toBe(`media 9@${0x01020304} ${body.toString('hex')}`);
  });

  it('pause and go on', () => {
    const both = pair();
    both.client.session.start();
    both.pump();
    both.client.events.length = 0;
    both.client.session.pause(true);
    both.pump();
    both.client.session.pause(false);
    both.pump();
    expect(both.server.events.slice(-2)).toEqual(['pause true', 'pause false']);
    expect(both.client.events).toEqual([
      'status NetStream.Pause.Notify',
      'user control 1 1',
      'status NetStream.Unpause.Notify',
      'user control 0 1',
    ]);
  });

  it('wait for an answer that comes late', () => {
    const both = refused({}, { role: 'publish' });
    expect(both.client.session.phase).toBe('connect');
    both.server.session.acceptConnect(serverInfo);
    both.pump();
    expect(both.client.session.phase).toBe('start');
    both.server.session.acceptPublish();
    both.pump();
    expect(both.client.session.phase).toBe('ready');
  });
});

it('a client session starts once', () => {
  const client = recordedClient();
  client.session.start();
  expect(() => client.session.start()).toThrow('starts once');
});

it('a client session that has met broken bytes is closed', () => {
  const client = scriptedClient();
  expect(() => client.receive(Buffer.of(0xff))).toThrow(expect.objectContaining({ errorName: 'RtmpChunkStart' }));
  expect(client.session.phase).toBe('closed');
  client.receive(connectCommand(AmfObject.object({})));
});
