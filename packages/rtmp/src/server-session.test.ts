import { AmfObject, encodeAmf0 } from '@srs/amf';
import { describe, expect, it } from 'vitest';
import { encodeUserControl } from './control-message.ts';
import { messageTypes } from './message-types.ts';
import {
  type Answers,
  clientHandshakeBytes,
  command,
  connectCommand,
  connectedServer,
  message,
  plainConnect,
  recordedServer,
  serverInfo,
  setChunkSize,
} from './session-test-support.ts';

const audio = (hex: string, timestampMs = 0) => message(messageTypes.audio, Buffer.from(hex, 'hex'), timestampMs);
const publishShow = command('publish', 5, null, 'show', 'live');
const playShow = command('play', 0, null, 'show');
const started = (code: string, text: string) =>
  `5/1 onStatus 0 null {"level":"status","code":"${code}","description":"${text}","clientid":"ASAICiss"}`;
const publishStarted = started('NetStream.Publish.Start', 'Started publishing stream.');
const unpublished = started('NetStream.Unpublish.Success', 'Stream is now unpublished');
const fcPublishStarted = (transactionId: number) =>
  `5/1 onFCPublish ${transactionId} null {"code":"NetStream.Publish.Start","description":"Started publishing stream."}`;
const fcUnpublished = '5/1 onFCUnpublish 0 null {"code":"NetStream.Unpublish.Success","description":"Stop publishing stream."}';

