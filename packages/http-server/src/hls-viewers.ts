/**
 * The viewers of HLS as clients: each is let in once, by the rules of its vhost and by the hook server, gets a key that its URLs carry
 * from then on, and is over when nobody has asked for anything with that key for a while.
 */

import type { ViewerTable } from '@srs/access';
import { type AddressLimiter, checkStreamAccess } from '@srs/access';
import {
  admitHttpClient,
  assertAllowed,
  type ClientHooks,
  ClientRegistry,
  type HttpAdmission,
  type ServerDrain,
} from '@srs/clients';
import { type Config, streamId } from '@srs/config';
import { type Clock, describeError, type Log, SrsError } from '@srs/kernel';
import { ApiError } from './api-errors.ts';
import { hasSessions, silentMsOf } from './hls-sessions.ts';
import type { HlsPlaylist, HlsSegment } from './hls-target.ts';
import { HlsViewer } from './hls-viewer.ts';
import { refusalOf } from './media-refusals.ts';

export interface HlsViewersOptions {
  config(): Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly hooks: ClientHooks;
  readonly drain: Pick<ServerDrain, 'assertOpen'>;
  nextCid(): number;
  /** Counts the clients of each address over all processes. */
  readonly addresses: AddressLimiter;
  /** Shared with the other processes. */
  readonly viewers: ViewerTable;
  /** For tests that do not want to wait so long. */
  readonly sweepMs?: number;
}

/** Who asks, and how. */
export interface HlsWish {
  readonly playlist: HlsPlaylist;
  /** Without the `?`, and without what is no business of a hook server. */
  readonly query: string;
  /** As the client names it, perhaps with a port. */
  readonly host: string;
  readonly ip: string;
  readonly pageUrl: string;
  readonly userAgent: string;
}

/** A viewer whose session this server holds. */
interface FoundViewer {
  readonly entry: number;
  readonly state: 'live' | 'kicked' | 'ended';
}

const SWEEP_MS = 1000;
/** Who was sent away is told so for as long as it goes on asking, and this long after. */
const KICKED_MS = 60_000;
/** Of one process: each takes about 2 KiB. */
const MAX_VIEWERS = 50_000;

export class HlsViewers {
  readonly registry: ClientRegistry<HlsViewer>;
  readonly #options: HlsViewersOptions;
  readonly #table: ViewerTable;
  /** By their entries in the table. */
  readonly #viewers = new Map<number, HlsViewer>();
  readonly #kicked = new Set<number>();
  /** Being let in, by their keys. */
  readonly #admissions = new Map<string, Promise<number>>();
  readonly #sweeper: NodeJS.Timeout;
  #isClosing = false;

  constructor(options: HlsViewersOptions) {
    this.#options = options;
    this.#table = options.viewers;
    this.registry = new ClientRegistry<HlsViewer>({
      ...options,
      maxConnections: () => options.config().maxConnections,
      // A viewer has no connection of its own; those that it asks with are counted where they are accepted.
      claimConnection: () => true,
      releaseConnection: () => {},
    });
    this.#sweeper = setInterval(() => this.#sweep(), options.sweepMs ?? SWEEP_MS);
  }

  newKey({ label }: HlsPlaylist): string {
    return this.#table.newKey(label);
  }

