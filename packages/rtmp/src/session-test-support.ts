/** Builders and recorders for the tests of sessions. */
import { AmfObject, type AmfValue, amfToJson, decodeAmf0 } from '@srs/amf';
import { describeError, type FrameType } from '@srs/kernel';
import { ChunkReader, type ChunkReaderLimits } from './chunk-reader.ts';
import { encodeMessage } from './chunk-writer.ts';
import { ClientSession } from './client-session.ts';
import type { ClientSessionOptions } from './client-session-handler.ts';
import type { ServerInfo } from './command-connect.ts';
import { decodeCommand, encodeCommand } from './command-message.ts';
import { decodeUserControl } from './control-message.ts';
import type { RtmpCrypto } from './crypto.ts';
import { MEDIA_STREAM_ID, messageTypes } from './message-types.ts';
import { ServerSession } from './server-session.ts';
import type { ServerSessionHandler, ServerSessionOptions } from './server-session-handler.ts';

const PACKET_BYTES = 1536;
const HANDSHAKE_BYTES = 1 + 2 * PACKET_BYTES;
/** Large enough for nearly everything that a test builds to be one chunk. */
const LARGE_CHUNK = 0x10000;

/** Neither random nor secret: fast, and the same in every run. */
export const testCrypto: RtmpCrypto = {
  hmacSha256: () => Buffer.alloc(32, 0xaa),
  randomBytes: (count) => Buffer.alloc(count, 0x55),
  diffieHellmanPublicKey: () => Buffer.alloc(128, 0xdd),
};

/** C0, C1 and C2 of the simple handshake. */
export const clientHandshakeBytes = Buffer.concat([Buffer.of(3), Buffer.alloc(2 * PACKET_BYTES, 0x11)]);

export const serverInfo: ServerInfo = {
  server: 'SRS/2.0.0(Test)',
  license: 'MIT',
  role: 'origin/edge server',
  url: 'http://example.org',
  version: '2.0.0',
  site: 'http://example.org/site',
  email: 'mail@example.org',
  copyright: 'Copyright',
  primary: 'First',
  authors: 'Second',
  serverIp: '192.0.2.1',
  pid: 4711,
  id: 105,
};

/** What one message says, on one line, with all values: `3/0 _result 2 null 1` is chunk stream 3, message stream 0. */
export function describeMessage(type: number, messageStreamId: number, chunkStreamId: number, payload: Buffer): string {
  const where = `${chunkStreamId}/${messageStreamId}`;
  switch (type) {
    case messageTypes.amf0Command: {
      const { name, transactionId, object, args } = decodeCommand(type, payload);
      return `${where} ${name} ${transactionId} ${[object, ...args].map(text).join(' ')}`;
    }
    case messageTypes.amf0Data:
      return `${where} data ${decodeAmf0(payload).map(text).join(' ')}`;
    case messageTypes.userControl: {
      const { event, value, extra } = decodeUserControl(payload);
      return `${where} user control ${event} ${value}${extra === 0 ? '' : ` ${extra}`}`;
    }
    case messageTypes.audio:
    case messageTypes.video:
      return `${where} media ${type} ${payload.toString('hex')}`;
    default:
      return `${where} control ${type} ${payload.toString('hex')}`;
  }
}

function text(value: AmfValue): string {
  return value === undefined ? 'undefined' : JSON.stringify(amfToJson(value));
}

/** The messages in what a session has sent, after its handshake. Set Chunk Size is obeyed and told. */
export function describeSent(sent: readonly Buffer[]): string[] {
  const lines: string[] = [];
  let chunkSize = 0;
  const tellChunkSize = () => {
    if (reader.chunkSize !== chunkSize && chunkSize !== 0) lines.push(`chunk size ${reader.chunkSize}`);
    chunkSize = reader.chunkSize;
  };
  const reader = new ChunkReader({
    onMessage: (type, _timestampMs, messageStreamId, chunkStreamId, payload) => {
      tellChunkSize();
      lines.push(describeMessage(type, messageStreamId, chunkStreamId, payload));
    },
  });
  tellChunkSize();
  reader.receive(Buffer.concat(sent).subarray(HANDSHAKE_BYTES));
  tellChunkSize();
  return lines;
}