describe('connect', () => {
  it('is answered with windows, chunk size, the result and onBWDone, in one buffer', () => {
    const server = recordedServer();
    server.receive(clientHandshakeBytes, plainConnect);
    expect(server.events).toEqual(['handshake simple', 'connect rtmp://example.org/live live']);
    expect(server.sent).toHaveLength(2);
    expect(server.news()).toEqual([
      '2/0 control 5 002625a0',
      '2/0 control 6 002625a002',
      'chunk size 60000',
      '3/0 _result 1 {"fmsVer":"FMS/3,5,3,888","capabilities":127,"mode":1} ' +
        '{"level":"status","code":"NetConnection.Connect.Success","description":"Connection succeeded","objectEncoding":0,' +
        '"data":{"version":"3,5,3,888","srs_sig":"SRS","srs_server":"SRS/2.0.0(Test)","srs_license":"MIT",' +
        '"srs_role":"origin/edge server","srs_url":"http://example.org","srs_version":"2.0.0",' +
        '"srs_site":"http://example.org/site","srs_email":"mail@example.org","srs_copyright":"Copyright",' +
        '"srs_primary":"First","srs_authors":"Second","srs_server_ip":"192.0.2.1","srs_pid":4711,"srs_id":105}}',
      '3/0 onBWDone 0 null',
    ]);
    expect(server.session.phase).toBe('identify');
  });

  it('is answered with the transaction id of the client, or 1 when it has none', () => {
    const connect = (transactionId: number) => command('connect', transactionId, AmfObject.object({ tcUrl: 'rtmp://h/a' }));
    for (const [sent, answered] of [
      [7, 7],
      [0, 1],
      [Number.NaN, 1],
    ] as const) {
      const server = recordedServer();
      server.receive(clientHandshakeBytes, connect(sent));
      expect(server.news()[3]).toMatch(`3/0 _result ${answered} `);
    }
  });

  it('leaves out onBWDone when told, and Set Chunk Size when the size is the one that holds', () => {
    const server = recordedServer({ answers: {} });
    server.receive(clientHandshakeBytes, plainConnect);
    server.session.setOutChunkSize(128);
    server.session.acceptConnect(serverInfo, { hasBandwidthDone: false });
    expect(server.news().map((line) => line.slice(0, 14))).toEqual(['2/0 control 5 ', '2/0 control 6 ', '3/0 _result 1 ']);
    expect(server.session.outChunkSize).toBe(128);
  });

  it('gives every fact of the client, and empty texts for what is no text', () => {
    const seen: unknown[] = [];
    const identity = AmfObject.object({ srs_pid: 99, srs_id: 3, srs_server_ip: '192.0.2.9', srs_version: '1.0.33' });
    const server = recordedServer({ handler: { onConnect: (request) => seen.push(request) } });
    server.receive(
      clientHandshakeBytes,
      setChunkSize,
      connectCommand(
        AmfObject.object({ app: true, tcUrl: 'rtmp://h/a?vhost=v', pageUrl: 'http://p', swfUrl: null, objectEncoding: 3 }),
        identity,
      ),
    );
    expect(seen).toMatchObject([
      {
        transactionId: 1,
        tcUrl: 'rtmp://h/a?vhost=v',
        app: '',
        pageUrl: 'http://p',
        swfUrl: '',
        flashVer: '',
        objectEncoding: 3,
        args: identity,
        peer: { pid: 99, id: 3, serverIp: '192.0.2.9', version: '1.0.33', server: '', primary: '', authors: '' },
        enhanced: undefined,
      },
    ]);
    expect(seen[0]).toHaveProperty('raw');
  });

  it('keeps no long text of a server', () => {
    const seen: unknown[] = [];
    const server = recordedServer({ handler: { onConnect: ({ peer }) => seen.push(peer) } });
    const connect = (length: number): Buffer =>
      connectCommand(
        AmfObject.object({ tcUrl: 'rtmp://h/a' }),
        AmfObject.object({ srs_pid: 9, srs_version: 'x'.repeat(length) }),
      );
    server.receive(clientHandshakeBytes, setChunkSize, connect(64));
    expect(seen).toMatchObject([{ version: 'x'.repeat(64) }]);
    const other = recordedServer({ handler: { onConnect: ({ peer }) => seen.push(peer) } });
    other.receive(clientHandshakeBytes, setChunkSize, connect(65));
    expect(seen[1]).toMatchObject({ pid: 9, version: '' });
  });

  it.each([
    ['no object', command('connect', 1, null), 'connect object must be an object, not null'],
    ['no tcUrl', connectCommand(AmfObject.object({ app: 'live' })), 'connect tcUrl must be a text, not undefined'],
    ['a tcUrl that is a Boolean', connectCommand(AmfObject.object({ tcUrl: true })), 'connect tcUrl must be a text, not boolean'],
    ['an empty tcUrl', connectCommand(AmfObject.object({ tcUrl: '' })), 'connect tcUrl must be a text, not empty'],
    [
      'a long pageUrl',
      Buffer.concat([setChunkSize, connectCommand(AmfObject.object({ tcUrl: 'rtmp://h/live', pageUrl: 'x'.repeat(8193) }))]),
      'connect pageUrl of 8193 bytes must have at most 8192',
    ],
  ])('with %s is refused with _error', (_name, connect, text) => {
    const server = recordedServer();
    server.receive(clientHandshakeBytes, connect);
    expect(server.events).toEqual(['handshake simple', text]);
    expect(server.news()).toEqual([
      `3/0 _error 1 null {"level":"error","code":"NetConnection.Connect.Rejected","description":"${text}"}`,
    ]);
    expect(server.session.phase).toBe('closed');
  });

  it('is answered with the capabilities of enhanced RTMP only to who has sent them', () => {
    const server = recordedServer();
    server.receive(
      clientHandshakeBytes,
      setChunkSize,
      connectCommand(
        AmfObject.object({
          tcUrl: 'rtmp://h/a',
          fourCcList: ['av01', 'hvc1', 5, 'far too long'],
          videoFourCcInfoMap: AmfObject.object({ av01: 1, '*': 7, bad: 'x' }),
          capsEx: 15,
        }),
      ),
    );
    const enhanced = '"fourCcList":["av01","hvc1"],"videoFourCcInfoMap":{"av01":4,"*":4},"capsEx":14';
    const result = server.news()[3] ?? '';
    expect(result).toContain(`"mode":1,${enhanced}}`);
    expect(result.endsWith(`${enhanced}}`)).toBe(true);
  });

  it('may be refused later', () => {
    const server = recordedServer({ answers: {} });
    server.receive(clientHandshakeBytes, plainConnect);
    server.session.reject('NetConnection.Connect.Rejected', 'go away');
    expect(server.news()).toEqual([
      '3/0 _error 1 null {"level":"error","code":"NetConnection.Connect.Rejected","description":"go away"}',
    ]);
    expect(server.session.phase).toBe('closed');
    server.receive(publishShow);
    server.session.acceptConnect(serverInfo);
    expect(server.news()).toEqual([]);
  });

  it('comes after calls that are answered, and media that is dropped', () => {
    const server = recordedServer();
    server.receive(
      clientHandshakeBytes,
      audio('af00'),
      command('_checkbw', 3, null),
      command('play', 0, null, 'x'),
      plainConnect,
    );
    expect(server.events).toEqual(['handshake simple', 'connect rtmp://example.org/live live']);
    expect(server.news()[0]).toBe('3/0 _result 3 null null');
  });
});

