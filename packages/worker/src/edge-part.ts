/** Gets the streams of edge vhosts from their origins, each once for all workers, from its first viewer to its last. */
import { Publishing, type PublishServices } from '@srs/clients';
import { type Config, pullOrigins, type ServerAddress, splitStreamId, type VhostConfig, vhostAtOrigins } from '@srs/config';
import type { Lease } from '@srs/control';
import type { EdgePull, EdgePullView, OpenUpstream, OriginPool, PullStart } from '@srs/edge';
import { systemClock } from '@srs/kernel';
import { deviceAddress } from '@srs/native';
import { encodeIdentityHeader, IDENTITY_HEADER, identityArguments } from '@srs/rtmp';
import type { DirectoryObserver, OwnDirectory } from '@srs/stream';
import type { WorkerEnvironment } from './environment.ts';
import { identity } from './identity.ts';
import { isOwnAddress } from './own-address.ts';

export interface EdgePart extends DirectoryObserver {
  /** A reload: the configuration is in force already. */
  configure(): void;
  /** What is pulled at the moment, by stream. */
  views(): ReadonlyMap<string, EdgePullView>;
  close(): Promise<void>;
}

const clock = systemClock;

/** @param own the way to the directory, not asked before that tells of a demand */
export function startEdge(environment: WorkerEnvironment, own: () => OwnDirectory): EdgePart {
  return new EdgePulls(environment, own);
}

class EdgePulls implements EdgePart {
  readonly #environment: WorkerEnvironment;
  readonly #own: () => OwnDirectory;
  /** With the parameters of their first viewers. */
  readonly #wanted = new Map<string, string>();
  /** Streams that somebody publishes here. */
  readonly #published = new Set<string>();
  readonly #pulls = new Map<string, EdgePull>();
  /** By vhost. */
  readonly #pools = new Map<string, OriginPool>();
  readonly #closing = new Set<Promise<void>>();
  #services: (PublishServices & { readonly directory: OwnDirectory }) | undefined;
  #edge: typeof import('@srs/edge') | undefined;
  #before: Config;
  /** Of which that was said. */
  #toldOwn: Config | undefined;
  #isClosed = false;

  constructor(environment: WorkerEnvironment, own: () => OwnDirectory) {
    this.#environment = environment;
    this.#own = own;
    this.#before = environment.config;
  }

  onDemand(streamId: string, isWanted: boolean, param: string): void {
    if (isWanted) this.#wanted.set(streamId, param);
    else this.#wanted.delete(streamId);
    this.#look(streamId);
  }

  onPublished({ streamId, isPulled }: Lease): void {
    if (isPulled) return;
    this.#published.add(streamId);
    this.#look(streamId);
  }

