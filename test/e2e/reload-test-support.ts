/** A server whose configuration is changed while an unrelated stream is played on it. */

import { mkdirSync } from 'node:fs';
import type { ReloadReport } from '@srs/survey';
import { eventually } from '../support/deadline.ts';
import { type ServerPlace, ServerProcess } from '../support/server-process.ts';
import { type ClientOptions, LivePlayer, LivePublisher, type PublisherOptions } from './live-client-test-support.ts';
import { workersOf } from './server-view-test-support.ts';

/** What a change of a live directive must take effect in. */
const EFFECT_LIMIT_MS = 1_000;

const CHANGING_VHOST = 'changing.test';
const WITNESS_VHOST = 'witness.test';

/** What differs from the configuration that all tests begin with. */
export interface Change {
  /** Directives of the root; a function is given the ports. They stand before the common ones, and the first counts. */
  readonly top?: string | ((place: ServerPlace) => string);
  /** Directives of the vhost that changes; null takes the vhost away. */
  readonly vhost?: string | null;
  /** Inside of `workers { }`. */
  readonly workers?: string;
}

function configText(place: ServerPlace, change: Change): string {
  const top = typeof change.top === 'function' ? change.top(place) : (change.top ?? '');
  return `
${top}
listen ${place.rtmpPort};
daemon off;
pid ${place.directory}/objs/srs.pid;
max_connections 1000;
srs_log_tank console;
srs_log_level trace;
private_api { listen ${place.host}:${place.privatePort}; }
workers { ${change.workers ?? 'mode multi; stream 2;'} }
vhost ${WITNESS_VHOST} {}
${change.vhost === null ? '' : `vhost ${CHANGING_VHOST} { ${change.vhost ?? ''} }`}
`;
}

export class ReloadRig {
  readonly server: ServerProcess;
  readonly #witnessSource: LivePublisher;
  readonly witness: LivePlayer;
  readonly #clients: (LivePlayer | LivePublisher)[] = [];

  private constructor(server: ServerProcess, source: LivePublisher, witness: LivePlayer) {
    this.server = server;
    this.#witnessSource = source;
    this.witness = witness;
  }

  static async start(change: Change = {}): Promise<ReloadRig> {
    const server = await ServerProcess.start({ config: (place) => configText(place, change) });
    mkdirSync(`${server.place.directory}/logs`);
    // In the first worker, which is there in all tests.
    const [first] = await workersOf(server, 'stream');
    const options = { tcUrlParameters: `?vhost=${WITNESS_VHOST}`, onWorker: first!.pid };
    const source = await LivePublisher.start(server, 'live/witness', options);
    const witness = await LivePlayer.start(server, 'live/witness', options);
    await witness.waitForFrames(10);
    return new ReloadRig(server, source, witness);
  }

  write(change: Change): void {
    this.server.writeConfig({ config: (place) => configText(place, change) });
  }

  /** Writes and reloads. @throws Error when the server does not take it */
  async reload(change: Change): Promise<ReloadReport> {
    this.write(change);
    const report = await this.ask();
    if (!report.isApplied || report.workers.some((worker) => !worker.isApplied)) {
      throw new Error(`the reload did not succeed: ${JSON.stringify(report)}`);
    }
    return report;
  }

  /** Reloads what is there. */
  async ask(query = ''): Promise<ReloadReport> {
    const answer = await this.server.privateApi(`/api/v1/reload${query}`, { method: 'POST', body: {} });
    return (answer as { readonly data: ReloadReport }).data;
  }

  /** A publisher in the vhost that changes. */
  async publish(stream: string, options: PublisherOptions = {}): Promise<LivePublisher> {
    return this.#keep(await LivePublisher.start(this.server, `live/${stream}`, inVhost(options)));
  }

  /** The same, which may be refused and sends nothing yet. */
  async openPublisher(stream: string, options: PublisherOptions = {}): Promise<LivePublisher> {
    return this.#keep(await LivePublisher.open(this.server, `live/${stream}`, inVhost(options)));
  }

  /** A player in the vhost that changes; it may be refused. */
  async play(stream: string, options: ClientOptions = {}): Promise<LivePlayer> {
    return this.#keep(await LivePlayer.open(this.server, `live/${stream}`, inVhost(options)));
  }

  /** The effect must be there within its limit. */
  see(what: string, probe: () => boolean | Promise<boolean>, limitMs: number = EFFECT_LIMIT_MS): Promise<boolean> {
    return eventually(probe, limitMs, () => `${what} was not seen`);
  }

  /** Everything as at the beginning, for the next test; the witness has noticed nothing at all. */
  async restore(change: Change = {}): Promise<void> {
    for (const client of this.#clients.splice(0)) client.close();
    await this.reload(change);
    await this.witness.waitForFrames(10);
    if (this.witness.checker.complaint !== '') throw new Error(`the unrelated player: ${this.witness.checker.complaint}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of [this.#witnessSource, this.witness, ...this.#clients]) client.close();
    await this.server.stop();
  }

  #keep<T extends LivePlayer | LivePublisher>(client: T): T {
    this.#clients.push(client);
    return client;
  }
}

function inVhost<O extends ClientOptions>(options: O): O {
  return { ...options, tcUrlParameters: `?vhost=${CHANGING_VHOST}` };
}