describe('publish', () => {
  it('of an encoder gets a result for each command, then onFCPublish with its transaction id', () => {
    const server = connectedServer();
    server.receive(
      command('releaseStream', 2, null, 'show'),
      command('FCPublish', 3, null, 'show'),
      command('createStream', 4, null),
      publishShow,
    );
    expect(server.events).toEqual(['publish show live fmle']);
    expect(server.news()).toEqual([
      '3/0 _result 2 null undefined',
      '3/0 _result 3 null undefined',
      '3/0 _result 4 null 1',
      fcPublishStarted(3),
      publishStarted,
    ]);
    expect(server.session.phase).toBe('publish');
  });

  it('of Flash is createStream and publish', () => {
    const server = connectedServer();
    server.receive(command('createStream', 2, null), command('publish', 0, null, 'show', 'record'));
    expect(server.events).toEqual(['publish show record flash']);
    expect(server.news()).toEqual(['3/0 _result 2 null 1', publishStarted]);
  });

  it('of Haivision has _checkbw answered before createStream, and FCPublish after it', () => {
    const server = connectedServer();
    server.receive(
      command('_checkbw', 2, null),
      command('createStream', 3, null),
      command('FCPublish', 4, null, 'show'),
      command('publish', 0, null, 'show'),
    );
    expect(server.events).toEqual(['publish show live haivision']);
    expect(server.news()).toEqual([
      '3/0 _result 2 null null',
      '3/0 _result 3 null 1',
      '3/0 _result 4 null undefined',
      fcPublishStarted(4),
      publishStarted,
    ]);
  });

  const pieces = [
    command('releaseStream', 2, null, 'show'),
    command('FCPublish', 3, null, 'show'),
    command('createStream', 4, null),
  ];
  const orders = [[], [0], [1], [2], [0, 1], [1, 0], [2, 0, 1], [2, 1, 0], [1, 2, 0], [2, 2, 1]];
  it.each(orders.map((order) => [order]))('begins whatever is said before it: %j', (order) => {
    const server = connectedServer();
    server.receive(...order.map((index) => pieces[index]!), publishShow, audio('af0102', 40));
    expect(server.events.map((event) => event.split(' ')[0])).toEqual(['publish', 'media']);
    const news = server.news();
    expect(news.filter((line) => line.startsWith('3/0 _result'))).toHaveLength(order.length);
    expect(news.slice(order.length)).toEqual(order.includes(1) ? [fcPublishStarted(3), publishStarted] : [publishStarted]);
  });

  it('takes FCPublish and releaseStream of its own name that come late', () => {
    const server = connectedServer();
    server.receive(publishShow, command('releaseStream', 6, null, 'show'), command('FCPublish', 7, null, 'show'), audio('af01'));
    expect(server.events).toEqual(['publish show live flash', 'media 8@0 af01']);
    expect(server.news()).toEqual([
      publishStarted,
      '3/0 _result 6 null undefined',
      '3/0 _result 7 null undefined',
      fcPublishStarted(7),
    ]);
  });

  it('ends when another is announced without a word', () => {
    const server = connectedServer();
    server.receive(command('FCPublish', 3, null, 'show'), publishShow, command('FCPublish', 4, null, 'show'), publishShow);
    expect(server.events).toEqual(['publish show live fmle', 'unpublish', 'publish show live fmle']);
    expect(server.news().slice(3)).toEqual([
      fcUnpublished,
      unpublished,
      '3/0 _result 4 null undefined',
      fcPublishStarted(4),
      publishStarted,
    ]);
  });

  it('gives media with time and body, and not before it is accepted', () => {
    const server = connectedServer();
    const metadata = encodeAmf0('@setDataFrame', 'onMetaData', AmfObject.object({ width: 1 }));
    server.receive(
      audio('af00', 5),
      publishShow,
      audio('af01', 0x7fffffff),
      message(messageTypes.video, Buffer.from('1700', 'hex'), 7),
      message(messageTypes.amf0Data, metadata, 8),
      message(messageTypes.amf3Data, Buffer.concat([Buffer.of(0), metadata]), 9),
      message(messageTypes.amf3Data, Buffer.of(0), 9),
      message(messageTypes.aggregate, Buffer.from('08000002000064000000002f010000000d', 'hex'), 300),
      message(99, Buffer.of(1)),
      message(messageTypes.amf0SharedObject, Buffer.of(1)),
    );
    expect(server.events).toEqual([
      'publish show live flash',
      'media 8@2147483647 af01',
      'media 9@7 1700',
      `media 18@8 ${metadata.toString('hex')}`,
      `media 18@9 ${metadata.toString('hex')}`,
      'media 8@300 2f01',
    ]);
  });

  it('ends with FCUnpublish, and may begin again', () => {
    const server = connectedServer();
    const again = [command('FCPublish', 3, null, 'show'), command('createStream', 4, null), publishShow];
    server.receive(
      ...again,
      command('FCUnpublish', 6, null, 'show'),
      command('deleteStream', 7, null, 1),
      audio('af01'),
      ...again,
    );
    expect(server.events).toEqual(['publish show live fmle', 'unpublish', 'publish show live fmle']);
    expect(server.news().slice(4, 8)).toEqual([
      fcUnpublished,
      '3/1 _result 6 null undefined',
      unpublished,
      '3/0 _result 7 null null',
    ]);
    expect(server.session.phase).toBe('publish');
  });

  it.each([
    ['closeStream', command('closeStream', 0, null), [unpublished]],
    ['deleteStream', command('deleteStream', 0, null, 1), []],
    ['deleteStream that asks', command('deleteStream', 6, null, 1), ['3/0 _result 6 null null']],
    ['FCUnpublish without number', command('FCUnpublish', 0, null, 'show'), [unpublished]],
    ['publish(false)', command('publish', 0, null, false), [unpublished]],
  ])('of Flash ends with %s', (_name, end, answers) => {
    const server = connectedServer();
    server.receive(publishShow, end, audio('af01'));
    expect(server.events).toEqual(['publish show live flash', 'unpublish']);
    expect(server.news().slice(1)).toEqual(answers);
    expect(server.session.phase).toBe('identify');
  });

  it('goes on through createStream and calls of any kind', () => {
    const server = connectedServer();
    server.receive(
      publishShow,
      command('createStream', 8, null),
      command('_checkbw', 9, null),
      command('x', 0, null),
      audio('af01'),
    );
    expect(server.events).toEqual(['publish show live flash', 'media 8@0 af01']);
    expect(server.news().slice(1)).toEqual(['3/0 _result 8 null 1', '3/0 _result 9 null null']);
  });

  it('is followed by another publish or a play', () => {
    const server = connectedServer();
    server.receive(publishShow, command('publish', 0, null, 'next'), playShow, command('publish', 0, null, 'last'));
    expect(server.events).toEqual([
      'publish show live flash',
      'unpublish',
      'publish next live flash',
      'unpublish',
      'play show -2 -1 true',
      'stop',
      'publish last live flash',
    ]);
  });
});

