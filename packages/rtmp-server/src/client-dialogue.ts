/** What one client asks for and gets: connect, then publishes and plays, one after another. */

import type { StreamUse } from '@srs/access';
import {
  type AdmittedStream,
  ClientRedirect,
  type ClientType,
  ConnectionHooks,
  type HookedClient,
  type HookSubject,
  type HookTraffic,
  type Publishing,
  type RedirectAnswer,
  redirectAddresses,
  revocationText,
  type StreamRoutes,
  startPublishing,
} from '@srs/clients';
import { type Config, parseTcUrl, type VhostConfig } from '@srs/config';
import type { PublisherInfo, RevokeReason } from '@srs/control';
import { describeError, type FrameType, type Log, SrsError } from '@srs/kernel';
import {
  type ConnectRequest,
  nodeRtmpCrypto,
  type PlayRequest,
  type PublishRequest,
  ServerSession,
  type ServerSessionHandler,
  statusCodes,
} from '@srs/rtmp';
import { Admission } from './admission.ts';
import { type ClientIdentity, identityOf, logConnect, unknownIdentity } from './client-identity.ts';
import type { DialogueConnection, DialogueShared } from './dialogue-connection.ts';
import { OriginRefusal } from './origin-gate.ts';
import { Playing } from './playing.ts';
import { refusalCode } from './refusal.ts';

/** From an accepted connect to publish or play. */
const SETUP_TIMEOUT_MS = 30_000;
/** For the next publish after an unpublish. */
const REPUBLISH_TIMEOUT_MS = 180_000;
/** For the next play after a closeStream, which some players send for a pause. */
const STOPPED_TIMEOUT_MS = 30 * 60_000;

export class ClientDialogue implements ServerSessionHandler, HookedClient {
  readonly session: ServerSession;
  readonly #shared: DialogueShared;
  readonly #connection: DialogueConnection;
  readonly #log: Log;
  #identity = unknownIdentity;
  /** Servers that what it publishes has passed through. */
  #hops: readonly string[] = [];
  /** There as soon as the client is admitted. */
  #admission: Admission | undefined;
  /** As the client wrote it. */
  #tcUrl = '';
  #hooks: ConnectionHooks | undefined;
  /** The stream it publishes or plays, or did last. */
  #target: AdmittedStream | undefined;
  /** The stream that it was not given. */
  #wanted = '';
  #dialect: PublishRequest['dialect'] | undefined;
  #publishing: Publishing | undefined;
  /** While others are asked about its connect. */
  #asking: AbortController | undefined;
  #playing: Playing | undefined;

  constructor(connection: DialogueConnection, shared: DialogueShared) {
    const { clock } = shared.services;
    this.#shared = shared;
    this.#connection = connection;
    this.#log = connection.log;
    this.session = new ServerSession(this, {
      crypto: nodeRtmpCrypto,
      unixSeconds: () => Math.floor(clock.wallMs() / 1000),
    });
  }