/** A command as a client sends it, in one chunk: only after `setChunkSize`, or up to 128 bytes. */
export function command(name: string, transactionId: number, ...values: readonly AmfValue[]): Buffer {
  return message(messageTypes.amf0Command, encodeCommand(name, transactionId, values[0], ...values.slice(1)));
}

export function message(type: number, payload: Buffer, timestampMs = 0): Buffer {
  return encodeMessage(3, type, timestampMs, MEDIA_STREAM_ID, payload, LARGE_CHUNK);
}

/** Set Chunk Size to what `message` and `command` use. */
export const setChunkSize = message(messageTypes.setChunkSize, Buffer.from('00010000', 'hex'));

export function connectCommand(properties: AmfObject, ...args: readonly AmfObject[]): Buffer {
  return command('connect', 1, properties, ...args);
}

export interface Answers {
  /** Left out, the request waits. */
  connect?: 'accept' | 'reject' | undefined;
  publish?: 'accept' | 'reject' | undefined;
  play?: 'accept' | 'reject' | undefined;
}

const acceptAll: Answers = { connect: 'accept', publish: 'accept', play: 'accept' };

export interface RecordedServer {
  readonly session: ServerSession;
  /** One line per call of the handler. */
  readonly events: string[];
  readonly sent: Buffer[];
  /** What was sent since the last call of this. */
  news(): string[];
  /** Feeds bytes; an SrsError becomes an event. */
  receive(...pieces: readonly Buffer[]): void;
}

/** A server session that writes down what happens and answers at once, unless told otherwise. */
export function recordedServer(
  options: {
    readonly answers?: Answers;
    readonly limits?: Partial<ChunkReaderLimits>;
    readonly session?: Partial<ServerSessionOptions>;
    readonly handler?: Partial<ServerSessionHandler>;
    readonly onSend?: (bytes: Buffer) => void;
  } = {},
): RecordedServer {
  const answers = options.answers ?? acceptAll;
  const events: string[] = [];
  const sent: Buffer[] = [];
  let told = 0;
  const answer = (how: 'accept' | 'reject' | undefined, accept: () => void, code: string) => {
    if (how === 'accept') accept();
    else if (how === 'reject') session.reject(code, 'no');
  };
  const session = new ServerSession(
    {
      onSend: (bytes) => {
        sent.push(bytes);
        options.onSend?.(bytes);
      },
      onHandshake: (kind) => events.push(`handshake ${kind}`),
      onConnect: (request) => {
        events.push(`connect ${request.tcUrl} ${request.app}`);
        answer(answers.connect, () => session.acceptConnect(serverInfo), 'NetConnection.Connect.Rejected');
      },
      onPublish: (request) => {
        events.push(`publish ${request.streamName} ${request.type} ${request.dialect}`);
        answer(answers.publish, () => session.acceptPublish(), 'NetStream.Publish.BadName');
      },
      onPlay: (request) => {
        events.push(`play ${request.streamName} ${request.start} ${request.durationMs} ${request.reset}`);
        answer(answers.play, () => session.acceptPlay(), 'NetStream.Play.StreamNotFound');
      },
      onMedia: (type, timestampMs, payload) => events.push(mediaLine(type, timestampMs, payload)),
      onUnpublish: () => events.push('unpublish'),
      onPause: (isPaused) => events.push(`pause ${isPaused}`),
      onStop: () => events.push('stop'),
      onPong: (value) => events.push(`pong ${value}`),
      onWarning: (warning) => events.push(`warning ${warning}`),
      ...options.handler,
    },
    {
      crypto: testCrypto,
      unixSeconds: () => 1,
      ...(options.limits === undefined ? {} : { limits: options.limits }),
      ...options.session,
    },
  );
  return {
    session,
    events,
    sent,
    news: () => {
      const lines = describeSent(sent);
      const news = lines.slice(told);
      told = lines.length;
      return news;
    },
    receive: (...pieces) => {
      try {
        for (const piece of pieces) session.receive(piece);
      } catch (thrown) {
        events.push(describeError(thrown));
      }
    },
  };
}