describe('play', () => {
  it('is answered with StreamBegin, reset, start, sample access and data start, in one buffer', () => {
    const server = connectedServer();
    const before = server.sent.length;
    server.receive(command('createStream', 2, null), command('play', 0, null, 'show?token=1', -1000, 5000, false));
    expect(server.events).toEqual(['play show?token=1 -1000 5000 false']);
    expect(server.sent).toHaveLength(before + 2);
    expect(server.news()).toEqual([
      '3/0 _result 2 null 1',
      '2/0 user control 0 1',
      '5/1 onStatus 0 null {"level":"status","code":"NetStream.Play.Reset","description":"Playing and resetting stream.",' +
        '"details":"stream","clientid":"ASAICiss"}',
      '5/1 onStatus 0 null {"level":"status","code":"NetStream.Play.Start","description":"Started playing stream.",' +
        '"details":"stream","clientid":"ASAICiss"}',
      '5/1 data "|RtmpSampleAccess" true true',
      '5/1 data "onStatus" {"code":"NetStream.Data.Start"}',
    ]);
  });

  it.each([
    ['undefined, undefined, undefined', [], 'play show -2 -1 true'],
    ['-1, 0, 0', [-1, 0, 0], 'play show -1 -1 false'],
    ['null, NaN, null', [null, Number.NaN, null], 'play show -2 -1 false'],
    ['texts', ['1', '2', '3'], 'play show -2 -1 true'],
    ['0, 0.5, 2', [0, 0.5, 2], 'play show 0 0.5 true'],
  ])('reads start, duration and reset of %s', (_name, args, event) => {
    const server = connectedServer();
    server.receive(command('play', 0, null, 'show', ...args));
    expect(server.events).toEqual([event]);
  });

  it('is paused and goes on', () => {
    const server = connectedServer();
    server.receive(playShow);
    server.news();
    server.receive(command('pause', 0, null, true, 100), command('pause', 0, null, false, 100));
    expect(server.events).toEqual(['play show -2 -1 true', 'pause true', 'pause false']);
    expect(server.news()).toEqual([
      '5/1 onStatus 0 null {"level":"status","code":"NetStream.Pause.Notify","description":"Paused stream."}',
      '2/0 user control 1 1',
      '5/1 onStatus 0 null {"level":"status","code":"NetStream.Unpause.Notify","description":"Unpaused stream."}',
      '2/0 user control 0 1',
    ]);
  });

  it.each([
    ['closeStream', command('closeStream', 0, null), []],
    ['deleteStream', command('deleteStream', 6, null, 1), ['3/0 _result 6 null null']],
    ['play(false)', command('play', 0, null, false), []],
  ])('stops with %s without a status, and may begin again', (_name, end, answers) => {
    const server = connectedServer();
    server.receive(playShow);
    server.news();
    server.receive(end);
    expect(server.news()).toEqual(answers);
    expect(server.session.phase).toBe('identify');
    server.receive(playShow);
    expect(server.events).toEqual(['play show -2 -1 true', 'stop', 'play show -2 -1 true']);
  });

  it('changes to another stream with another play', () => {
    const server = connectedServer();
    server.receive(playShow, command('play', 0, null, 'other'));
    expect(server.events).toEqual(['play show -2 -1 true', 'stop', 'play other -2 -1 true']);
  });

  it('answers calls that ask, drops media and bears the commands of a publisher', () => {
    const server = connectedServer();
    server.receive(playShow);
    server.news();
    server.receive(
      command('seek', 0, null, 10),
      command('receiveAudio', 0, null, false),
      command('FCSubscribe', 8, null, 'show'),
      command('getStreamLength', 9, null, 'show'),
      command('FCUnpublish', 10, null, 'show'),
      audio('af01'),
      command('FCPublish', 11, null, 'mine'),
      command('publish', 0, null, 'mine'),
    );
    expect(server.events).toEqual(['play show -2 -1 true', 'stop', 'publish mine live fmle']);
    expect(server.news()).toEqual([
      '3/0 _result 8 null null',
      '3/0 _result 9 null 0',
      '3/0 _result 10 null undefined',
      '3/0 _result 11 null undefined',
      fcPublishStarted(11),
      publishStarted,
    ]);
  });
});

