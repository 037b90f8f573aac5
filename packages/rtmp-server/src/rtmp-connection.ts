/** One RTMP client: its socket, its session, and what it does at the moment. */
import type { Socket } from 'node:net';
import type { AddressPlace, StreamUse } from '@srs/access';
import { type Config, parseTcUrl, type VhostConfig } from '@srs/config';
import type { PublisherInfo, RevokeReason } from '@srs/control';
import { describeError, type FrameType, type Log, SrsError, systemErrorCode } from '@srs/kernel';
import {
  type ConnectRequest,
  nodeRtmpCrypto,
  type PlayRequest,
  type PublishRequest,
  ServerSession,
  type ServerSessionHandler,
  statusCodes,
} from '@srs/rtmp';
import type { EncodedBytes, FanOutPlayer } from '@srs/stream';
import { Admission, type AdmittedStream } from './admission.ts';
import { ClientDeadline } from './client-deadline.ts';
import type { ClientDescription, ClientType } from './client-description.ts';
import { identityOf, logConnect, plainAddress, unknownIdentity } from './client-identity.ts';
import { adoptSocket } from './client-socket.ts';
import { ConnectionHooks } from './connection-hooks.ts';
import type { ClientEnd, Departure } from './departures.ts';
import type { PithyMember, PithyPrint } from './pithy-print.ts';
import type { PlayHandle, PlayHub } from './play-hub.ts';
import { Publishing } from './publishing.ts';
import { errorNumber, publishRefusal, refusalCode, refusalText } from './refusal.ts';
import type { RtmpServices } from './services.ts';
import { SocketOutput } from './socket-output.ts';
import { SourceWatch } from './source-watch.ts';
import { Traffic } from './traffic.ts';

/** From the first byte to an accepted connect, and from there to publish or play. */
const SETUP_TIMEOUT_MS = 30_000;
/** For the next publish after an unpublish. */
const REPUBLISH_TIMEOUT_MS = 180_000;
/** For the next play after a closeStream, which some players send for a pause. */
const STOPPED_TIMEOUT_MS = 30 * 60_000;
/** A refused or dismissed client reads the reason within this time, or not at all. */
const LAST_WORDS_MS = 3_000;
const KEEP_ALIVE_MS = 30_000;

export interface ConnectionHost {
  readonly services: RtmpServices;
  readonly hub: PlayHub;
  readonly publishers: PithyPrint;
  readonly players: PithyPrint;
  onClosed(connection: RtmpConnection): void;
}

export class RtmpConnection implements ServerSessionHandler, FanOutPlayer, PithyMember {
  readonly cid: number;
  readonly ip: string;
  /** What it counts for among those from its address. */
  readonly place: AddressPlace;
  readonly #host: ConnectionHost;
  readonly #socket: Socket;
  readonly #session: ServerSession;
  readonly #log: Log;
  readonly #startedMs: number;
  readonly #output: SocketOutput;
  readonly #traffic: Traffic;
  readonly #deadline = new ClientDeadline((error) => this.#fail(error));
  #client = unknownIdentity;
  /** Undefined until the connect command has been accepted. */
  #admission: Admission | undefined;
  /** There as soon as the client is admitted. */
  #hooks: ConnectionHooks | undefined;
  /** The stream it publishes or plays, or did last. */
  #target: AdmittedStream | undefined;
  /** The stream that it was not given. */
  #wanted = '';
  #dialect: PublishRequest['dialect'] | undefined;
  #publishing: Publishing | undefined;
  #play: PlayHandle | undefined;
  /** The first reason for which it ends. */
  #reason: ClientEnd | undefined;
  /** What it was when that came. */
  #lastType: ClientType = 'unknown';
  #isEnding = false;
  #hasFailed = false;
  #isClosed = false;

