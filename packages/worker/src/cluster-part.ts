/** What this back-source's streams are to other servers: announced while they are published here, looked for while they are wanted. */
import type {
  FollowedStream,
  LeaseReport,
  RegistryReport,
  StreamLeases,
  StreamPlace,
  StreamRegistry,
  Whereabouts,
} from '@srs/cluster';
import {
  type Config,
  streamId as formatStreamId,
  type ServerAddress,
  splitStreamId,
  type VhostConfig,
  vhostAtOrigins,
} from '@srs/config';
import type { Lease } from '@srs/control';
import { systemClock } from '@srs/kernel';
import { deviceAddress } from '@srs/native';
import type { Directory, DirectoryObserver } from '@srs/stream';
import type { WorkerEnvironment } from './environment.ts';

export interface ClusterPart extends Omit<DirectoryObserver, 'onDemand'> {
  /** A reload: the configuration is in force already. */
  configure(): Promise<void>;
  /** Undefined for a vhost that is in no cluster. */
  follow(streamId: string): FollowedStream | undefined;
  /** The server that has the stream; undefined when none has, or that is not known within the time. */
  whereIs(streamId: string, limitMs: number): Promise<StreamPlace | undefined>;
  /**
   * What other servers are told of the stream; undefined when it has no publisher here, or is pushed on to origins.
   *
   * @param seenAs host by which the asker knows this server; counts where the configuration names none. Empty for none
   */
  placeHere(streamId: string, seenAs: string): StreamPlace | undefined;
  /** Undefined for a stream that is not announced. */
  leaseOf(streamId: string): LeaseReport | undefined;
  reports(): readonly RegistryTotals[];
  close(): Promise<void>;
}

/** A registry, and how many streams are announced there. */
type RegistryTotals = RegistryReport & { readonly leases: number };

/** A registry that vhosts of this server use. */
interface Member {
  readonly registry: StreamRegistry;
  readonly leases: StreamLeases;
  readonly whereabouts: Whereabouts;
}

const clock = systemClock;
const random = Math.random;
/** For giving back all leases at the end. */
const CLOSE_LIMIT_MS = 1_000;

/** @param directory not asked before a stream is published */
export async function startCluster(environment: WorkerEnvironment, directory: () => Directory): Promise<ClusterPart> {
  const cluster = new Cluster(environment, directory);
  await cluster.configure();
  return cluster;
}

class Cluster implements ClusterPart {
  readonly #environment: WorkerEnvironment;
  readonly #directory: () => Directory;
  #package: typeof import('@srs/cluster') | undefined;
  /** By what `keyOf` says of their vhosts. */
  readonly #members = new Map<string, Member>();
  /** What is published here, and who was told. */
  readonly #published = new Map<string, { readonly lease: Lease; terms: string; member: Member | undefined }>();

  constructor(environment: WorkerEnvironment, directory: () => Directory) {
    this.#environment = environment;
    this.#directory = directory;
  }

  onPublished(lease: Lease, isFresh: boolean): void {
    // What was got from another server is announced there.
    if (!lease.isPulled) this.#announce(lease, isFresh);
  }

  onUnpublished(streamId: string): void {
    this.#published.get(streamId)?.member?.leases.end(streamId);
    this.#published.delete(streamId);
  }