describe('a stream name that is none', () => {
  const names = [
    ['true', true, 'boolean'],
    ['null', null, 'null'],
    ['5', 5, 'number'],
    ['undefined', undefined, 'undefined'],
    ["''", '', 'empty'],
    ['an object', AmfObject.object({}), 'object'],
  ] as const;

  it.each(names)('%s is refused for publish and for play', (_name, name, what) => {
    for (const [kind, code] of [
      ['publish', 'NetStream.Publish.BadName'],
      ['play', 'NetStream.Play.StreamNotFound'],
    ] as const) {
      const server = connectedServer();
      const text = `stream name must be a text, not ${what}`;
      expect(() => server.session.receive(command(kind, 0, null, name))).toThrow(
        expect.objectContaining({ errorName: 'RtmpStreamName', message: text }),
      );
      expect(server.news()).toEqual([
        `5/1 onStatus 0 null {"level":"error","code":"${code}","description":"${text}","clientid":"ASAICiss"}`,
      ]);
      expect(server.session.phase).toBe('closed');
    }
  });
});

describe('a request that is not answered at once', () => {
  it('holds what comes behind it, in order', () => {
    const answers: Answers = {};
    const server = recordedServer({ answers });
    const pipelined = [
      command('releaseStream', 2, null, 'show'),
      command('createStream', 3, null),
      publishShow,
      audio('af00', 1),
      audio('af01', 2),
      command('deleteStream', 0, null, 1),
    ];
    server.receive(clientHandshakeBytes, Buffer.concat([plainConnect, ...pipelined.slice(0, 4)]), ...pipelined.slice(4));
    expect(server.session.phase).toBe('connect-pending');
    expect(server.session.isWaiting).toBe(true);
    expect(server.events).toHaveLength(2);
    server.session.acceptConnect(serverInfo);
    expect(server.session.phase).toBe('publish-pending');
    expect(server.events.slice(2)).toEqual(['publish show live fmle']);
    server.session.acceptPublish();
    expect(server.events.slice(3)).toEqual(['media 8@1 af00', 'media 8@2 af01', 'unpublish']);
    expect(server.session.phase).toBe('identify');
    expect(server.session.isWaiting).toBe(false);
  });

  it('holds no more than the limit', () => {
    const server = recordedServer({ answers: {}, limits: { maxHeldBytes: 100 } });
    server.receive(clientHandshakeBytes, plainConnect);
    server.receive(Buffer.alloc(100));
    expect(server.events).toHaveLength(2);
    server.receive(Buffer.alloc(1));
    expect(server.events[2]).toBe('101 bytes received before an answer must be at most 100');
    expect(server.session.phase).toBe('closed');
    server.session.acceptConnect(serverInfo);
    expect(server.news()).toEqual([]);
  });

  it('may be refused: nothing behind it is looked at', () => {
    const server = connectedServer({ answers: { connect: 'accept' } });
    server.receive(publishShow, audio('af01'), Buffer.from('ffff', 'hex'));
    server.session.reject('NetStream.Publish.Denied', 'busy');
    expect(server.events).toEqual(['publish show live flash']);
    expect(server.news()).toEqual([
      '5/1 onStatus 0 null {"level":"error","code":"NetStream.Publish.Denied","description":"busy","clientid":"ASAICiss"}',
    ]);
  });

  it('closes the session when what was held is broken', () => {
    const server = connectedServer({ answers: { connect: 'accept' } });
    server.receive(playShow, Buffer.from('ff', 'hex'));
    expect(() => server.session.acceptPlay()).toThrow(expect.objectContaining({ errorName: 'RtmpChunkStart' }));
    expect(server.session.phase).toBe('closed');
  });

  it('is forgotten by close', () => {
    const server = connectedServer({ answers: { connect: 'accept' } });
    server.receive(playShow);
    server.session.close();
    server.session.acceptPlay();
    server.session.reject('x', 'y');
    server.session.sendPing(1);
    server.session.sendCommand('x');
    expect(server.news()).toEqual([]);
    expect(server.session.isWaiting).toBe(false);
  });

  it('cannot be answered twice, nor before it is there', () => {
    const server = connectedServer();
    expect(() => server.session.acceptPlay()).toThrow('nothing to accept in phase identify');
    expect(() => server.session.reject('x', 'y')).toThrow('nothing to reject in phase identify');
    server.receive(playShow);
    expect(() => server.session.acceptPlay()).toThrow('nothing to accept in phase play');
  });
});