  /** @param accepted paused, nothing read yet */
  constructor(accepted: Socket, place: AddressPlace, host: ConnectionHost) {
    const { services } = host;
    const client = adoptSocket(accepted, {
      onBytes: (bytes) => this.#onData(bytes),
      onClosing: () => this.#play?.holdBack(),
    });
    const { socket } = client;
    this.#host = host;
    this.#socket = socket;
    this.cid = services.nextCid();
    this.ip = plainAddress(socket.remoteAddress);
    this.place = place;
    this.#log = services.log.child(this.cid);
    this.#startedMs = services.clock.nowMs();
    this.#output = new SocketOutput(client, {
      onDrained: () => this.#play?.onDrain(),
      onHeldBack: () => this.#play?.holdBack(),
    });
    this.#traffic = new Traffic(socket, () => this.#output.bytesWritten + (this.#play?.directBytes ?? 0), services.clock);
    this.#session = new ServerSession(this, {
      crypto: nodeRtmpCrypto,
      unixSeconds: () => Math.floor(services.clock.wallMs() / 1000),
    });
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.on('error', (error) => this.#onSocketError(error));
    socket.on('end', () => this.#onPeerEnd());
    socket.on('close', () => this.#onClose());
    this.#log.trace(`RTMP client ip=${this.ip}`);
    this.#deadline.set(SETUP_TIMEOUT_MS, 'no connect command');
  }

  get type(): ClientType {
    if (this.#publishing !== undefined) return 'publish';
    return this.#play === undefined ? 'unknown' : 'play';
  }

  get streamId(): string {
    return this.#target?.streamId ?? '';
  }

  get traffic(): Traffic {
    return this.#traffic;
  }

  get publishing(): Publishing | undefined {
    return this.#publishing;
  }

  /** The server ends it, or has, because of an error or a refusal. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  describe(): ClientDescription {
    const player = this.#play?.statistics;
    return {
      id: this.cid,
      ip: this.ip,
      type: this.type,
      dialect: this.#publishing === undefined ? '' : (this.#dialect ?? ''),
      vhost: (this.#target ?? this.#admission)?.vhost.name ?? '',
      app: this.#admission?.url.app ?? '',
      stream: this.#target?.stream ?? '',
      streamId: this.streamId,
      ...this.#client,
      aliveSeconds: Math.round((this.#host.services.clock.nowMs() - this.#startedMs) / 1000),
      sendBytes: this.#traffic.sendBytes,
      recvBytes: this.#traffic.recvBytes,
      sendKbps: this.#traffic.sendKbps,
      recvKbps: this.#traffic.recvKbps,
      pendingBytes: this.pendingBytes,
      source: this.#source,
      ...player,
    };
  }

  /** Who feeds the stream that it plays; itself when it publishes. */
  get #source(): PublisherInfo | null {
    if (this.#publishing === undefined) return this.#play?.stream.publisher ?? null;
    const { slot, pid } = this.#host.services;
    return { slot, pid, cid: this.cid, ip: this.ip };
  }

  /** The server ends: tells the client, and lets go of it when it has heard, or after a moment. */
  dismiss(description: string): void {
    if (this.#isEnding) return;
    this.#note(description);
    this.#session.notify({
      level: 'status',
      code: this.#publishing === undefined ? 'NetStream.Play.Stop' : statusCodes.unpublishSuccess,
      description,
    });
    this.#end();
  }

  /** A reload: the client goes on under the new settings of its vhost, or leaves with it. */
  configure(config: Config): void {
    const used = (this.#target ?? this.#admission)?.vhost;
    if (used === undefined || this.#isEnding) return;
    const vhost = config.vhosts.get(used.name);
    if (vhost?.enabled !== true) {
      this.#log.trace(`vhost ${used.name} is ${vhost === undefined ? 'removed' : 'disabled'}, the client is dismissed`);
      this.dismiss(`vhost ${used.name} is not served any more`);
      return;
    }
    if (vhost === used) return;
    if (this.#target !== undefined) this.#target = { ...this.#target, vhost };
    if (this.#publishing !== undefined) {
      this.#publishing.configure(vhost);
      this.#watchPublisher(this.#publishing);
    }
    if (this.#play !== undefined) this.#socket.setNoDelay(vhost.tcpNodelay);
    // Those who play are told together, between two batches.
    else this.#session.changeOutChunkSize(vhost.chunkSize);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Of a connection that is over. */
  departure(): Omit<Departure, 'agoSeconds'> {
    return {
      id: this.cid,
      ip: this.ip,
      type: this.#lastType,
      streamId: this.streamId === '' ? this.#wanted : this.streamId,
      aliveSeconds: Math.round((this.#host.services.clock.nowMs() - this.#startedMs) / 1000),
      ...(this.#reason ?? { isRefused: false, reason: 'disconnected' }),
    };
  }

  #note(reason: unknown, isRefused = false): void {
    if (this.#reason !== undefined) return;
    this.#reason = { isRefused, reason: describeError(reason) };
    this.#lastType = this.type;
  }

  // FanOutPlayer

  get descriptor(): number {
    return this.#output.descriptor;
  }

  /** Hot path: one system call. */
  write(encoded: EncodedBytes, offset: number): boolean {
    return this.#output.writeMedia(encoded, offset);
  }

  get pendingBytes(): number {
    return this.#output.pendingBytes;
  }

  onFinished(): void {
    this.#log.trace('play duration exceeded, client finished.');
    this.#end();
  }

  printSummary(): void {
    const elapsedMs = Math.round(this.#host.services.clock.nowMs() - this.#startedMs);
    const rates = this.#traffic.summary;
    if (this.#publishing === undefined)
      this.#log.trace(`-> PLA time=${elapsedMs}, msgs=${this.#play?.batchFrames ?? 0}, ${rates}`);
    else this.#log.trace(`<- ${this.#dialect === 'flash' ? 'WPB' : 'CPB'} time=${elapsedMs}, ${rates}`);
  }

  // ServerSessionHandler

  onSend(bytes: Buffer): void {
    this.#output.say(bytes);
  }

  onHandshake(kind: string): void {
    this.#log.trace(`${kind === 'simple' ? 'simple' : 'complex'} handshake success`);
  }

  onWarning(text: string): void {
    this.#log.warn(text);
  }

  onConnect(request: ConnectRequest): void {
    this.#client = identityOf(request);
    try {
      this.#admission = this.#admit(request);
    } catch (error) {
      this.#refuse(statusCodes.connectRejected, error);
      return;
    }
    const { url, vhost } = this.#admission;
    const { cid, ip } = this;
    const { tcUrl, pageUrl } = request;
    this.#hooks = new ConnectionHooks(this.#host.services.hooks, {
      cid,
      ip,
      vhost,
      app: url.app,
      tcUrl,
      pageUrl,
      log: this.#log,
    });
    this.#whenAllowed(this.#hooks.connect(), statusCodes.connectRejected, () => this.#acceptConnect(vhost));
  }

  #acceptConnect(vhost: VhostConfig): void {
    const { identity, pid } = this.#host.services;
    this.#session.setOutChunkSize(vhost.chunkSize);
    this.#session.setWindows(vhost);
    this.#deadline.set(SETUP_TIMEOUT_MS, 'neither publish nor play');
    this.#session.acceptConnect({
      ...identity,
      role: 'origin/edge server',
      serverIp: plainAddress(this.#socket.localAddress),
      pid,
      id: this.cid,
    });
  }

  onPublish(request: PublishRequest): void {
    const target = this.#findTarget(request.streamName, 'publish');
    if (target === undefined) return;
    this.#dialect = request.dialect;
    const type = request.dialect === 'flash' ? 'publish(FlashPublish)' : 'publish(FMLEPublish)';
    this.#log.trace(`client identified, type=${type}, stream_name=${target.stream}, duration=-1`);
    this.#publish(target, this.#parametersOf(request)).catch((error: unknown) => this.#fail(error));
  }

  onPlay(request: PlayRequest): void {
    const target = this.#findTarget(request.streamName, 'play');
    if (target === undefined) return;
    this.#log.trace(`client identified, type=Play, stream_name=${target.stream}, duration=${request.durationMs}`);
    this.#deadline.clear();
    const asked = this.#hooks?.begin('play', target, this.#parametersOf(request));
    this.#whenAllowed(asked, 'NetStream.Play.Failed', () => this.#startPlay(this.#target ?? target, request.durationMs));
  }

  #startPlay({ vhost, streamId }: AdmittedStream, durationMs: number): void {
    this.#socket.setNoDelay(vhost.tcpNodelay);
    this.#session.setOutChunkSize(vhost.chunkSize);
    this.#session.acceptPlay();
    // What the client has pipelined behind play may have ended it already.
    if (this.#session.phase !== 'play') return;
    const source = new SourceWatch(this.#log);
    this.#play = this.#host.hub.join({
      streamId,
      vhost,
      player: this,
      listener: {
        onSourceChanged: () => source.look(this.#play?.stream),
        onChunkSize: (chunkSize) => {
          this.#session.changeOutChunkSize(chunkSize);
          this.#output.flushAnswers();
        },
      },
      ...(durationMs > 0 ? { durationMs } : {}),
    });
    if (this.#isEnding) {
      this.#endPlay();
      return;
    }
    source.begin(this.#play.stream, `source url=${streamId}, ip=${this.ip}, cache=${vhost.gopCache ? 1 : 0}, is_edge=0`);
    this.#host.players.join(this);
  }

  /** Hot path. */
  onMedia(type: FrameType, timestampMs: number, payload: Buffer): void {
    try {
      this.#publishing?.write(type, timestampMs, payload);
    } catch (error) {
      // While the session can still say why.
      this.#session.notify({ level: 'error', code: 'NetStream.Publish.Failed', description: describeError(error) });
      throw error;
    }
  }

  onUnpublish(): void {
    this.#endPublish();
    this.#deadline.set(REPUBLISH_TIMEOUT_MS, 'no publish after unpublish');
  }

  onPause(isPaused: boolean): void {
    this.#log.trace(isPaused ? 'process pause success, is_pause=1' : 'process pause success, is_pause=0');
    this.#play?.setPaused(isPaused);
  }

  onStop(): void {
    this.#endPlay();
    this.#deadline.set(STOPPED_TIMEOUT_MS, 'no play after closeStream');
  }

  /** Goes on at once when nobody has to be asked, else with the answer, if the client is still there. */
  #whenAllowed(asked: void | Promise<void>, refusal: string, goOn: () => void): void {
    if (asked === undefined) {
      goOn();
      return;
    }
    this.#deadline.clear();
    const onYes = (): void => {
      if (this.#isOver) {
        this.#hooks?.end();
        return;
      }
      goOn();
      if (!this.#session.isWaiting) this.#socket.resume();
    };
    asked.then(onYes, (error: unknown) => this.#refuse(refusal, error)).catch((error: unknown) => this.#fail(error));
  }

  async #publish(target: AdmittedStream, parameters: string): Promise<void> {
    const { vhost, streamId } = target;
    this.#deadline.clear();
    if (!(await this.#mayPublish(target, parameters))) return;
    const opened = await Publishing.open({
      services: this.#host.services,
      vhost,
      streamId,
      log: this.#log,
      ip: this.ip,
      onRevoked: (reason, byIp) => this.#onRevoked(reason, byIp),
    });
    if (!(opened instanceof Publishing)) {
      this.#refuse(statusCodes.publishBadName, publishRefusal(streamId, opened));
      return;
    }
    if (this.#isOver) {
      opened.end();
      this.#hooks?.end();
      return;
    }
    this.#publishing = opened;
    // There may have been a reload while this publish was asked for.
    opened.configure(this.#target?.vhost ?? vhost);
    this.#host.publishers.join(this);
    this.#watchPublisher(opened);
    this.#session.setOutChunkSize(vhost.chunkSize);
    this.#session.acceptPublish();
    this.#publishing?.flush();
    this.#socket.resume();
  }

  /** @returns false when the client has been refused, or has left in the meantime */
  async #mayPublish(target: AdmittedStream, parameters: string): Promise<boolean> {
    const hooks = this.#hooks;
    if (hooks?.isAsked('publish', target) === true && target.vhost.publish.busy === 'reject') {
      // Hook servers count by the stream's name: they are not asked about a second publisher, who will not get it.
      const publisher = await this.#host.services.directory.publisherOf(target.streamId);
      if (publisher !== null) {
        const busy = publishRefusal(target.streamId, { isGranted: false, reason: 'busy', publisher });
        this.#refuse(statusCodes.publishBadName, busy);
        return false;
      }
    }
    try {
      await hooks?.begin('publish', target, parameters);
    } catch (error) {
      this.#refuse(statusCodes.publishBadName, error);
      return false;
    }
    if (this.#isOver) hooks?.end();
    return !this.#isOver;
  }

  #watchPublisher(publishing: Publishing): void {
    this.#deadline.watch(
      () => publishing.patienceMs(),
      () => publishing.silence(),
    );
  }

  #onRevoked(reason: RevokeReason, byIp: string): void {
    const text = reason === 'replaced' ? `stream taken over by ${byIp} (publish busy replace)` : `stream is published by ${byIp}`;
    this.#log.warn(`${this.streamId}: ${text}`);
    this.#note(text);
    this.#session.notify({ level: 'error', code: statusCodes.publishBadName, description: text });
    this.#endPublish();
    this.#end();
  }

  /** @throws SrsError when the client may not come in */
  #admit(request: ConnectRequest): Admission {
    const url = parseTcUrl(request.tcUrl);
    logConnect(this.#log, request, url);
    return Admission.connect(this.#host.services.config(), url, request.pageUrl);
  }

  /** @returns undefined when the client may not have the stream: it has been refused then */
  #findTarget(streamName: string, use: StreamUse): AdmittedStream | undefined {
    if (this.#admission === undefined) throw new SrsError('RtmpConnect', `${use} before connect`);
    try {
      const { services } = this.#host;
      const { ip, place } = this;
      const unixSeconds = Math.floor(services.clock.wallMs() / 1000);
      this.#target = this.#admission.stream(services.config(), { streamName, use, ip, place, unixSeconds });
      return this.#target;
    } catch (error) {
      this.#wanted = `${this.#admission.vhost.name}/${this.#admission.url.app}/${streamName.split('?', 1)[0] ?? ''}`;
      this.#refuse(refusalCode(use, error), error);
      return undefined;
    }
  }

  /** A proper answer first: an encoder that only sees its connection close tries again for ever. */
  #refuse(code: string, reason: unknown): void {
    this.#log.error(`refused${errorNumber(reason)}: ${describeError(reason)}`);
    this.#note(reason, true);
    if (this.#isOver) return;
    this.#hasFailed = true;
    this.#session.reject(code, refusalText(reason));
    this.#end();
  }

  /** What stands behind the `?` of the stream name, or else of the tcUrl, with it. */
  #parametersOf({ streamName }: PublishRequest | PlayRequest): string {
    const start = streamName.indexOf('?');
    return start < 0 ? (this.#admission?.url.param ?? '') : streamName.slice(start);
  }

  #onData(bytes: Buffer): void {
    try {
      this.#session.receive(bytes);
      this.#publishing?.flush();
      if (this.#session.isWaiting) this.#socket.pause();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The client broke the protocol, or this server failed it: one line in the log, then the end. */
  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#hasFailed = true;
    this.#log.error(`serve client failed${errorNumber(error)}: ${describeError(error)}`);
    this.#note(error);
    this.#end();
  }

  #onSocketError(error: Error): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#note(error);
    const code = error instanceof SrsError ? error.code : 1007;
    this.#log.warn(`client disconnect peer. ret=${code}: ${systemErrorCode(error) ?? error.message}`);
  }

  /** A client that has ended its direction may still read: what waits for it is given a moment, and must not hold it for ever. */
  #onPeerEnd(): void {
    if (this.#isEnding) return;
    const error = new SrsError('SocketRead', 'client closed the connection');
    this.#note(error);
    this.#log.warn(`client disconnect peer. ret=${error.code}: ${error.message}`);
    this.#end();
  }

  get #isOver(): boolean {
    return this.#isEnding || this.#isClosed;
  }

  /** What is to be said has been written: closes when the client has read it, or after a moment. */
  #end(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#session.close();
    this.#endPublish();
    this.#endPlay();
    this.#output.end();
    this.#socket.resume();
    this.#deadline.run(LAST_WORDS_MS, () => this.#socket.destroy());
  }

  #onClose(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#deadline.clear();
    this.#session.close();
    this.#endPublish();
    this.#endPlay();
    this.#hooks?.close({ sendBytes: this.#traffic.sendBytes, recvBytes: this.#traffic.recvBytes });
    this.#log.trace('client finished.');
    this.#host.onClosed(this);
  }

  #endPublish(): void {
    this.#publishing?.end();
    this.#publishing = undefined;
    this.#hooks?.end();
    this.place.end('publish');
    this.#host.publishers.leave(this);
  }

  #endPlay(): void {
    const play = this.#play;
    if (play !== undefined) {
      play.leave();
      this.#output.countDirect(play.directBytes);
    }
    this.#play = undefined;
    this.#hooks?.end();
    this.place.end('play');
    this.#host.players.leave(this);
  }
}
