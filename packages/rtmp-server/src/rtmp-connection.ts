/** One RTMP client: its socket, its session, and what it does at the moment. */
import type { Socket } from 'node:net';
import { parseStreamName, parseTcUrl, resolveVhost, streamId, type TcUrl, type VhostConfig } from '@srs/config';
import type { RevokeReason } from '@srs/control';
import { describeError, type FrameType, type Kbps, type Log, RateMeter, SrsError, systemErrorCode } from '@srs/kernel';
import {
  type ConnectRequest,
  nodeRtmpCrypto,
  type PlayRequest,
  type PublishRequest,
  ServerSession,
  type ServerSessionHandler,
  statusCodes,
} from '@srs/rtmp';
import type { FanOutPlayer } from '@srs/stream';
import type { PithyMember, PithyPrint } from './pithy-print.ts';
import type { PlayHandle, PlayHub } from './play-hub.ts';
import { Publishing } from './publishing.ts';
import { isReferAllowed } from './refer.ts';
import type { RtmpServices } from './services.ts';

/** From the first byte to an accepted connect, and from there to publish or play. */
const SETUP_TIMEOUT_MS = 30_000;
/** For the next publish after an unpublish. */
const REPUBLISH_TIMEOUT_MS = 180_000;
/** For the next play after a closeStream, which some players send for a pause. */
const STOPPED_TIMEOUT_MS = 30 * 60_000;
/** A refused or dismissed client reads the reason within this time, or not at all. */
const LAST_WORDS_MS = 3_000;
const KEEP_ALIVE_MS = 30_000;
/** More than a batch of media and all answers to a sane client. */
const MAX_UNREAD_BYTES = 8 * 1024 * 1024;
/** Answers are written together up to this size. */
const MAX_ANSWER_BYTES = 16 * 1024;
const EMPTY = Buffer.alloc(0);

export type ClientType = 'unknown' | 'publish' | 'play';

export interface ConnectionHost {
  readonly services: RtmpServices;
  readonly hub: PlayHub;
  readonly publishers: PithyPrint;
  readonly players: PithyPrint;
  onClosed(connection: RtmpConnection): void;
}

/** What a connection tells about itself. */
export interface ClientDescription {
  readonly id: number;
  readonly ip: string;
  readonly type: ClientType;
  readonly vhost: string;
  readonly app: string;
  readonly stream: string;
  readonly streamId: string;
  readonly tcUrl: string;
  readonly pageUrl: string;
  readonly flashVer: string;
  readonly aliveSeconds: number;
  readonly sendBytes: number;
  readonly recvBytes: number;
  readonly sendKbps: Kbps;
  readonly recvKbps: Kbps;
  readonly pendingBytes: number;
  /** Of a player. */
  readonly isInStep?: boolean;
  readonly isPaused?: boolean;
  readonly cuts?: number;
  readonly droppedFrames?: number;
  readonly lagBytes?: number;
}

export class RtmpConnection implements ServerSessionHandler, FanOutPlayer, PithyMember {
  readonly cid: number;
  readonly ip: string;
  readonly #host: ConnectionHost;
  readonly #socket: Socket;
  readonly #session: ServerSession;
  readonly #log: Log;
  readonly #startedMs: number;
  readonly #sendRate: RateMeter;
  readonly #recvRate: RateMeter;
  /** What the connect command says of the client. */
  #client = { tcUrl: '', pageUrl: '', flashVer: '' };
  #url: TcUrl | undefined;
  /** The vhost of the connect command; a stream name can ask for another one. */
  #vhost: VhostConfig | undefined;
  #stream = '';
  #streamId = '';
  #publishing: Publishing | undefined;
  #play: PlayHandle | undefined;
  #sourceCid = -1;
  #timer: NodeJS.Timeout | undefined;
  #isDrainAwaited = false;
  /** What the session has said and the socket does not have yet, for the rest of this tick. */
  #answers: Buffer[] = [];
  #answerBytes = 0;
  #isEnding = false;
  #isClosed = false;

