/** Gets streams from other servers, from the origins of edge vhosts or from where they live in a cluster: each once for all workers, from its first viewer to its last. */
import { Publishing, type PublishServices } from '@srs/clients';
import type { FollowedStream } from '@srs/cluster';
import { type Config, pullOrigins, type ServerAddress, splitStreamId, type VhostConfig, vhostAtOrigins } from '@srs/config';
import type { Lease } from '@srs/control';
import type { EdgePull, EdgePullCounts, EdgePullView, OpenUpstream, OriginPool, PullStart } from '@srs/edge';
import { systemClock } from '@srs/kernel';
import { deviceAddress } from '@srs/native';
import { encodeIdentityHeader, IDENTITY_HEADER, identityArguments } from '@srs/rtmp';
import type { DirectoryObserver, OwnDirectory } from '@srs/stream';
import type { ClusterPart } from './cluster-part.ts';
import type { WorkerEnvironment } from './environment.ts';
import { identity } from './identity.ts';
import { isOwnAddress } from './own-address.ts';

export interface EdgePart extends DirectoryObserver {
  /** A reload: the configuration is in force already. */
  configure(): void;
  /** The stream is got from a server that holds it still: who wants to publish it here comes too late. */
  isHeldElsewhere(streamId: string): Promise<boolean>;
  /** What is pulled at the moment, by stream. */
  views(): ReadonlyMap<string, EdgePullView>;
  /** Of all pulls since the beginning; they never fall. */
  counts(): EdgePullCounts;
  close(): Promise<void>;
}

const clock = systemClock;
/** An edge with origins asks these when the cluster has not named a server within this time. */
const LOOK_UP_MS = 1_000;
/** Without any, the stream is waited for so long at a time. */
const SEARCH_MS = 4_000;
/** A publisher waits so long, at most, for the word that the stream has one elsewhere. */
const HOLDER_MS = 500;

/** @param own the way to the directory, not asked before that tells of a demand */
export function startEdge(environment: WorkerEnvironment, own: () => OwnDirectory, cluster: ClusterPart): EdgePart {
  return new EdgePulls(environment, own, cluster);
}

class EdgePulls implements EdgePart {
  readonly #environment: WorkerEnvironment;
  readonly #own: () => OwnDirectory;
  readonly #cluster: ClusterPart;
  /** With the parameters of their first viewers. */
  readonly #wanted = new Map<string, string>();
  /** Streams that somebody publishes here. */
  readonly #published = new Set<string>();
  readonly #pulls = new Map<string, EdgePull>();
  /** Of the pulls, what the cluster says. */
  readonly #followed = new Map<string, FollowedStream>();
  /** By vhost. */
  readonly #pools = new Map<string, OriginPool>();
  /** Those that are not over. */
  readonly #running = new Set<EdgePull>();
  /** Of those that are. */
  #endedCounts: EdgePullCounts = { starts: 0, recvBytes: 0 };
  readonly #closing = new Set<Promise<void>>();
  #services: (PublishServices & { readonly directory: OwnDirectory }) | undefined;
  #edge: typeof import('@srs/edge') | undefined;
  #before: Config;
  /** Of which that was said. */
  #toldOwn: Config | undefined;
  #isClosed = false;