describe('close', () => {
  it('within a callback ends everything, whatever else has arrived', () => {
    const events: string[] = [];
    const server = recordedServer({
      handler: {
        onMedia: () => {
          events.push('media');
          server.session.close();
        },
      },
    });
    const aggregate = message(messageTypes.aggregate, Buffer.from('0800000200006400000000af010000000d'.repeat(2), 'hex'));
    server.receive(clientHandshakeBytes, Buffer.concat([plainConnect, publishShow, aggregate, audio('af01'), publishShow]));
    expect(events).toEqual(['media']);
    expect(server.session.phase).toBe('closed');
  });

  it('at the end of one stream keeps the next from beginning', () => {
    const server = connectedServer({ handler: { onUnpublish: () => server.session.close() } });
    server.receive(publishShow, command('publish', 0, null, 'next'));
    expect(server.events).toEqual(['publish show live flash']);
    expect(server.session.phase).toBe('closed');
  });
});

describe('notify', () => {
  it('tells a player of the end with StreamEOF and a status', () => {
    const server = connectedServer();
    server.receive(playShow);
    server.news();
    server.session.notify({ level: 'status', code: 'NetStream.Play.UnpublishNotify', description: 'gone' });
    expect(server.news()).toEqual([
      '2/0 user control 1 1',
      '5/1 onStatus 0 null {"level":"status","code":"NetStream.Play.UnpublishNotify","description":"gone","clientid":"ASAICiss"}',
    ]);
  });

  it('tells a publisher with onFCUnpublish, if it has said FCPublish, and a status', () => {
    const status = { level: 'error', code: 'NetStream.Publish.Replaced', description: 'another one' } as const;
    const text =
      '5/1 onStatus 0 null {"level":"error","code":"NetStream.Publish.Replaced","description":"another one","clientid":"ASAICiss"}';
    const flash = connectedServer();
    flash.receive(publishShow);
    flash.news();
    flash.session.notify(status);
    expect(flash.news()).toEqual([text]);
    const encoder = connectedServer();
    encoder.receive(command('FCPublish', 2, null, 'show'), publishShow);
    encoder.news();
    encoder.session.notify(status);
    expect(encoder.news()).toEqual([fcUnpublished, text]);
  });

  it('says nothing to who has no stream', () => {
    const server = connectedServer();
    server.session.notify({ level: 'status', code: 'x', description: '' });
    expect(server.news()).toEqual([]);
  });
});