  constructor(socket: Socket, host: ConnectionHost) {
    const { services } = host;
    this.#host = host;
    this.#socket = socket;
    this.cid = services.nextCid();
    this.ip = plainAddress(socket.remoteAddress);
    this.#log = services.log.child(this.cid);
    this.#startedMs = services.clock.nowMs();
    this.#sendRate = new RateMeter(services.clock);
    this.#recvRate = new RateMeter(services.clock);
    const config = services.config();
    this.#session = new ServerSession(this, {
      crypto: nodeRtmpCrypto,
      unixSeconds: () => Math.floor(services.clock.wallMs() / 1000),
      outChunkSize: config.chunkSize,
      ...(config.outAckSize > 0 ? { windowAckSize: config.outAckSize } : {}),
    });
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.on('data', (bytes: Buffer) => this.#onData(bytes));
    socket.on('error', (error) => this.#onSocketError(error));
    socket.on('end', () => this.#onPeerEnd());
    socket.on('close', () => this.#onClose());
    this.#log.trace(`RTMP client ip=${this.ip}`);
    this.#setDeadline(SETUP_TIMEOUT_MS, 'no connect command');
  }

  get type(): ClientType {
    if (this.#publishing !== undefined) return 'publish';
    return this.#play === undefined ? 'unknown' : 'play';
  }

  get streamId(): string {
    return this.#streamId;
  }

  /** From the client, since it connected; still right after the end. */
  get recvBytes(): number {
    return this.#socket.bytesRead;
  }

  get sendBytes(): number {
    return this.#socket.bytesWritten;
  }

  get publishing(): Publishing | undefined {
    return this.#publishing;
  }

  describe(): ClientDescription {
    const player = this.#play?.statistics;
    return {
      id: this.cid,
      ip: this.ip,
      type: this.type,
      vhost: this.#vhost?.name ?? '',
      app: this.#url?.app ?? '',
      stream: this.#stream,
      streamId: this.#streamId,
      ...this.#client,
      aliveSeconds: Math.round((this.#host.services.clock.nowMs() - this.#startedMs) / 1000),
      sendBytes: this.sendBytes,
      recvBytes: this.recvBytes,
      sendKbps: this.#sendRate.sample(this.sendBytes),
      recvKbps: this.#recvRate.sample(this.recvBytes),
      pendingBytes: this.pendingBytes,
      ...player,
    };
  }

  /** Called every few seconds, so that the windows of the rates are what they say. */
  sampleRates(): void {
    this.#sendRate.sample(this.sendBytes);
    this.#recvRate.sample(this.recvBytes);
  }

  /** The server ends: tells the client, and lets go of it when it has heard, or after a moment. */
  dismiss(description: string): void {
    if (this.#isEnding) return;
    this.#session.notify({
      level: 'status',
      code: this.#publishing === undefined ? 'NetStream.Play.Stop' : statusCodes.unpublishSuccess,
      description,
    });
    this.#end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  // FanOutPlayer

  /** Hot path: one write call. */
  write(bytes: Buffer): void {
    this.#sendAnswers();
    this.#socket.write(bytes);
    if (this.#socket.writableLength > 0 && !this.#isDrainAwaited) {
      // The socket tells of a drain only above its own high-water mark; an empty write behind the rest tells always.
      this.#isDrainAwaited = true;
      this.#socket.write(EMPTY, () => this.#onDrained());
    }
  }

  get pendingBytes(): number {
    return this.#socket.writableLength;
  }

  onFinished(): void {
    this.#log.trace('play duration exceeded, client finished.');
    this.#end();
  }

  printSummary(): void {
    const elapsedMs = Math.round(this.#host.services.clock.nowMs() - this.#startedMs);
    const rates = `okbps=${kbpsText(this.#sendRate.sample(this.sendBytes))}, ikbps=${kbpsText(this.#recvRate.sample(this.recvBytes))}`;
    if (this.#publishing === undefined) this.#log.trace(`-> PLA time=${elapsedMs}, msgs=0, ${rates}`);
    else this.#log.trace(`<- CPB time=${elapsedMs}, ${rates}`);
  }

  // ServerSessionHandler

  /** Collects what is said in one tick: an answer of 18 bytes that waits in a buffer of its own costs ten times as much. */
  onSend(bytes: Buffer): void {
    this.#answers.push(bytes);
    this.#answerBytes += bytes.length;
    if (this.#answerBytes >= MAX_ANSWER_BYTES) this.#sendAnswers();
    else if (this.#answers.length === 1) queueMicrotask(() => this.#sendAnswers());
  }

  onHandshake(kind: string): void {
    this.#log.trace(`${kind === 'simple' ? 'simple' : 'complex'} handshake success`);
  }

  onWarning(text: string): void {
    this.#log.warn(text);
  }

  onConnect(request: ConnectRequest): void {
    // Not the request itself: its objects may be large.
    const { tcUrl, pageUrl, flashVer } = request;
    this.#client = { tcUrl, pageUrl, flashVer };
    const url = this.#parseUrl(tcUrl);
    if (url === undefined) return;
    this.#url = url;
    this.#log.trace(
      `connect app, tcUrl=${request.tcUrl}, pageUrl=${request.pageUrl}, swfUrl=${request.swfUrl}, schema=${url.schema}, ` +
        `vhost=${url.vhost}, port=${url.port}, app=${url.app}, args=${request.args === undefined ? 'null' : '(obj)'}`,
    );
    if (request.peer !== undefined) {
      const { serverIp, version, pid, id } = request.peer;
      this.#log.trace(`edge-srs ip=${serverIp}, version=${version}, pid=${pid}, id=${id}`);
    }
    const vhost = this.#findVhost(url.vhost, statusCodes.connectRejected);
    if (vhost === undefined) return;
    this.#vhost = vhost;
    if (!this.#checkRefer(vhost.refer, statusCodes.connectRejected)) return;
    const { identity, pid } = this.#host.services;
    this.#session.setOutChunkSize(vhost.chunkSize);
    this.#setDeadline(SETUP_TIMEOUT_MS, 'neither publish nor play');
    this.#session.acceptConnect({
      ...identity,
      role: 'origin/edge server',
      serverIp: plainAddress(this.#socket.localAddress),
      pid,
      id: this.cid,
    });
  }

  onPublish(request: PublishRequest): void {
    const target = this.#findTarget(request.streamName, statusCodes.publishBadName);
    if (target === undefined) return;
    const type = request.dialect === 'flash' ? 'publish(FlashPublish)' : 'publish(FMLEPublish)';
    this.#log.trace(`client identified, type=${type}, stream_name=${this.#stream}, duration=-1`);
    if (!this.#checkRefer(target.referPublish, statusCodes.publishBadName)) return;
    this.#publish(target).catch((error: unknown) => this.#fail(error));
  }

  onPlay(request: PlayRequest): void {
    const target = this.#findTarget(request.streamName, statusCodes.playStreamNotFound);
    if (target === undefined) return;
    this.#log.trace(`client identified, type=Play, stream_name=${this.#stream}, duration=${request.durationMs}`);
    if (!this.#checkRefer(target.referPlay, 'NetStream.Play.Failed')) return;
    this.#clearDeadline();
    this.#socket.setNoDelay(target.tcpNodelay);
    this.#session.setOutChunkSize(target.chunkSize);
    this.#session.acceptPlay();
    // What the client has pipelined behind play may have ended it already.
    if (this.#session.phase !== 'play') return;
    this.#play = this.#host.hub.join({
      streamId: this.#streamId,
      vhost: target,
      player: this,
      onSourceChanged: () => this.#onSourceChanged(),
      ...(request.durationMs > 0 ? { durationMs: request.durationMs } : {}),
    });
    if (this.#isEnding) {
      this.#endPlay();
      return;
    }
    this.#sourceCid = this.#play.stream.publisher?.cid ?? -1;
    this.#log.trace(
      `source url=${this.#streamId}, ip=${this.ip}, cache=${target.gopCache ? 1 : 0}, is_edge=0, source_id=${this.#sourceCid}[${this.#sourceCid}]`,
    );
    this.#host.players.join(this);
  }

  /** Hot path. */
  onMedia(type: FrameType, timestampMs: number, payload: Buffer): void {
    this.#publishing?.write(type, timestampMs, payload);
  }

  onUnpublish(): void {
    this.#endPublish();
    this.#setDeadline(REPUBLISH_TIMEOUT_MS, 'no publish after unpublish');
  }

  onPause(isPaused: boolean): void {
    this.#log.trace(isPaused ? 'process pause success, is_pause=1' : 'process pause success, is_pause=0');
    this.#play?.setPaused(isPaused);
  }

  onStop(): void {
    this.#endPlay();
    this.#setDeadline(STOPPED_TIMEOUT_MS, 'no play after closeStream');
  }

  async #publish(vhost: VhostConfig): Promise<void> {
    this.#clearDeadline();
    const opened = await Publishing.open({
      services: this.#host.services,
      vhost,
      streamId: this.#streamId,
      log: this.#log,
      ip: this.ip,
      onRevoked: (reason, byIp) => this.#onRevoked(reason, byIp),
    });
    if (!(opened instanceof Publishing)) {
      const by = opened.publisher === null ? '' : ` by ${opened.publisher.ip}, cid=${opened.publisher.cid}`;
      const text =
        opened.reason === 'busy'
          ? `stream ${this.#streamId} is already published${by}`
          : `no shared memory for stream ${this.#streamId} (ring memory)`;
      this.#refuse(statusCodes.publishBadName, new SrsError(opened.reason === 'busy' ? 'StreamBusy' : 'SharedMemory', text));
      return;
    }
    if (this.#isClosed || this.#isEnding) {
      opened.end();
      return;
    }
    this.#publishing = opened;
    this.#host.publishers.join(this);
    this.#watchPublisher();
    this.#session.setOutChunkSize(vhost.chunkSize);
    this.#session.acceptPublish();
    this.#publishing?.flush();
    this.#socket.resume();
  }

  /** The stream got another publisher. */
  #onSourceChanged(): void {
    const cid = this.#play?.stream.publisher?.cid ?? -1;
    if (cid === this.#sourceCid || cid < 0) return;
    this.#sourceCid = cid;
    this.#log.trace(`update source_id=${cid}[${cid}]`);
  }

  #watchPublisher(): void {
    const patienceMs = this.#publishing?.patienceMs();
    if (patienceMs === undefined) return;
    if (patienceMs <= 0) {
      this.#fail(this.#publishing?.silence());
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#watchPublisher(), patienceMs);
  }

  #onRevoked(reason: RevokeReason, byIp: string): void {
    const text = reason === 'replaced' ? `stream taken over by ${byIp} (publish busy replace)` : `stream is published by ${byIp}`;
    this.#log.warn(`${this.#streamId}: ${text}`);
    this.#session.notify({ level: 'error', code: statusCodes.publishBadName, description: text });
    this.#endPublish();
    this.#end();
  }

  #parseUrl(tcUrl: string): TcUrl | undefined {
    try {
      return parseTcUrl(tcUrl);
    } catch (error) {
      this.#refuse(statusCodes.connectRejected, error);
      return undefined;
    }
  }

  #findVhost(name: string, refusal: string): VhostConfig | undefined {
    const found = resolveVhost(this.#host.services.config(), name);
    if (found.kind === 'found') return found.vhost;
    this.#refuse(refusal, new SrsError('RtmpVhost', found.reason));
    return undefined;
  }

  /** Takes a stream name apart and remembers it. @returns the vhost to serve it; undefined when the client was refused */
  #findTarget(streamName: string, refusal: string): VhostConfig | undefined {
    const url = this.#url;
    if (url === undefined || this.#vhost === undefined) throw new SrsError('RtmpConnect', 'publish or play before connect');
    let target = this.#vhost;
    try {
      const name = parseStreamName(streamName);
      if (name.vhost !== undefined && name.vhost !== url.vhost) {
        const other = this.#findVhost(name.vhost, refusal);
        if (other === undefined || !this.#checkRefer(other.refer, refusal)) return undefined;
        target = other;
      }
      this.#stream = name.stream;
      this.#streamId = streamId(target.name, url.app, name.stream);
      return target;
    } catch (error) {
      this.#refuse(refusal, error);
      return undefined;
    }
  }

  #checkRefer(allowed: readonly string[], refusal: string): boolean {
    const { pageUrl } = this.#client;
    if (isReferAllowed(pageUrl, allowed)) return true;
    this.#refuse(
      refusal,
      new SrsError('RtmpAccessDenied', `page ${JSON.stringify(pageUrl)} must end with one of: ${allowed.join(' ')}`),
    );
    return false;
  }

  /** A proper answer first: an encoder that only sees its connection close tries again for ever. */
  #refuse(code: string, reason: unknown): void {
    const text = describeError(reason);
    this.#log.error(`refused${errorNumber(reason)}: ${text}`);
    this.#session.reject(code, text);
    this.#end();
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

  #sendAnswers(): void {
    const answers = this.#answers;
    if (answers.length === 0) return;
    this.#answers = [];
    this.#answerBytes = 0;
    if (this.#socket.destroyed) return;
    if (this.#socket.writableLength > MAX_UNREAD_BYTES) {
      // Every ping and call is answered: a client that asks and never reads must not fill the memory.
      this.#socket.destroy(new SrsError('RtmpMemory', `client leaves more than ${MAX_UNREAD_BYTES} bytes unread`));
      return;
    }
    this.#socket.write(answers.length === 1 ? answers[0]! : Buffer.concat(answers));
  }

  #onDrained(): void {
    this.#isDrainAwaited = false;
    if (!this.#isClosed) this.#play?.onDrain();
  }

  /** The client broke the protocol, or this server failed it: one line in the log, then the end. */
  #fail(error: unknown): void {
    if (this.#isEnding || this.#isClosed) return;
    this.#log.error(`serve client failed${errorNumber(error)}: ${describeError(error)}`);
    this.#end();
  }

  #onSocketError(error: Error): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    const code = error instanceof SrsError ? error.code : 1007;
    this.#log.warn(`client disconnect peer. ret=${code}: ${systemErrorCode(error) ?? error.message}`);
  }

  /** A client that has ended its direction may still read: what waits for it is given a moment, and must not hold it for ever. */
  #onPeerEnd(): void {
    if (this.#isEnding) return;
    const error = new SrsError('SocketRead', 'client closed the connection');
    this.#log.warn(`client disconnect peer. ret=${error.code}: ${error.message}`);
    this.#end();
  }

  /** What is to be said has been written: closes when the client has read it, or after a moment. */
  #end(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#session.close();
    this.#endPublish();
    this.#endPlay();
    this.#sendAnswers();
    this.#socket.end();
    this.#socket.resume();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#socket.destroy(), LAST_WORDS_MS);
  }

  #onClose(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#session.close();
    this.#endPublish();
    this.#endPlay();
    this.#log.trace('client finished.');
    this.#host.onClosed(this);
  }

  #endPublish(): void {
    this.#publishing?.end();
    this.#publishing = undefined;
    this.#host.publishers.leave(this);
  }

  #endPlay(): void {
    this.#play?.leave();
    this.#play = undefined;
    this.#host.players.leave(this);
  }

  #setDeadline(timeoutMs: number, what: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#fail(new SrsError('SocketTimeout', `${what} within ${timeoutMs / 1000} s`));
    }, timeoutMs);
  }

  #clearDeadline(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

const kbpsText = (rate: Kbps): string => `${rate.average},${rate.last30s},${rate.last5m}`;

const errorNumber = (error: unknown): string => (error instanceof SrsError ? `. ret=${error.code}` : '');

/** IPv4 as people write it, also where the socket speaks IPv6. */
function plainAddress(address: string | undefined): string {
  return (address ?? 'unknown').replace(/^::ffff:/, '');
}
