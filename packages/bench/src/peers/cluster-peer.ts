/** Servers of this project in a row: the first one is published to, the last one is played from and measured. */
import type { Peer, PeerProcess, RunningPeer, WriteCounters } from './peer.ts';
import { type RunningSrs, SrsPeer } from './srs-peer.ts';
import type { Workbench } from './workbench.ts';

/** A server takes so many ports at most. */
const PORTS = 20;

export class ClusterPeer implements Peer {
  readonly name: string;
  readonly title: string;
  readonly #hops: number;

  /** @param hops between servers; with none it is an origin alone */
  constructor(name: string, hops: number) {
    this.name = name;
    this.title = name;
    this.#hops = hops;
  }

  prepare(bench: Workbench): Promise<string> {
    return new SrsPeer().prepare(bench);
  }

  async start(bench: Workbench, port: number): Promise<RunningPeer> {
    const servers: RunningSrs[] = [];
    try {
      for (let hop = 0; hop <= this.#hops; hop += 1) {
        const own = port + hop * PORTS;
        const server = new SrsPeer({
          name: `${this.name}-${hop}`,
          title: this.title,
          streamWorkers: 1,
          runsOn: hop === this.#hops ? 'servers' : 'testers',
          ...(hop === 0 ? {} : { vhost: `mode remote; origin 127.0.0.1:${own - PORTS};` }),
        });
        servers.push(await server.start(bench, own));
      }
      return new RunningCluster(servers);
    } catch (thrown) {
      await stopAll(servers);
      throw thrown;
    }
  }
}

class RunningCluster implements RunningPeer {
  readonly #servers: readonly RunningSrs[];

  constructor(servers: readonly RunningSrs[]) {
    this.#servers = servers;
  }

  get processes(): readonly PeerProcess[] {
    return this.#last.processes;
  }

  url(stream: string): string {
    return this.#servers[0]!.url(stream);
  }

  playUrl(stream: string): string {
    return this.#last.url(stream);
  }

  writeCounters(): Promise<WriteCounters> {
    return this.#last.writeCounters();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await stopAll(this.#servers);
  }

  get #last(): RunningSrs {
    return this.#servers.at(-1)!;
  }
}

/** The last one first: none of them looks for one that is gone. */
async function stopAll(servers: readonly RunningSrs[]): Promise<void> {
  for (const server of servers.toReversed()) await server[Symbol.asyncDispose]();
}