  onUnpublished(streamId: string): void {
    if (this.#published.delete(streamId)) this.#look(streamId);
  }

  /**
   * Another list of origins counts for the next connection; a vhost that is an edge no more lets go of its streams, and one that gets
   * them otherwise begins anew.
   */
  configure(): void {
    const before = this.#before;
    this.#before = this.#environment.config;
    for (const streamId of new Set([...this.#wanted.keys(), ...this.#pulls.keys()])) {
      const { vhost: name } = splitStreamId(streamId);
      const [was, is] = [before.vhosts.get(name), this.#before.vhosts.get(name)];
      if (was !== undefined && is !== undefined && waysOf(was) !== waysOf(is)) this.#stop(streamId);
      this.#look(streamId);
    }
  }

  views(): ReadonlyMap<string, EdgePullView> {
    return new Map(Array.from(this.#pulls, ([streamId, pull]) => [streamId, pull.view]));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const streamId of Array.from(this.#pulls.keys())) this.#stop(streamId);
    await Promise.all(this.#closing);
  }

  #look(streamId: string): void {
    const vhost = this.#edgeOf(streamId);
    const isNeeded = vhost !== undefined && !this.#isClosed && this.#wanted.has(streamId) && !this.#published.has(streamId);
    if (!isNeeded) this.#stop(streamId);
    else if (this.#edge === undefined) void this.#load().then(() => this.#look(streamId));
    else if (!this.#pulls.has(streamId)) this.#pulls.set(streamId, this.#start(this.#edge, streamId, vhost));
  }

  async #load(): Promise<void> {
    this.#edge = await import('@srs/edge');
  }

  #start(edge: typeof import('@srs/edge'), streamId: string, vhost: VhostConfig): EdgePull {
    const { EdgePull: Pull, OriginPool: Pool } = edge;
    const { status, log } = this.#environment;
    const { app, stream: name } = splitStreamId(streamId);
    const cid = status.nextCid();
    const pullLog = log.child(cid);
    const pool = this.#pools.get(vhost.name) ?? new Pool({ clock, random: Math.random });
    this.#pools.set(vhost.name, pool);
    return new Pull({
      stream: { app, name },
      upstream: this.#upstream(edge, streamId, vhost, cid),
      origins: () => Promise.resolve(this.#originsOf(streamId)),
      pool,
      showsIdentity: vhost.debugSrsUpnode,
      open: (ip) => this.#open(streamId, ip, pullLog),
      clock,
      log: pullLog,
      random: Math.random,
    });
  }

  /** A reload that changes how streams are got begins another pull. */
  #upstream(edge: typeof import('@srs/edge'), streamId: string, vhost: VhostConfig, id: number): OpenUpstream {
    const { app, stream: name } = splitStreamId(streamId);
    const stream = { vhost: vhostAtOrigins(vhost), app, name, param: this.#wanted.get(streamId) ?? '' };
    const serverIp = deviceAddress(this.#environment.config.stats.network);
    const who = { ...identity, role: 'origin/edge server', serverIp, pid: process.pid, id };
    const { protocol } = vhost.cluster;
    if (protocol === 'rtmp') return edge.rtmpUpstream(stream, vhost.debugSrsUpnode ? identityArguments(who) : undefined);
    return edge.httpFlvUpstream(protocol === 'flv' ? 'http' : 'https', stream, {
      'user-agent': `SRS/${identity.version}`,
      ...(vhost.debugSrsUpnode ? { [IDENTITY_HEADER]: encodeIdentityHeader(who) } : {}),
    });
  }

  #open(streamId: string, ip: string, log: ReturnType<WorkerEnvironment['log']['child']>): PullStart {
    const vhost = this.#edgeOf(streamId);
    if (vhost === undefined) return { refusal: 'its vhost is no edge any more' };
    this.#services ??= this.#openServices();
    const services = this.#services;
    const answer = services.directory.begin({ streamId, cid: log.cid, ip, param: '', busy: 'reject', hops: [] });
    if (!answer.isGranted) {
      return { refusal: answer.reason === 'busy' ? 'it is published here' : 'there is no memory for it (ring memory)' };
    }
    const onRevoked = (): void => this.#stop(streamId);
    return { sink: Publishing.begin({ services, vhost, streamId, param: '', hops: [], log, ip, onRevoked }, answer) };
  }

  /** A server that asks itself would wait for ever. */
  #originsOf(streamId: string): readonly ServerAddress[] {
    const { config, log } = this.#environment;
    const edge = this.#edgeOf(streamId);
    const origins = edge === undefined ? [] : pullOrigins(edge);
    const others = origins.filter((origin) => !isOwnAddress(config, origin));
    if (others.length < origins.length && this.#toldOwn !== config) {
      this.#toldOwn = config;
      log.error(`vhost ${splitStreamId(streamId).vhost}: an origin is this server itself, left out`);
    }
    return others;
  }

  #openServices(): PublishServices & { readonly directory: OwnDirectory } {
    const { slot, arenas, doorbell, instanceId } = this.#environment;
    return {
      clock,
      slot,
      pid: process.pid,
      instanceId,
      directory: this.#own(),
      arenas,
      identity,
      ringDoorbell: (target) => doorbell.ring(target),
    };
  }

  #stop(streamId: string): void {
    const pull = this.#pulls.get(streamId);
    if (pull === undefined) return;
    this.#pulls.delete(streamId);
    const closed = pull.close().finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
  }

  /** Undefined for a vhost that is none. */
  #edgeOf(streamId: string): VhostConfig | undefined {
    const vhost = this.#environment.config.vhosts.get(splitStreamId(streamId).vhost);
    return vhost?.enabled === true && vhost.mode === 'remote' ? vhost : undefined;
  }
}

/** How its streams are got, to be compared. */
const waysOf = (vhost: VhostConfig): string => `${vhost.cluster.protocol} ${vhostAtOrigins(vhost)}`;