  async configure(): Promise<void> {
    const { config } = this.#environment;
    const vhosts = Array.from(config.vhosts.values());
    if (vhosts.some((vhost) => keyOf(vhost) !== undefined)) this.#package ??= await import('@srs/cluster');
    for (const { lease, terms, member } of Array.from(this.#published.values())) {
      const vhost = config.vhosts.get(splitStreamId(lease.streamId).vhost);
      if (termsOf(config, vhost) === terms) continue;
      member?.leases.end(lease.streamId);
      this.#announce(lease, false);
    }
    const used = new Set(vhosts.map(keyOf));
    for (const [key, member] of Array.from(this.#members)) {
      if (used.has(key)) continue;
      this.#members.delete(key);
      await close(member);
    }
  }

  follow(streamId: string): FollowedStream | undefined {
    return this.#memberOf(streamId)?.whereabouts.follow(this.#nameThere(streamId));
  }

  async whereIs(streamId: string, limitMs: number): Promise<StreamPlace | undefined> {
    const member = this.#memberOf(streamId);
    if (member === undefined) return undefined;
    const expired = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => expired.resolve(undefined), limitMs);
    const answer = member.whereabouts.ask(this.#nameThere(streamId)).catch(() => undefined);
    const place = await Promise.race([answer, expired.promise]);
    clearTimeout(timer);
    return place;
  }

  placeHere(streamId: string, seenAs: string): StreamPlace | undefined {
    const { config, instanceId } = this.#environment;
    const lease = this.#published.get(streamId)?.lease;
    const vhost = config.vhosts.get(splitStreamId(streamId).vhost);
    if (lease === undefined || vhost === undefined || isPushedOn(vhost)) return undefined;
    return { address: announcedAddress(config, vhost, seenAs), instanceId, cid: lease.publisher.cid, hops: lease.hops };
  }

  leaseOf(streamId: string): LeaseReport | undefined {
    return this.#published.get(streamId)?.member?.leases.reportOf(streamId);
  }

  reports(): readonly RegistryTotals[] {
    return Array.from(this.#members.values(), ({ registry, leases }) => ({ ...registry.report, leases: leases.size }));
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#members.values(), close));
  }

  #announce(lease: Lease, isFresh: boolean): void {
    const { streamId, publisher, hops } = lease;
    const { config, instanceId } = this.#environment;
    const vhost = config.vhosts.get(splitStreamId(streamId).vhost);
    const member = vhost === undefined || isPushedOn(vhost) ? undefined : this.#memberOf(streamId);
    this.#published.set(streamId, { lease, terms: termsOf(config, vhost), member });
    if (member === undefined || vhost === undefined) return;
    member.leases.begin({
      streamId,
      place: { address: announcedAddress(config, vhost), instanceId, cid: publisher.cid, hops },
      leaseMs: vhost.cluster.registryLeaseMs,
      isFresh,
      takesOver: vhost.publish.busy === 'replace',
    });
  }

  /** Under which another server has the stream. */
  #nameThere(streamId: string): string {
    const { vhost: name, app, stream } = splitStreamId(streamId);
    const vhost = this.#environment.config.vhosts.get(name);
    return vhost === undefined ? streamId : formatStreamId(vhostAtOrigins(vhost), app, stream);
  }

  #memberOf(streamId: string): Member | undefined {
    const vhost = this.#environment.config.vhosts.get(splitStreamId(streamId).vhost);
    const key = keyOf(vhost);
    if (vhost === undefined || key === undefined || this.#package === undefined) return undefined;
    const known = this.#members.get(key);
    if (known !== undefined) return known;
    const member = this.#open(this.#package, vhost);
    this.#members.set(key, member);
    return member;
  }

  #open(
    { CoworkerRegistry, LocalRegistry, RedisRegistry, StreamLeases: Leases, Whereabouts: Places }: typeof import('@srs/cluster'),
    vhost: VhostConfig,
  ): Member {
    const { log, instanceId } = this.#environment;
    const { registry: url, registryPrefix: prefix, coworkers } = vhost.cluster;
    const authorization = (): string => authorizationOf(this.#environment.config.httpApi.auth);
    const openLocal = (): StreamRegistry =>
      coworkers.length === 0 ? new LocalRegistry() : new CoworkerRegistry({ coworkers, authorization, clock, random, log });
    const registry = url === '' ? openLocal() : new RedisRegistry({ url, prefix, clock, random, log });
    const dismiss = (streamId: string, why: string): void => this.#directory().dismiss(streamId, why);
    return {
      registry,
      leases: new Leases({ registry, clock, random, log, dismiss }),
      whereabouts: new Places({ registry, instanceId, clock, random, log }),
    };
  }
}

async function close({ registry, leases, whereabouts }: Member): Promise<void> {
  whereabouts.close();
  const expired = Promise.withResolvers<void>();
  const timer = setTimeout(expired.resolve, CLOSE_LIMIT_MS);
  await Promise.race([leases.close(), expired.promise]);
  clearTimeout(timer);
  registry.close();
}

/** Vhosts with the same key share a registry; undefined for one that is in no cluster. */
function keyOf(vhost: VhostConfig | undefined): string | undefined {
  if (vhost?.enabled !== true || !vhost.cluster.originCluster) return undefined;
  const { registry, registryPrefix, coworkers } = vhost.cluster;
  return JSON.stringify(registry === '' ? coworkers : [registry, registryPrefix]);
}

/** What the others are told; to be compared. */
function termsOf(config: Config, vhost: VhostConfig | undefined): string {
  if (vhost === undefined) return '';
  const { cluster, mode, origin } = vhost;
  return JSON.stringify([keyOf(vhost), announcedAddress(config, vhost), cluster.registryLeaseMs, mode, origin.length]);
}

const anyHosts: readonly string[] = ['0.0.0.0', '::'];

/** @param seenAs see `placeHere` */
function announcedAddress({ listen, stats }: Config, { cluster }: VhostConfig, seenAs = ''): ServerAddress {
  if (cluster.announce.host !== '') return cluster.announce;
  const [first] = listen;
  const isAny = first === undefined || anyHosts.includes(first.host);
  const host = isAny ? seenAs || deviceAddress(stats.network) : first.host;
  return { host, port: first?.port ?? 0 };
}

/** It is announced by the origin that takes it. */
const isPushedOn = ({ mode, origin }: VhostConfig): boolean => mode === 'remote' && origin.length > 0;

/** Servers that ask each other have the same credentials. Empty for none. */
function authorizationOf({ enabled, username, password, token }: Config['httpApi']['auth']): string {
  if (!enabled) return '';
  return token === '' ? `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` : `Bearer ${token}`;
}