  get type(): ClientType {
    if (this.#publishing !== undefined) return 'publish';
    return this.#playing === undefined ? 'unknown' : 'play';
  }

  get identity(): ClientIdentity {
    return this.#identity;
  }

  get publishing(): Publishing | undefined {
    return this.#publishing;
  }

  get playing(): Playing | undefined {
    return this.#playing;
  }

  /** How the encoder said that it publishes; '' when none does. */
  get dialect(): PublishRequest['dialect'] | '' {
    return this.#publishing === undefined ? '' : (this.#dialect ?? '');
  }

  get vhost(): VhostConfig | undefined {
    return (this.#target ?? this.#admission)?.vhost;
  }

  get app(): string {
    return this.#admission?.url.app ?? '';
  }

  get stream(): string {
    return this.#target?.stream ?? '';
  }

  get streamId(): string {
    return this.#target?.streamId ?? '';
  }

  /** The stream that it has, had, or was not given. */
  get wantedId(): string {
    return this.streamId === '' ? this.#wanted : this.streamId;
  }

  /** Who feeds the stream that it plays; itself when it publishes. */
  get source(): PublisherInfo | null {
    if (this.#publishing === undefined) return this.#playing?.source ?? null;
    const { slot, pid } = this.#shared.services;
    const { cid, ip } = this.#connection;
    return { slot, pid, cid, ip };
  }

  /** @throws SrsError before the client is admitted */
  get hookSubject(): HookSubject {
    if (this.#admission === undefined) throw new SrsError('RtmpConnect', 'no hook before connect');
    const { cid, ip, log } = this.#connection;
    const { url, vhost, pageUrl } = this.#admission;
    return { cid, ip, vhost, app: url.app, tcUrl: this.#tcUrl, pageUrl, param: url.param, log };
  }

  /** Hot path. @throws SrsError for broken protocol or media */
  receive(bytes: Buffer): void {
    this.session.receive(bytes);
    this.#publishing?.flush();
  }

  /** A reload: the client goes on under the new settings of its vhost, or leaves with it. */
  configure(config: Config): void {
    const used = this.vhost;
    if (used === undefined || this.#connection.isOver) return;
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
    if (this.#playing !== undefined) this.#connection.setNoDelay(vhost.tcpNodelay);
    // Those who play are told together, between two batches.
    else this.session.changeOutChunkSize(vhost.chunkSize);
  }

  /** The server ends what the client does, and says why. */
  dismiss(description: string): void {
    const code = this.#publishing === undefined ? 'NetStream.Play.Stop' : statusCodes.unpublishSuccess;
    this.session.notify({ level: 'status', code, description });
    this.#connection.end(description);
  }

  /** The client is served elsewhere, whatever it does here. @returns false when it has not connected yet */
  sendTo(answer: RedirectAnswer): boolean {
    if (this.#admission === undefined) return false;
    this.#refuse(statusCodes.connectRejected, new ClientRedirect(answer));
    return true;
  }

  /** Nothing is said or heard any more; what the client did is over. */
  close(): void {
    this.session.close();
    this.stop();
  }

  /** What the client did is over. */
  stop(): void {
    this.#asking?.abort();
    this.#endPublish();
    this.#endPlay();
  }

  /** The connection has closed, after `close`. */
  leave(traffic: HookTraffic): void {
    this.#hooks?.close(traffic);
  }

  // ServerSessionHandler

  onSend(bytes: Buffer): void {
    this.#connection.output.say(bytes);
  }

  onHandshake(kind: string): void {
    this.#log.trace(`${kind === 'simple' ? 'simple' : 'complex'} handshake success`);
  }

  onWarning(text: string): void {
    this.#log.warn(text);
  }

  onConnect(request: ConnectRequest): void {
    this.#identity = identityOf(request);
    this.#hops = request.hops;
    try {
      this.#admit(request);
    } catch (error) {
      this.#connection.refuse(statusCodes.connectRejected, error);
      return;
    }
    const asked = this.#hooks?.connect();
    const allowed = asked === undefined ? this.#askOrigins(request) : asked.then(() => this.#askOrigins(request));
    this.#whenAllowed(statusCodes.connectRejected, allowed, () => this.#acceptConnect());
  }

  onPublish(request: PublishRequest): void {
    const target = this.#findTarget(request.streamName, 'publish');
    if (target === undefined) return;
    if (this.#hops.includes(this.#shared.services.instanceId)) {
      const error = new SrsError('ForwardLoop', `stream ${target.streamId} comes back to the server that has sent it`);
      this.#connection.refuse(statusCodes.publishLoop, error);
      return;
    }
    this.#dialect = request.dialect;
    const type = request.dialect === 'flash' ? 'publish(FlashPublish)' : 'publish(FMLEPublish)';
    this.#log.trace(`client identified, type=${type}, stream_name=${target.stream}, duration=-1`);
    this.#publish(target, request.streamName).catch((error: unknown) => this.#connection.fail(error));
  }

  onPlay(request: PlayRequest): void {
    const target = this.#findTarget(request.streamName, 'play');
    if (target === undefined) return;
    this.#log.trace(`client identified, type=Play, stream_name=${target.stream}, duration=${request.durationMs}`);
    this.#connection.deadline.clear();
    const asked = this.#begin('play', target, request.streamName);
    // There may be a reload while it is asked.
    this.#whenAllowed('NetStream.Play.Failed', asked, () => this.#play(this.#target ?? target, request.durationMs));
  }

  /** Hot path. */
  onMedia(type: FrameType, timestampMs: number, payload: Buffer): void {
    try {
      this.#publishing?.write(type, timestampMs, payload);
    } catch (error) {
      // While the session can still say why.
      this.session.notify({ level: 'error', code: 'NetStream.Publish.Failed', description: describeError(error) });
      throw error;
    }
  }

  onUnpublish(): void {
    this.#endPublish();
    this.#connection.deadline.set(REPUBLISH_TIMEOUT_MS, 'no publish after unpublish');
  }

  onRedirectAccepted(): void {
    this.#connection.onRedirectAccepted();
  }

  onPause(isPaused: boolean): void {
    this.#log.trace(isPaused ? 'process pause success, is_pause=1' : 'process pause success, is_pause=0');
    this.#playing?.setPaused(isPaused);
  }

  onStop(): void {
    this.#endPlay();
    this.#connection.deadline.set(STOPPED_TIMEOUT_MS, 'no play after closeStream');
  }

  /** @throws SrsError when the client may not come in */
  #admit(request: ConnectRequest): void {
    const { services } = this.#shared;
    const url = parseTcUrl(request.tcUrl);
    logConnect(this.#log, request, url);
    this.#admission = Admission.connect(services.config(), url, request.pageUrl);
    this.#tcUrl = request.tcUrl;
    this.#hooks = new ConnectionHooks(services.hooks, this);
  }

  /** @throws OriginRefusal, or SrsError when they give no answer */
  #askOrigins(request: ConnectRequest): void | Promise<void> {
    const { vhost } = this;
    if (vhost === undefined || this.#connection.isOver) return;
    if (vhost.tokenTraverse && this.#hops.includes(this.#shared.services.instanceId)) {
      const error = new SrsError('ForwardLoop', 'the origins of this edge ask the edge itself (token_traverse)');
      return Promise.reject(error);
    }
    const asking = new AbortController();
    const asked = this.#shared.services.originGate?.ask(vhost, request, asking.signal);
    if (asked === undefined) return;
    this.#asking = asking;
    return asked.then(
      (verdict) => {
        if (!verdict.isAllowed) throw new OriginRefusal(verdict);
      },
      (error: unknown) => {
        // A client that has left is refused nothing.
        if (!asking.signal.aborted) throw error;
      },
    );
  }

  #acceptConnect(): void {
    const { vhost } = this;
    if (vhost === undefined) return;
    const { identity, pid } = this.#shared.services;
    const { deadline, localIp, cid } = this.#connection;
    this.session.setOutChunkSize(vhost.chunkSize);
    this.session.setWindows(vhost);
    deadline.set(SETUP_TIMEOUT_MS, 'neither publish nor play');
    this.session.acceptConnect({ ...identity, role: 'origin/edge server', serverIp: localIp, pid, id: cid });
  }

  /** @returns undefined when the client may not have the stream: it has been refused then */
  #findTarget(streamName: string, use: StreamUse): AdmittedStream | undefined {
    if (this.#admission === undefined) throw new SrsError('RtmpConnect', `${use} before connect`);
    try {
      const { services } = this.#shared;
      const { ip, place } = this.#connection;
      const unixSeconds = Math.floor(services.clock.wallMs() / 1000);
      this.#target = this.#admission.stream(services.config(), { streamName, use, ip, place, unixSeconds });
      return this.#target;
    } catch (error) {
      this.#wanted = `${this.#admission.vhost.name}/${this.#admission.url.app}/${streamName.split('?', 1)[0] ?? ''}`;
      this.#connection.refuse(refusalCode(use, error), error);
      return undefined;
    }
  }

  /** Goes on at once when nobody has to be asked, else with the answer, if the client is still there. */
  #whenAllowed(refusal: string, asked: void | Promise<void>, goOn: () => void): void {
    if (asked === undefined) {
      goOn();
      return;
    }
    const connection = this.#connection;
    connection.deadline.clear();
    const onYes = (): void => {
      if (connection.isOver) {
        this.#hooks?.end();
        return;
      }
      goOn();
      connection.resume();
    };
    asked.then(onYes, (error: unknown) => this.#refuse(refusal, error)).catch((error: unknown) => connection.fail(error));
  }

  /** @throws ClientRedirect when the stream is served elsewhere; SrsError HttpAnswer when the client may not have it */
  #begin(use: StreamUse, target: AdmittedStream, streamName: string): void | Promise<void> {
    const found = this.#find(use, target);
    if (found === undefined) return this.#hooks?.begin(use, target, streamName);
    return Promise.resolve(found).then((answer) => {
      if (answer !== undefined) throw new ClientRedirect(answer);
      return this.#connection.isOver ? undefined : this.#hooks?.begin(use, target, streamName);
    });
  }

  /** What is thrown at once is a refusal as any other, told when the request has been handed over. */
  #find(use: StreamUse, target: AdmittedStream): ReturnType<StreamRoutes['find']> {
    const { routes } = this.#shared.services;
    try {
      return routes.find(use, target);
    } catch (error) {
      return Promise.resolve().then(() => {
        throw error;
      });
    }
  }

  /** It is told no, or where to go instead. */
  #refuse(code: string, reason: unknown): void {
    const admission = this.#admission;
    if (!(reason instanceof ClientRedirect) || admission === undefined) {
      this.#connection.refuse(reason instanceof OriginRefusal ? reason.statusCode : code, reason);
      return;
    }
    const { to } = reason;
    if (to.kind === 'http') {
      this.#connection.refuse(code, new SrsError('HttpAnswer', 'this address is not for RTMP clients', { cause: reason }));
      return;
    }
    const { app, param } = admission.url;
    const target = this.#target;
    const streamName = target === undefined ? '' : `${target.stream}${target.param}`;
    const { vhost } = target ?? admission;
    this.#connection.redirect(redirectAddresses(to, { vhost, app, appParam: param, streamName }), reason);
  }

  async #publish(target: AdmittedStream, streamName: string): Promise<void> {
    const connection = this.#connection;
    const { ip, log, deadline } = connection;
    const { services, publishers } = this.#shared;
    const hooks = this.#hooks;
    if (hooks === undefined) return;
    deadline.clear();
    let publishing: Publishing | undefined;
    try {
      const onRevoked = (reason: RevokeReason, detail: string): void => this.#onRevoked(reason, detail);
      const isOver = (): boolean => connection.isOver;
      const begin = (): void | Promise<void> => this.#begin('publish', target, streamName);
      publishing = await startPublishing({
        services,
        target,
        hops: this.#hops,
        hooks,
        begin,
        streamName,
        log,
        ip,
        onRevoked,
        isOver,
      });
    } catch (error) {
      this.#refuse(statusCodes.publishBadName, error);
    }
    if (publishing === undefined) return;
    this.#publishing = publishing;
    // There may have been a reload while this publish was asked for.
    const vhost = this.#target?.vhost ?? target.vhost;
    publishing.configure(vhost);
    publishers.join(connection);
    this.#watchPublisher(publishing);
    this.session.setOutChunkSize(vhost.chunkSize);
    this.session.acceptPublish();
    this.#publishing?.flush();
    connection.resume();
  }

  #watchPublisher(publishing: Publishing): void {
    this.#connection.deadline.watch(
      () => publishing.patienceMs(),
      () => publishing.silence(),
    );
  }

  #onRevoked(reason: RevokeReason, detail: string): void {
    const text = revocationText(reason, detail);
    this.#log.warn(`${this.streamId}: ${text}`);
    this.session.notify({ level: 'error', code: statusCodes.publishBadName, description: text });
    this.#endPublish();
    this.#connection.end(text);
  }

