/** All that the server says to a client, apart from media. */
import type { AmfObject, AmfValue } from '@srs/amf';
import type { PublishAnnouncement } from './command-announcement.ts';
import { type ConnectRequest, encodeConnectResult, type ServerInfo } from './command-connect.ts';
import { type Command, encodeCommand } from './command-message.ts';
import {
  fcPublishMessage,
  fcUnpublishMessage,
  pausedMessages,
  playStartMessages,
  publishStartMessage,
  type Redirect,
  redirectObject,
  type Status,
  statusMessage,
  statusObject,
  unpausedMessages,
  unpublishedMessage,
} from './command-stream.ts';
import type { MessageChannel } from './message-channel.ts';
import { connectionCommand, type OutMessage, userControlMessage, windowMessages } from './message-out.ts';
import { CONNECTION_STREAM_ID, chunkStreamIds, MEDIA_STREAM_ID, messageTypes, userControlEvents } from './message-types.ts';

/** Some clients count from 0, but a result must have a number. */
const FALLBACK_CONNECT_TRANSACTION_ID = 1;

/** Words to messages; each method sends all of its messages in one buffer. */
export class ServerReplies {
  readonly #channel: MessageChannel;

  constructor(channel: MessageChannel) {
    this.#channel = channel;
  }

  acceptConnect(request: ConnectRequest, info: ServerInfo, chunkSize: number, hasBandwidthDone: boolean): void {
    const transactionId = request.transactionId > 0 ? request.transactionId : FALLBACK_CONNECT_TRANSACTION_ID;
    this.#channel.send(
      ...windowMessages(this.#channel.windowAckSize),
      ...this.#channel.chunkSizeMessages(chunkSize),
      commandMessage(encodeConnectResult(request, info, transactionId), CONNECTION_STREAM_ID),
      ...(hasBandwidthDone ? [connectionCommand('onBWDone', 0, null)] : []),
    );
  }

  rejectConnect(transactionId: number, status: Status): void {
    this.#connectError(transactionId, statusObject(status));
  }

  redirectConnect(transactionId: number, redirect: Redirect): void {
    this.#connectError(transactionId, redirectObject(redirect));
  }

  startPublish(announcement: PublishAnnouncement, chunkSize: number): void {
    const { fcPublishTransactionId } = announcement;
    this.#channel.send(
      ...this.#channel.chunkSizeMessages(chunkSize),
      ...(fcPublishTransactionId === undefined ? [] : [fcPublishMessage(fcPublishTransactionId)]),
      publishStartMessage(),
    );
  }

  /** Answers an FCPublish that comes when the publish has already started. */
  lateFcPublish(command: Command): void {
    this.#channel.send(...emptyResult(command, CONNECTION_STREAM_ID), fcPublishMessage(command.transactionId));
  }

  /** @param fcUnpublish the command that ended it, if it wants a result */
  endPublish(announcement: PublishAnnouncement, fcUnpublish?: Command): void {
    this.#channel.send(
      ...onFcUnpublish(announcement),
      ...(fcUnpublish === undefined ? [] : emptyResult(fcUnpublish, MEDIA_STREAM_ID)),
      unpublishedMessage(),
    );
  }

  startPlay(chunkSize: number): void {
    this.#channel.send(...this.#channel.chunkSizeMessages(chunkSize), ...playStartMessages());
  }

  pause(isPaused: boolean): void {
    this.#channel.send(...(isPaused ? pausedMessages() : unpausedMessages()));
  }

  status(status: Status): void {
    this.#channel.send(statusMessage(status));
  }

  /** It concerns the connection, whatever the client does on it. */
  redirect(redirect: Redirect): void {
    this.command('onStatus', [redirectObject(redirect)]);
  }

  /** The server itself ends a publish. */
  cutPublish(announcement: PublishAnnouncement, status: Status): void {
    this.#channel.send(...onFcUnpublish(announcement), statusMessage(status));
  }

  /** The server itself ends a play. */
  cutPlay(status: Status): void {
    this.#channel.send(userControlMessage(userControlEvents.streamEof, MEDIA_STREAM_ID), statusMessage(status));
  }

  createStream(command: Command): void {
    this.#channel.send(connectionCommand('_result', command.transactionId, null, MEDIA_STREAM_ID));
  }

  /** A result without a value, as releaseStream, FCPublish and FCUnpublish get it. */
  emptyResult(command: Command): void {
    this.#channel.send(...emptyResult(command, CONNECTION_STREAM_ID));
  }

  /** The result of any other call; whoever numbers a call 0 wants none. */
  callResult(command: Command, value: AmfValue): void {
    if (command.transactionId > 0) this.#channel.send(connectionCommand('_result', command.transactionId, null, value));
  }

  command(name: string, args: readonly AmfValue[]): void {
    this.#channel.send({
      chunkStreamId: chunkStreamIds.status,
      type: messageTypes.amf0Command,
      messageStreamId: CONNECTION_STREAM_ID,
      payload: encodeCommand(name, 0, null, ...args),
    });
  }

  ping(value: number): void {
    this.#channel.send(userControlMessage(userControlEvents.pingRequest, value));
  }

  #connectError(transactionId: number, info: AmfObject): void {
    const answeredId = transactionId > 0 ? transactionId : FALLBACK_CONNECT_TRANSACTION_ID;
    this.#channel.send(connectionCommand('_error', answeredId, null, info));
  }
}

/** onFCUnpublish, for those who have said FCPublish. */
function onFcUnpublish(announcement: PublishAnnouncement): OutMessage[] {
  return announcement.has('FCPublish') ? [fcUnpublishMessage()] : [];
}

function emptyResult(command: Command, messageStreamId: number): OutMessage[] {
  if (!(command.transactionId > 0)) return [];
  return [commandMessage(encodeCommand('_result', command.transactionId, null, undefined), messageStreamId)];
}

function commandMessage(payload: Buffer, messageStreamId: number): OutMessage {
  return { chunkStreamId: chunkStreamIds.command, type: messageTypes.amf0Command, messageStreamId, payload };
}