describe('the chunk size', () => {
  it('set after connect is announced with the next accepted stream', () => {
    const server = connectedServer();
    server.session.setOutChunkSize(4096);
    expect(server.session.outChunkSize).toBe(60_000);
    server.receive(playShow);
    expect(server.news().slice(0, 2)).toEqual(['chunk size 4096', '2/0 user control 0 1']);
    expect(server.session.outChunkSize).toBe(4096);
  });

  it('changes in the middle of a play, once, and holds for what is said afterwards', () => {
    const server = connectedServer();
    server.receive(playShow);
    server.news();
    server.session.changeOutChunkSize(128);
    server.session.changeOutChunkSize(128);
    expect(server.session.outChunkSize).toBe(128);
    server.session.notify({ level: 'status', code: 'x', description: 'y'.repeat(300) });
    const news = server.news();
    expect(news.filter((line) => line.startsWith('chunk size'))).toEqual(['chunk size 128']);
    expect(news.at(-1)).toContain('y'.repeat(300));
  });

  it('that changes before the client is let in is announced with the rest', () => {
    const server = recordedServer({ answers: {} });
    server.receive(clientHandshakeBytes);
    server.session.changeOutChunkSize(4096);
    expect(server.news()).toEqual([]);
  });

  it.each([0, 127, 65_537, 128.5])('%d is refused', (size) => {
    const server = connectedServer();
    expect(() => server.session.setOutChunkSize(size)).toThrow(`chunk size ${size} must be 128..65536`);
  });
});