  /** Whether a key that nobody is known by was given out for such a segment. Who had it may be gone since a process has died. */
  isIssued(key: string, { labels }: HlsSegment): boolean {
    return labels.some((label) => this.#table.isIssued(key, label));
  }

  isFor(entry: number, labels: readonly string[]): boolean {
    return labels.some((label) => this.#table.isFor(entry, label));
  }

  /** Whoever let it in. */
  find(key: string): FoundViewer | undefined {
    const entry = this.#table.find(key);
    const state = entry < 0 ? undefined : this.#table.stateOf(entry);
    return state === undefined ? undefined : { entry, state };
  }

  /** It has asked for something. */
  touch(entry: number): void {
    this.#table.touch(entry, this.#options.clock.wallMs());
  }

  countSent(entry: number, bytes: number): void {
    this.#table.countSent(entry, bytes);
  }

  /** The rules that need no session. @throws SrsError when the viewer may not have the stream */
  check({ playlist: { vhost, app, stream }, query, ip, pageUrl }: HlsWish): void {
    const unixSeconds = Math.floor(this.#options.clock.wallMs() / 1000);
    const parameters = query === '' ? [] : [`?${query}`];
    const id = streamId(vhost.name, app, stream);
    assertAllowed(checkStreamAccess({ vhost, use: 'play', ip, pageUrl, streamId: id, parameters, unixSeconds }));
  }

  /**
   * Lets a viewer in. Several requests of one viewer at the same time are one.
   * @returns its entry in the table
   * @throws ApiError
   */
  admit(key: string, wish: HlsWish): Promise<number> {
    const waiting = this.#admissions.get(key);
    if (waiting !== undefined) return waiting;
    const admission = this.#admit(key, wish).finally(() => this.#admissions.delete(key));
    this.#admissions.set(key, admission);
    return admission;
  }

  /** A reload: who may not go on as it was is over. */
  configure(config: Config): void {
    for (const viewer of this.#viewers.values()) {
      const { vhost } = viewer.target;
      const now = config.vhosts.get(vhost.name);
      if (now?.enabled !== true || !hasSessions(now, config)) this.#end(viewer, 'the vhost has no sessions of HLS any more');
    }
  }

  /** All are over; their players go on with the next server, if there is one. */
  async close(graceMs: number): Promise<void> {
    this.#isClosing = true;
    clearInterval(this.#sweeper);
    await this.registry.close(graceMs);
  }

  async #admit(key: string, wish: HlsWish): Promise<number> {
    const { clock, log } = this.#options;
    const config = this.#options.config();
    const { ip, query } = wish;
    const { vhost, app, stream } = wish.playlist;
    if (this.#isClosing) throw new ApiError(503, 'the server stops');
    const most = Math.min(MAX_VIEWERS, config.maxConnections);
    if (this.#viewers.size + this.#admissions.size >= most)
      throw new ApiError(503, `the server has ${most} viewers of HLS already`);
    const place = this.registry.admit(ip);
    if (place === undefined) throw new ApiError(429, 'too many clients have this address');
    const cid = this.#options.nextCid();
    const child = log.child(cid);
    const streamName = query === '' ? stream : `${stream}?${query}`;
    try {
      const admitted = admitHttpClient(this.#options, {
        ...wish,
        vhost: vhost.name,
        app,
        streamName,
        appParam: '',
        use: 'play',
        cid,
        place,
        log: child,
      });
      const { target, hooks } = admitted;
      // The rules that count are those of the vhost whose playlist it is.
      if (target.vhost.name !== vhost.name) throw new SrsError('RtmpVhost', `the playlist is that of vhost ${vhost.name}`);
      await hooks.begin('play', target, streamName);
      const entry = this.#table.claim(key, wish.playlist.label, clock.wallMs());
      if (entry < 0) {
        hooks.end();
        throw new ApiError(503, 'there is no room for another viewer of HLS');
      }
      this.#add(admitted, entry);
      return entry;
    } catch (error) {
      this.registry.abandon(place);
      child.error(`refused HLS viewer ip=${ip}: ${describeError(error)}`);
      throw refusalOf(error);
    }
  }

  #add(admitted: HttpAdmission, entry: number): void {
    const { clock } = this.#options;
    const viewer = new HlsViewer({
      ...admitted,
      clock,
      table: this.#table,
      entry,
      onDismiss: (dismissed, reason) => this.#dismiss(dismissed, reason),
    });
    admitted.log.trace(`HLS viewer ip=${admitted.identity.ip}, play ${viewer.streamId}`);
    this.#viewers.set(entry, viewer);
    this.registry.add(viewer);
  }

  #dismiss(viewer: HlsViewer, reason: string): void {
    this.#end(viewer, reason);
    // Those whom the end of the server ends may come again.
    if (this.#isClosing) return;
    this.#table.setState(viewer.entry, 'kicked');
    this.#kicked.add(viewer.entry);
  }

  #end(viewer: HlsViewer, reason: string): void {
    if (!this.#viewers.delete(viewer.entry)) return;
    viewer.finish(reason);
    this.#table.setState(viewer.entry, 'ended');
    this.registry.onClosed(viewer);
  }

  #sweep(): void {
    const wallMs = this.#options.clock.wallMs();
    for (const viewer of this.#viewers.values()) {
      const { vhost } = viewer.target;
      const silentMs = this.#table.silentMs(viewer.entry, wallMs);
      if (silentMs >= silentMsOf(this.#options.config().vhosts.get(vhost.name) ?? vhost))
        this.#end(viewer, `asked for nothing for ${Math.round(silentMs / 1000)} s`);
    }
    for (const entry of this.#kicked) {
      if (this.#table.silentMs(entry, wallMs) < KICKED_MS) continue;
      this.#kicked.delete(entry);
      this.#table.setState(entry, 'ended');
    }
  }
}
