/** The commands of a stream: what publish and play ask for, and the status messages that answer them. */
import { AmfObject, type AmfValue, encodeAmf0 } from '@srs/amf';
import { SrsError } from '@srs/kernel';
import type { PublishDialect } from './command-announcement.ts';
import { type Command, encodeCommand, typeOf } from './command-message.ts';
import { type OutMessage, userControlMessage } from './message-out.ts';
import { chunkStreamIds, MEDIA_STREAM_ID, messageTypes, userControlEvents } from './message-types.ts';

export interface PublishRequest {
  /** As sent, with the query part if there is one; never empty. */
  readonly streamName: string;
  /** `live`, `record`, `append` or whatever the encoder sent; `live` when it sent none. */
  readonly type: string;
  readonly dialect: PublishDialect;
  /** The message stream on which the request came. */
  readonly messageStreamId: number;
}

export interface PlayRequest {
  /** As sent, with the query part if there is one; never empty. */
  readonly streamName: string;
  /** -2 live or recorded, -1 live, else seconds; every stream of this server is live. */
  readonly start: number;
  /** Milliseconds of stream time after which to stop; -1 for no end. */
  readonly durationMs: number;
  readonly reset: boolean;
  readonly messageStreamId: number;
}

export type StatusLevel = 'status' | 'error';

export interface Status {
  readonly level: StatusLevel;
  /** For instance `NetStream.Publish.BadName`. */
  readonly code: string;
  readonly description: string;
}

/** Where a client is to go instead (`ex` of the status object, code 302). */
export interface Redirect {
  /** The address to connect to. */
  readonly tcUrl: string;
  /** The whole address of the stream, when it is known. */
  readonly url?: string;
}

/** Status codes that this server sends. */
export const statusCodes = {
  connectRejected: 'NetConnection.Connect.Rejected',
  publishStart: 'NetStream.Publish.Start',
  publishBadName: 'NetStream.Publish.BadName',
  /** The stream has been here before: for another server of this kind, which then leaves off. */
  publishLoop: 'NetStream.Publish.Loop',
  unpublishSuccess: 'NetStream.Unpublish.Success',
  playReset: 'NetStream.Play.Reset',
  playStart: 'NetStream.Play.Start',
  playStreamNotFound: 'NetStream.Play.StreamNotFound',
  dataStart: 'NetStream.Data.Start',
  pauseNotify: 'NetStream.Pause.Notify',
  unpauseNotify: 'NetStream.Unpause.Notify',
} as const;

/** SRS gives every client the same id; some players want to see one. */
const CLIENT_ID = 'ASAICiss';
const LIVE_OR_RECORDED = -2;
const NO_END = -1;
const REDIRECT_CODE = 302;
/** Commands that name a stream. */
const streamCommands: readonly string[] = [
  'FCPublish',
  'FCSubscribe',
  'FCUnpublish',
  'FCUnsubscribe',
  'getStreamLength',
  'play',
  'publish',
  'releaseStream',
];
const UNPUBLISH_TEXT = 'Stop publishing stream.';

/** @throws SrsError RtmpStreamName for a name that is empty or no text (Wirecast can send a Boolean) */
export function parsePublish(command: Command, dialect: PublishDialect, messageStreamId: number): PublishRequest {
  const [name, type] = command.args;
  return {
    streamName: streamName(name),
    type: typeof type === 'string' && type !== '' ? type : 'live',
    dialect,
    messageStreamId,
  };
}

/** @throws SrsError RtmpStreamName as `parsePublish` */
export function parsePlay(command: Command, messageStreamId: number): PlayRequest {
  const [name, start, duration, reset] = command.args;
  return {
    streamName: streamName(name),
    start: typeof start === 'number' ? start : LIVE_OR_RECORDED,
    durationMs: typeof duration === 'number' && duration > 0 ? duration : NO_END,
    reset: reset === undefined || Boolean(reset),
    messageStreamId,
  };
}

function streamName(name: AmfValue): string {
  if (typeof name === 'string' && name !== '') return name;
  throw new SrsError('RtmpStreamName', `stream name must be a text, not ${name === '' ? 'empty' : typeOf(name)}`);
}

