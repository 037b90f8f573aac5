/** One server with the foreign programs that publish to it and play from it, and the truth about which worker serves whom. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClientDescription } from '@srs/clients';
import type { WorkerStream } from '@srs/survey';
import type { ChildProgram, Exit } from '../support/child-program.ts';
import { eventually } from '../support/deadline.ts';
import type { Packets } from '../support/media.ts';
import { type ServerOptions, ServerProcess, type WorkerInfo } from '../support/server-process.ts';
import { type PlayerName, players } from './programs-test-support.ts';

/** A client with the worker that serves it. */
type Client = ClientDescription & { readonly slot: number };

/** A foreign program with a connection of its own. */
export interface Actor {
  readonly program: ChildProgram;
  /** Finds the connection again: it stands in the query of the tcUrl. */
  readonly tag: string;
  /** The worker that the kernel gave the connection to. */
  readonly slot: number;
}

export interface Player extends Actor {
  readonly name: PlayerName;
  /** What it got. Resolves once it has ended. */
  packets(): Promise<Packets>;
}

const ATTACH_LIMIT_MS = 20_000;
const DELIVERY_LIMIT_MS = 20_000;
const END_LIMIT_MS = 15_000;
/** Two workers: so many connections to the wrong one in a row do not happen. */
const MAX_TRIES = 24;
const SNAPSHOT_MS = 50;

const hasTag = (client: Client, tag: string): boolean => new RegExp(`who=${tag}\\b`).test(client.tcUrl);

export class Stage {
  readonly server: ServerProcess;
  readonly #programs: ChildProgram[] = [];
  readonly #workers: readonly WorkerInfo[];
  #nextTag = 1;
  #snapshot: { readonly takenMs: number; readonly clients: Promise<Client[]> } | undefined;

  private constructor(server: ServerProcess, workers: readonly WorkerInfo[]) {
    this.server = server;
    this.#workers = workers;
  }

  static async open(options: ServerOptions = {}): Promise<Stage> {
    const server = await ServerProcess.start(options);
    const workers = await server.workers();
    const serving = workers.filter((worker) => worker.role === 'stream' || workers.length === 1);
    return new Stage(server, serving);
  }

  /** The slots of the workers that serve clients. */
  get slots(): readonly number[] {
    return this.#workers.map((worker) => worker.slot);
  }

  /** An address under which the connection can be found again: `live/one` becomes `rtmp://HOST:PORT/live?who=TAG/one`. */
  url(path: string, tag: string, port: number = this.server.place.rtmpPort): string {
    const slash = path.lastIndexOf('/');
    const app = path.slice(0, slash);
    const isQuery = app.includes('?') || app.includes('...');
    return `rtmp://${this.server.place.host}:${port}/${app}${isQuery ? '&' : '?'}who=${tag}${path.slice(slash)}`;
  }

  newTag(word: string): string {
    return `${word}${this.#nextTag++}`;
  }

  /** The clients of all workers. */
  async clients(): Promise<Client[]> {
    const nowMs = performance.now();
    if (this.#snapshot === undefined || nowMs - this.#snapshot.takenMs > SNAPSHOT_MS) {
      this.#snapshot = { takenMs: nowMs, clients: this.#ask<Client>('/api/v1/clients') };
    }
    return await this.#snapshot.clients;
  }

  /** The streams of all workers, each as that worker sees it. */
  async streams(): Promise<WorkerStream[]> {
    return await this.#ask<WorkerStream>('/api/v1/streams');
  }

  async clientOf(tag: string): Promise<Client | undefined> {
    return (await this.clients()).find((client) => hasTag(client, tag));
  }

  /** Starts a program and waits until its connection publishes or plays. */
  async start(word: string, begin: (tag: string) => Promise<ChildProgram>): Promise<Actor> {
    const tag = this.newTag(word);
    const program = await begin(tag);
    this.#programs.push(program);
    const client = await eventually(
      async () => {
        const found = await this.clientOf(tag);
        if (found !== undefined && found.type !== 'unknown') return found;
        if (!program.isRunning) throw new Error(`${program.command} ended before it was served\n${program.tail()}`);
        return undefined;
      },
      ATTACH_LIMIT_MS,
      () => `${program.command} was not served\n${program.tail()}`,
    );
    return { program, tag, slot: client.slot };
  }

  /** Starts a publisher and waits until it publishes. It must run for a while. */
  async publish(path: string, begin: (url: string) => Promise<ChildProgram>): Promise<Actor> {
    return await this.start('publisher', (tag) => begin(this.url(path, tag)));
  }

