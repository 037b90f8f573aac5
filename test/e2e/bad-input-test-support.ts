/** A server with people who use it in peace, and a client who does not: what all tests of bad input stand on. */
import { messageTypes } from '@srs/rtmp';
import { expect } from 'vitest';
import { openDescriptors, processMemory } from '../support/proc.ts';
import { RawRtmp } from '../support/raw-rtmp.ts';
import { type ServerOptions, ServerProcess } from '../support/server-process.ts';
import { LivePlayer, LivePublisher } from './live-client-test-support.ts';

const CLOSE_LIMIT_MS = 10_000;
/** A second of the stream that goes on all the time. */
const PEACE_FRAMES = 75;
const PEACE_PATH = 'live/peace';

/** `[time][level][pid][cid][errno] text`; the errno only in loud lines. */
const logLine = /^\[[^\]]*\]\[(\w+)\]\[(\d+)\]\[(\d+)\](?:\[\d+\])? ?(.*)$/;

/** The texts of the warnings and errors of one connection, in order. */
function loudLines(server: ServerProcess, cid: number): string[] {
  return server.log().flatMap((line) => {
    const [, level, , lineCid, text = ''] = logLine.exec(line) ?? [];
    return (level === 'warn' || level === 'error') && lineCid === String(cid) ? [text] : [];
  });
}

/** One connection whose every byte is the test's choice, and what the server's log says of it. */
export class Attacker {
  readonly rtmp: RawRtmp;
  readonly cid: number;
  readonly #server: ServerProcess;

  constructor(rtmp: RawRtmp, cid: number, server: ServerProcess) {
    this.rtmp = rtmp;
    this.cid = cid;
    this.#server = server;
  }

  get loudLines(): string[] {
    return loudLines(this.#server, this.cid);
  }

  /** Plays a stream that is being published. Resolves when the worker reads it for this player: the next frame will come. */
  async play(streamName: string): Promise<void> {
    await this.rtmp.play(streamName);
    await this.#server.waitForLog(new RegExp(`\\]\\[${this.cid}\\] .*source_id=\\d`), { limitMs: CLOSE_LIMIT_MS });
  }

  /** The server ends the connection and has said why, in one line. */
  async expectRefused(why: RegExp, limitMs: number = CLOSE_LIMIT_MS): Promise<void> {
    await this.rtmp.waitForClose(limitMs);
    await this.leave();
    expect(this.loudLines).toEqual([expect.stringMatching(why)]);
  }

  /** The server has borne all that was sent: it still answers, and has warned of nothing else. */
  async expectBorne(warnings: readonly RegExp[] = []): Promise<void> {
    await this.rtmp.waitForAnswer(this.rtmp.sendCommand('createStream'), CLOSE_LIMIT_MS);
    // The answer may overtake the log, which comes another way: with the line of the end all lines before it are there.
    await this.leave();
    const beforeTheEnd = this.loudLines.filter((line) => !line.startsWith('client disconnect peer'));
    expect(beforeTheEnd).toEqual(warnings.map((warning): unknown => expect.stringMatching(warning)));
  }

  /** Goes away, and waits until the server has noticed. */
  async leave(): Promise<void> {
    this.rtmp.close();
    await this.#server.waitForLog(new RegExp(`\\]\\[${this.cid}\\] client finished\\.`), { limitMs: CLOSE_LIMIT_MS });
  }

  [Symbol.dispose](): void {
    this.rtmp.close();
  }
}

export class BesiegedServer {
  readonly server: ServerProcess;
  readonly workerPid: number;
  readonly #publisher: LivePublisher;
  readonly #players: readonly LivePlayer[];
  readonly #pids: readonly number[];

  private constructor(server: ServerProcess, workerPid: number, publisher: LivePublisher, players: readonly LivePlayer[]) {
    this.server = server;
    this.workerPid = workerPid;
    this.#publisher = publisher;
    this.#players = players;
    this.#pids = server.pids();
  }

  /** One stream worker: whoever attacks meets those who are to be left in peace in the same process. */
  static async start(options: ServerOptions = {}): Promise<BesiegedServer> {
    const server = await ServerProcess.start({ workers: 'mode multi; stream 1;', ...options });
    try {
      const worker = (await server.workers()).find(({ role }) => role === 'stream');
      if (worker === undefined) throw new Error('there is no stream worker');
      const publisher = await LivePublisher.start(server, PEACE_PATH);
      const players = await LivePlayer.crowd(server, PEACE_PATH, 2);
      return new BesiegedServer(server, worker.pid, publisher, players);
    } catch (thrown) {
      await server.stop();
      throw thrown;
    }
  }

  /** Connects, and sends nothing. One at a time: the newest connection in the log is this one. */
  async connect(): Promise<Attacker> {
    const from = this.server.log().length;
    const rtmp = await RawRtmp.connect(this.server.place.rtmpPort);
    const line = await this.server.waitForLog(/RTMP client ip=/, { from });
    return new Attacker(rtmp, Number(logLine.exec(line)?.[3]), this.server);
  }

  async connectWithHandshake(): Promise<Attacker> {
    const attacker = await this.connect();
    await attacker.rtmp.handshake();
    return attacker;
  }

  /** Handshake and an accepted connect. */
  async connectToApp(): Promise<Attacker> {
    const attacker = await this.connect();
    await attacker.rtmp.connectApp('live');
    return attacker;
  }

  /** An accepted publish of `live/NAME`. */
  async publish(streamName: string): Promise<Attacker> {
    const attacker = await this.connectToApp();
    await attacker.rtmp.publish(streamName);
    return attacker;
  }

  /** Those who use the server in peace have noticed nothing, and no process has been replaced. */
  async expectPeace(): Promise<void> {
    await Promise.all(this.#players.map((player) => player.waitForFrames(PEACE_FRAMES, 30_000)));
    expect(this.#players.map((player) => player.checker.complaint)).toEqual(this.#players.map(() => ''));
    expect([this.#publisher, ...this.#players].every((client) => client.isOpen)).toBe(true);
    expect(this.server.pids()).toEqual(this.#pids);
  }

  /** What the stream worker holds of the machine that is its own: the rings, which are shared, are not counted. */
  holdings(): { readonly memoryBytes: number; readonly descriptors: number } {
    const { rssBytes, sharedBytes } = processMemory(this.workerPid);
    return { memoryBytes: rssBytes - sharedBytes, descriptors: openDescriptors(this.workerPid).length };
  }

  async stop(): Promise<void> {
    for (const client of [...this.#players, this.#publisher]) client.close();
    await this.server.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** A chunk as it stands on the wire: `fmt`, chunk stream id (2..63), then whatever comes behind the basic header. */
export function chunk(fmt: number, chunkStreamId: number, ...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat([Buffer.of((fmt << 6) | chunkStreamId), ...parts]);
}

/** The message header of fmt 0: timestamp 0, message stream 0. */
export function fullHeader(type: number, messageBytes: number): Buffer {
  const header = Buffer.alloc(11);
  header.writeUIntBE(messageBytes, 3, 3);
  header[6] = type;
  return header;
}

/** The message header of fmt 1: no step in time. */
export function lengthHeader(type: number, messageBytes: number): Buffer {
  const header = Buffer.alloc(7);
  header.writeUIntBE(messageBytes, 3, 3);
  header[6] = type;
  return header;
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A ping request of a client. */
export function ping(value: number): Buffer {
  return Buffer.concat([chunk(0, 2, fullHeader(messageTypes.userControl, 6)), Buffer.of(0, 6), uint32(value)]);
}