/** The object of an answer. */
export function statusObject({ level, code, description }: Status): AmfObject {
  return AmfObject.object({ level, code, description });
}

/** The object of an answer that sends the client to another server. */
export function redirectObject({ tcUrl, url }: Redirect): AmfObject {
  const ex = AmfObject.object({ code: REDIRECT_CODE, redirect: tcUrl });
  if (url !== undefined) ex.set('redirect2', url);
  return statusObject({ level: 'error', code: statusCodes.connectRejected, description: 'RTMP 302 Redirect' }).set('ex', ex);
}

/** What says that a client goes to the other server: a call with a text. Commands around a stream have one for other reasons. */
export function isRedirectAcceptance({ name, args }: Command): boolean {
  return typeof args[0] === 'string' && !streamCommands.includes(name);
}

/** The way to another server in a status object that was received. */
export function readRedirect(info: AmfObject | undefined): Redirect | undefined {
  const ex = info?.getObject('ex');
  const tcUrl = ex?.getString('redirect');
  if (ex === undefined || tcUrl === undefined) return undefined;
  const url = ex.getString('redirect2');
  return url === undefined ? { tcUrl } : { tcUrl, url };
}

/** onStatus of the stream. */
export function statusMessage(status: Status): OutMessage {
  return streamCommand('onStatus', 0, statusObject(status).set('clientid', CLIENT_ID));
}

export function publishStartMessage(): OutMessage {
  return statusMessage({ level: 'status', code: statusCodes.publishStart, description: 'Started publishing stream.' });
}

/** onFCPublish. Some encoders wait for one with the transaction id of their FCPublish. */
export function fcPublishMessage(transactionId: number): OutMessage {
  const info = AmfObject.object({ code: statusCodes.publishStart, description: 'Started publishing stream.' });
  return streamCommand('onFCPublish', transactionId, info);
}

export function fcUnpublishMessage(): OutMessage {
  return streamCommand('onFCUnpublish', 0, AmfObject.object({ code: statusCodes.unpublishSuccess, description: UNPUBLISH_TEXT }));
}

export function unpublishedMessage(): OutMessage {
  return statusMessage({ level: 'status', code: statusCodes.unpublishSuccess, description: 'Stream is now unpublished' });
}

/** All that a player is sent between its play command and the first media message. */
export function playStartMessages(): OutMessage[] {
  return [
    userControlMessage(userControlEvents.streamBegin, MEDIA_STREAM_ID),
    playStatusMessage(statusCodes.playReset, 'Playing and resetting stream.'),
    playStatusMessage(statusCodes.playStart, 'Started playing stream.'),
    streamData('|RtmpSampleAccess', true, true),
    streamData('onStatus', AmfObject.object({ code: statusCodes.dataStart })),
  ];
}

export function pausedMessages(): OutMessage[] {
  return [
    streamCommand('onStatus', 0, statusObject({ level: 'status', code: statusCodes.pauseNotify, description: 'Paused stream.' })),
    userControlMessage(userControlEvents.streamEof, MEDIA_STREAM_ID),
  ];
}

export function unpausedMessages(): OutMessage[] {
  const status: Status = { level: 'status', code: statusCodes.unpauseNotify, description: 'Unpaused stream.' };
  return [streamCommand('onStatus', 0, statusObject(status)), userControlMessage(userControlEvents.streamBegin, MEDIA_STREAM_ID)];
}

function playStatusMessage(code: string, description: string): OutMessage {
  return streamCommand(
    'onStatus',
    0,
    AmfObject.object({ level: 'status', code, description, details: 'stream', clientid: CLIENT_ID }),
  );
}

function streamCommand(name: string, transactionId: number, ...args: readonly AmfValue[]): OutMessage {
  return streamMessage(messageTypes.amf0Command, encodeCommand(name, transactionId, null, ...args));
}

function streamData(...values: readonly AmfValue[]): OutMessage {
  return streamMessage(messageTypes.amf0Data, encodeAmf0(...values));
}

function streamMessage(type: number, payload: Buffer): OutMessage {
  return { chunkStreamId: chunkStreamIds.status, type, messageStreamId: MEDIA_STREAM_ID, payload };
}