export function mediaLine(type: FrameType, timestampMs: number, payload: Buffer): string {
  return `media ${type}@${timestampMs} ${payload.toString('hex')}`;
}

/** A recorded server past its handshake and an accepted connect, with nothing left to tell. */
export function connectedServer(options: Parameters<typeof recordedServer>[0] = {}, connect = plainConnect): RecordedServer {
  const server = recordedServer(options);
  server.receive(clientHandshakeBytes, setChunkSize, connect);
  server.events.length = 0;
  server.news();
  return server;
}

/** A connect command with no more than it needs. */
export const plainConnect = connectCommand(AmfObject.object({ app: 'live', tcUrl: 'rtmp://example.org/live' }));

export interface RecordedClient {
  readonly session: ClientSession;
  readonly events: string[];
  readonly sent: Buffer[];
}

/** A client session that writes down what happens. */
export function recordedClient(options: Partial<ClientSessionOptions> = {}, onSend?: (bytes: Buffer) => void): RecordedClient {
  const events: string[] = [];
  const sent: Buffer[] = [];
  const session = new ClientSession(
    {
      onSend: (bytes) => {
        sent.push(bytes);
        onSend?.(bytes);
      },
      onConnected: ({ peer, properties }) => events.push(`connected ${properties?.getString('fmsVer')} ${peer?.id}`),
      onReady: () => events.push('ready'),
      onMedia: (type, timestampMs, payload) => events.push(mediaLine(type, timestampMs, payload)),
      onStatus: ({ level, code }) => events.push(`${level} ${code}`),
      onRejected: ({ code, description, redirect }) =>
        events.push(`rejected ${code} ${description}${redirect === undefined ? '' : ` ${JSON.stringify(redirect)}`}`),
      onUserControl: (event, value) => events.push(`user control ${event} ${value}`),
      onCommand: ({ name }) => events.push(`command ${name}`),
      onWarning: (warning) => events.push(`warning ${warning}`),
    },
    {
      crypto: testCrypto,
      unixSeconds: () => 1,
      role: 'play',
      tcUrl: 'rtmp://example.org/live',
      app: 'live',
      streamName: 'show',
      ...options,
    },
  );
  return { session, events, sent };
}

export interface Pair {
  readonly server: RecordedServer;
  readonly client: RecordedClient;
  /** Carries bytes to and fro, `stepBytes` at a time, until both have said all they have to say. */
  pump(stepBytes?: number): void;
}

/** A client and a server session, joined in memory; the client has not started. */
export function pair(
  clientOptions: Partial<ClientSessionOptions> = {},
  serverOptions: Parameters<typeof recordedServer>[0] = {},
): Pair {
  const toServer: Buffer[] = [];
  const toClient: Buffer[] = [];
  const server = recordedServer({ ...serverOptions, onSend: (bytes) => toClient.push(bytes) });
  const client = recordedClient(clientOptions, (bytes) => toServer.push(bytes));
  const carry = (from: Buffer[], receive: (bytes: Buffer) => void, stepBytes: number) => {
    const bytes = Buffer.concat(from.splice(0));
    for (let at = 0; at < bytes.length; at += stepBytes) receive(bytes.subarray(at, at + stepBytes));
  };
  return {
    server,
    client,
    pump: (stepBytes = Number.POSITIVE_INFINITY) => {
      while (toServer.length + toClient.length > 0) {
        carry(toServer, (bytes) => server.receive(bytes), stepBytes);
        carry(toClient, (bytes) => client.session.receive(bytes), stepBytes);
      }
    },
  };
}