describe('control messages', () => {
  const userControl = (event: number, value: number) => message(messageTypes.userControl, encodeUserControl(event, value));

  it('a ping is answered in every phase, on whatever chunk stream it comes', () => {
    const server = recordedServer({ answers: {} });
    server.receive(clientHandshakeBytes, userControl(6, 77));
    expect(server.news()).toEqual(['2/0 user control 7 77']);
  });

  it('a pong is told', () => {
    const server = connectedServer();
    server.session.sendPing(123);
    expect(server.news()).toEqual(['2/0 user control 6 123']);
    server.receive(userControl(7, 123));
    expect(server.events).toEqual(['pong 123']);
  });

  it('a truncated event ends the session', () => {
    const server = connectedServer();
    server.receive(message(messageTypes.userControl, Buffer.from('00060000', 'hex')));
    expect(server.events).toEqual(['user control event 6 of 4 bytes must have 6']);
    expect(server.session.phase).toBe('closed');
  });

  it('unknown events, acknowledgements and bandwidth limits mean nothing', () => {
    const server = connectedServer();
    server.receive(userControl(200, 1), userControl(0, 1), message(3, Buffer.alloc(4)), message(6, Buffer.alloc(5)));
    expect(server.events).toEqual([]);
    expect(server.news()).toEqual([]);
  });

  it('an acknowledgement goes out every 2.5 MB, to a peer without window too, and counts the handshake', () => {
    const server = connectedServer();
    server.receive(publishShow);
    server.news();
    const missing = 2_500_000 + 3073 - server.session.bytesReceived;
    const filler = message(messageTypes.audio, Buffer.alloc(missing));
    server.receive(filler.subarray(0, missing - 1));
    expect(server.news()).toEqual([]);
    server.receive(filler.subarray(missing - 1, missing));
    expect(server.session.bytesReceived).toBe(2_500_000 + 3073);
    expect(server.news()).toEqual([`2/0 control 3 ${(2_500_000 + 3073).toString(16).padStart(8, '0')}`]);
  });

  it('an acknowledgement goes out whenever the announced window has passed; a window of 0 is ignored, with one warning', () => {
    const server = connectedServer();
    const window = (bytes: string) => message(messageTypes.windowAckSize, Buffer.from(bytes, 'hex'));
    server.receive(
      window('000003e8'),
      window('00000000'),
      window('00000000'),
      audio('af'.repeat(1000)),
      audio('af'.repeat(900)),
      audio('af'.repeat(100)),
    );
    expect(server.events).toEqual(['warning window acknowledgement size 0 ignored']);
    const acknowledged = server.news();
    expect(acknowledged).toHaveLength(2);
    expect(acknowledged.every((line) => line.startsWith('2/0 control 3 '))).toBe(true);
  });

  it('the windows of a vhost are announced and kept, 0 leaves the built-in ones', () => {
    for (const [outAckSize, inAckSize, announced, acknowledgements] of [
      [1_000_000, 500, '000f4240', 2],
      [0, 0, '002625a0', 0],
    ] as const) {
      const server = recordedServer({ answers: {} });
      server.receive(clientHandshakeBytes, setChunkSize, plainConnect);
      server.news();
      server.session.setWindows({ outAckSize, inAckSize });
      server.session.acceptConnect(serverInfo);
      expect(server.news()[0]).toBe(`2/0 control 5 ${announced}`);
      server.receive(audio('af'.repeat(600)), audio('af'.repeat(600)));
      expect(server.news().filter((line) => line.startsWith('2/0 control 3 '))).toHaveLength(acknowledgements);
    }
  });
});

describe('memory', () => {
  const large = message(messageTypes.video, Buffer.alloc(2 * 1024 * 1024));

  it('for a message of 2 MiB is there for a publisher only', () => {
    const stranger = connectedServer();
    stranger.receive(large);
    expect(stranger.events).toEqual([expect.stringContaining('message length 2097152 must be at most 1048576')]);
    const publisher = connectedServer();
    publisher.receive(publishShow, large);
    expect(publisher.events.map((event) => event.slice(0, 8))).toEqual(['publish ', 'media 9@']);
  });
});

describe('commands', () => {
  it('of AMF3 type are read', () => {
    const server = connectedServer();
    server.receive(message(messageTypes.amf3Command, Buffer.concat([Buffer.of(0), encodeAmf0('createStream', 2, null)])));
    expect(server.news()).toEqual(['3/0 _result 2 null 1']);
  });

  it('that the session does not know go to the handler, which may deal with them', () => {
    const seen: string[] = [];
    const server = connectedServer({
      handler: {
        onCommand: ({ name, args }) => {
          seen.push(`${name} ${JSON.stringify(args)}`);
          return name === 'mine';
        },
      },
    });
    server.receive(
      command('mine', 4, null, 1),
      command('yours', 5, null),
      command('_result', 6, null),
      command('_error', 7, null),
    );
    expect(seen).toEqual(['mine [1]', 'yours []']);
    expect(server.news()).toEqual(['3/0 _result 5 null null']);
  });

  it('of the bandwidth test go out on the connection', () => {
    const server = connectedServer();
    server.session.sendCommand('onSrsBandCheckStartPlayBytes', AmfObject.object({ limit_kbps: 4000 }));
    expect(server.news()).toEqual(['5/0 onSrsBandCheckStartPlayBytes 0 null {"limit_kbps":4000}']);
  });

  it('that are broken end the session', () => {
    const server = connectedServer();
    server.receive(message(messageTypes.amf0Command, Buffer.from('0200ff', 'hex')));
    expect(server.events).toHaveLength(1);
    expect(server.session.phase).toBe('closed');
  });
});