  #play(target: AdmittedStream, durationMs: number): void {
    const connection = this.#connection;
    const { hub, players } = this.#shared;
    const { vhost, streamId } = target;
    const { session } = this;
    connection.setNoDelay(vhost.tcpNodelay);
    session.setOutChunkSize(vhost.chunkSize);
    session.acceptPlay();
    // What the client has pipelined behind play may have ended it already.
    if (session.phase !== 'play') return;
    this.#playing = new Playing({ hub, target, durationMs, session, connection });
    if (connection.isOver) {
      this.#endPlay();
      return;
    }
    const cid = this.#playing.source?.cid ?? -1;
    const cache = vhost.gopCache ? 1 : 0;
    this.#log.trace(`source url=${streamId}, ip=${connection.ip}, cache=${cache}, is_edge=0, source_id=${cid}[${cid}]`);
    players.join(connection);
  }

  #endPublish(): void {
    this.#publishing?.end();
    this.#publishing = undefined;
    this.#hooks?.end();
    this.#connection.place.end('publish');
    this.#shared.publishers.leave(this.#connection);
  }

  #endPlay(): void {
    this.#playing?.leave();
    this.#playing = undefined;
    this.#hooks?.end();
    this.#connection.place.end('play');
    this.#shared.players.leave(this.#connection);
  }
}