  /** Starts a player and waits until the server has accepted its play. */
  async play(name: PlayerName, path: string, port?: number): Promise<Player> {
    let file = '';
    const actor = await this.start(name, (tag) => {
      file = join(this.server.place.directory, `${tag}.flv`);
      return players[name].start(this.url(path, tag, port), file);
    });
    return {
      ...actor,
      name,
      packets: async () => {
        await actor.program.closed;
        try {
          return await players[name].packets(actor.program, file);
        } catch (thrown) {
          throw new Error(
            `${name} has no media: ${thrown instanceof Error ? thrown.message : String(thrown)}\n${actor.program.tail()}`,
          );
        }
      },
    };
  }

  /** One player on each of the workers: connects again until the kernel has chosen every one. */
  async playOnEach(name: PlayerName, path: string): Promise<Player[]> {
    const found = new Map<number, Player>();
    for (let attempt = 0; attempt < MAX_TRIES && found.size < this.#workers.length; attempt++) {
      const player = await this.play(name, path);
      if (found.has(player.slot)) await player.program.stop('SIGKILL');
      else found.set(player.slot, player);
    }
    if (found.size < this.#workers.length)
      throw new Error(`${MAX_TRIES} connections of ${name} came to ${found.size} worker only`);
    return [...found.values()];
  }

  /** The worker that took the connection, by its own log line; for programs that may have ended already. */
  async slotOf(tag: string): Promise<number> {
    const line = await this.server.waitForLog(new RegExp(`connect app, tcUrl=\\S*who=${tag},`));
    const pid = Number(/^\[[^\]]*\]\[\w+\]\[(\d+)\]/.exec(line)?.[1]);
    const worker = this.#workers.find((one) => one.pid === pid);
    if (worker === undefined) throw new Error(`no worker has the process id of: ${line}`);
    return worker.slot;
  }

  /** What each of the connections has been sent so far. */
  async sentBytes(actors: readonly Actor[]): Promise<number[]> {
    const clients = await this.clients();
    return actors.map((actor) => clients.find((client) => hasTag(client, actor.tag))?.sendBytes ?? 0);
  }

  /** Waits until each of the connections has been sent so many bytes. */
  async waitForBytes(actors: readonly Actor[], sizeBytes: number): Promise<void> {
    let missing: readonly string[] = [];
    await eventually(
      async () => {
        const sent = await this.sentBytes(actors);
        missing = actors.flatMap((actor, index) => (sent[index]! < sizeBytes ? [`${actor.tag} ${sent[index]}`] : []));
        return missing.length === 0;
      },
      DELIVERY_LIMIT_MS,
      () => `not everybody was sent ${sizeBytes} bytes: ${missing.join(', ')}`,
    );
  }

  /** Waits until nobody publishes the stream (`live/one`) any more and its players have been given all of it. */
  async waitForDelivery(path: string, vhost = '__defaultVhost__'): Promise<void> {
    const streamId = `${vhost}/${path}`;
    let state = '';
    await eventually(
      async () => {
        const streams = (await this.streams()).filter((stream) => stream.streamId === streamId);
        const clients = (await this.#ask<Client>('/api/v1/clients')).filter((client) => client.streamId === streamId);
        state = JSON.stringify({ streams, clients });
        return (
          streams.every((stream) => stream.publisher === null && (stream.play?.lagBytes ?? 0) === 0) &&
          clients.every((client) => client.pendingBytes === 0 && client.isInStep !== false) &&
          areQueuesEmpty(this.server.place.rtmpPort)
        );
      },
      DELIVERY_LIMIT_MS,
      () => `the players of ${streamId} were not given everything\n${state}`,
    );
  }

  /** Stops the server: players get the end of their streams and finish their files. */
  async end(): Promise<Exit> {
    const exit = await this.server.program.stop();
    await Promise.all(this.#programs.map((program) => program.waitForExit(END_LIMIT_MS)));
    return exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#programs.filter((program) => program.isRunning).map((program) => program.stop('SIGKILL')));
    await this.server.stop();
  }

  async #ask<T>(path: string): Promise<T[]> {
    const lists = await Promise.all(
      this.#workers.map(async (worker) => {
        const { data } = (await this.server.privateApi(path, { port: worker.port })) as { readonly data: readonly T[] };
        return data.map((one) => ({ ...one, slot: worker.slot }));
      }),
    );
    return lists.flat();
  }
}

/** The kernel holds no byte of any connection to the port, in either direction: what was sent has been read. */
function areQueuesEmpty(port: number): boolean {
  if (process.platform !== 'linux') return true;
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return ['/proc/net/tcp', '/proc/net/tcp6'].every((table) =>
    readFileSync(table, 'latin1')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(
        ([, local, remote, state]) => state === '01' && (local?.endsWith(wanted) === true || remote?.endsWith(wanted) === true),
      )
      .every(([, , , , queues]) => queues === '00000000:00000000'),
  );
}