  constructor(environment: WorkerEnvironment, own: () => OwnDirectory, cluster: ClusterPart) {
    this.#environment = environment;
    this.#own = own;
    this.#cluster = cluster;
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
   * Other origins, or another cluster, count for the next connection; a vhost that is an edge no more lets go of its streams, and one
   * that gets them otherwise begins anew.
   */
  configure(): void {
    const before = this.#before;
    this.#before = this.#environment.config;
    for (const streamId of new Set([...this.#wanted.keys(), ...this.#pulls.keys()])) {
      const { vhost: name } = splitStreamId(streamId);
      const [was, is] = [before.vhosts.get(name), this.#before.vhosts.get(name)];
      if (was !== undefined && is !== undefined && waysOf(was) !== waysOf(is)) this.#stop(streamId);
      if (this.#pulls.has(streamId) && clusterOf(was) !== clusterOf(is)) this.#follow(streamId);
      this.#look(streamId);
    }
  }

  async isHeldElsewhere(streamId: string): Promise<boolean> {
    if (!this.#followed.has(streamId) || this.#pulls.get(streamId)?.view.state !== 'pulling') return false;
    return (await this.#cluster.whereIs(streamId, HOLDER_MS)) !== undefined;
  }

  views(): ReadonlyMap<string, EdgePullView> {
    return new Map(Array.from(this.#pulls, ([streamId, pull]) => [streamId, pull.view]));
  }

  counts(): EdgePullCounts {
    return Array.from(this.#running).reduce(countsWith, this.#endedCounts);
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
    const followed = this.#cluster.follow(streamId);
    if (followed !== undefined) this.#followed.set(streamId, followed);
    const pull = new Pull({
      stream: { app, name },
      upstream: this.#upstream(edge, streamId, vhost, cid),
      origins: (signal) => this.#whereToAsk(streamId, signal),
      pool,
      showsIdentity: vhost.debugSrsUpnode,
      open: (ip) => this.#open(streamId, ip, pullLog),
      clock,
      log: pullLog,
      random: Math.random,
    });
    this.#running.add(pull);
    return pull;
  }

  #follow(streamId: string): void {
    this.#followed.get(streamId)?.close();
    const followed = this.#cluster.follow(streamId);
    if (followed === undefined) this.#followed.delete(streamId);
    else this.#followed.set(streamId, followed);
  }

  /** A reload that changes how streams are got begins another pull. */
  #upstream(edge: typeof import('@srs/edge'), streamId: string, vhost: VhostConfig, id: number): OpenUpstream {
    const { app, stream: name } = splitStreamId(streamId);
    const stream = { vhost: vhostAtOrigins(vhost), app, name, param: this.#wanted.get(streamId) ?? '' };
    const serverIp = deviceAddress(this.#environment.config.stats.network);
    const who = { ...identity, role: 'origin/edge server', serverIp, pid: process.pid, id };
    const { protocol } = vhost.cluster;
    const overRtmp = edge.rtmpUpstream(stream, vhost.debugSrsUpnode ? identityArguments(who) : undefined);
    if (protocol === 'rtmp') return overRtmp;
    const overHttp = edge.httpFlvUpstream(protocol === 'flv' ? 'http' : 'https', stream, {
      'user-agent': `SRS/${identity.version}`,
      ...(vhost.debugSrsUpnode ? { [IDENTITY_HEADER]: encodeIdentityHeader(who) } : {}),
    });
    // Servers of a cluster announce where they are reached over RTMP.
    return (origin, options) =>
      (isSame(this.#followed.get(streamId)?.place?.address, origin) ? overRtmp : overHttp)(origin, options);
  }

  #open(streamId: string, ip: string, log: ReturnType<WorkerEnvironment['log']['child']>): PullStart {
    const vhost = this.#edgeOf(streamId);
    if (vhost === undefined) return { refusal: 'its vhost is no edge any more' };
    this.#services ??= this.#openServices();
    const services = this.#services;
    const answer = services.directory.begin({ streamId, cid: log.cid, ip, param: '', tcUrl: '', busy: 'reject', hops: [] });
    if (!answer.isGranted) {
      return { refusal: answer.reason === 'busy' ? 'it is published here' : 'there is no memory for it (ring memory)' };
    }
    const onRevoked = (): void => this.#stop(streamId);
    return { sink: Publishing.begin({ services, vhost, streamId, param: '', tcUrl: '', hops: [], log, ip, onRevoked }, answer) };
  }

  /** A server that the cluster names comes before the origins; who has none waits for one. */
  async #whereToAsk(streamId: string, signal: AbortSignal): Promise<readonly ServerAddress[]> {
    const origins = this.#originsOf(streamId);
    const followed = this.#followed.get(streamId);
    if (followed === undefined) return origins;
    const limitMs = origins.length > 0 ? LOOK_UP_MS : SEARCH_MS;
    try {
      const { address } = await followed.found(AbortSignal.any([signal, AbortSignal.timeout(limitMs)]));
      return [address, ...origins];
    } catch {
      return origins;
    }
  }

  /** A server that asks itself would wait for ever. */
  #originsOf(streamId: string): readonly ServerAddress[] {
    const { config, log } = this.#environment;
    const edge = this.#edgeOf(streamId);
    const origins = edge?.mode === 'remote' ? pullOrigins(edge) : [];
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
    this.#followed.get(streamId)?.close();
    this.#followed.delete(streamId);
    const closed = pull.close().finally(() => {
      this.#closing.delete(closed);
      this.#running.delete(pull);
      this.#endedCounts = countsWith(this.#endedCounts, pull);
    });
    this.#closing.add(closed);
  }

  /** Undefined for a vhost that is none. */
  #edgeOf(streamId: string): VhostConfig | undefined {
    const vhost = this.#environment.config.vhosts.get(splitStreamId(streamId).vhost);
    return vhost?.enabled === true && (vhost.mode === 'remote' || vhost.cluster.originCluster) ? vhost : undefined;
  }
}

const countsWith = ({ starts, recvBytes }: EdgePullCounts, { counts }: EdgePull): EdgePullCounts => ({
  starts: starts + counts.starts,
  recvBytes: recvBytes + counts.recvBytes,
});

/** How its streams are got, to be compared. */
const waysOf = (vhost: VhostConfig): string => JSON.stringify([vhost.cluster.protocol, vhostAtOrigins(vhost)]);

/** Who knows where they are, to be compared. */
function clusterOf(vhost: VhostConfig | undefined): string {
  const { originCluster, registry, registryPrefix, coworkers } = vhost?.cluster ?? {};
  return JSON.stringify([originCluster, registry, registryPrefix, coworkers]);
}

const isSame = (one: ServerAddress | undefined, other: ServerAddress): boolean =>
  one?.host === other.host && one.port === other.port;
