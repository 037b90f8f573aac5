/** A fan-out that sends on descriptors, beside sockets that answer, block, pause and close: with real connections. */

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { adoptSocket, SocketOutput } from '@srs/clients';
import type { RingRef } from '@srs/control';
import { frameFlags, frameTypes, systemClock } from '@srs/kernel';
import { MemoryArena, RegionTable, RingWriter, ringBytes } from '@srs/ring';
import {
  Batch,
  type DirectoryClient,
  type EncodedBytes,
  FanOut,
  type FanOutPlayer,
  FlushBudget,
  type FrameEncoder,
  type FrameLine,
  LiveStreams,
  type PlayerState,
} from '@srs/stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const MEDIA = 1;
const ANSWER = 2;
const HEADER_BYTES = 9;

/** `kind number length payload`, the payload filled with the number, so that a reader knows what belongs where. */
function pack(kind: number, number: number, lengthBytes: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + lengthBytes, number & 0xff);
  bytes[0] = kind;
  bytes.writeUInt32LE(number, 1);
  bytes.writeUInt32LE(lengthBytes, 5);
  return bytes;
}

/** The frame's timestamp is its number. */
const line: FrameLine = {
  encodedBytes: (_type, _timestampMs, payload) => HEADER_BYTES + payload.length,
  encode: (target, offset, _type, timestampMs, payload) => {
    target[offset] = MEDIA;
    target.writeUInt32LE(timestampMs, offset + 1);
    target.writeUInt32LE(payload.length, offset + 5);
    payload.copy(target, offset + HEADER_BYTES);
  },
};
const encoder: FrameEncoder = { openLine: () => line };

/** What one connection received, checked piece by piece. */
function parse(bytes: Buffer, playerId: number): { readonly frames: number[]; readonly answers: number } {
  const frames: number[] = [];
  let answers = 0;
  let offset = 0;
  while (offset + HEADER_BYTES <= bytes.length) {
    const number = bytes.readUInt32LE(offset + 1);
    const end = offset + HEADER_BYTES + bytes.readUInt32LE(offset + 5);
    if (end > bytes.length) break;
    const isFilled = bytes.subarray(offset + HEADER_BYTES, end).every((byte) => byte === (number & 0xff));
    if (!isFilled) throw new Error(`player ${playerId}: bytes at ${offset} are not of one piece`);
    if (bytes[offset] === ANSWER) {
      expect(number).toBe(playerId);
      answers += 1;
    } else {
      expect(bytes[offset]).toBe(MEDIA);
      frames.push(number);
    }
    offset = end;
  }
  return { frames, answers };
}

class Player implements FanOutPlayer {
  readonly id: number;
  readonly client: Socket;
  readonly output: SocketOutput;
  readonly socket: Socket;
  readonly #parts: Buffer[] = [];
  readonly #fanOut: FanOut;
  #state: PlayerState | undefined;
  #directBytes = 0;
  answers = 0;
  isPaused = false;

  constructor(id: number, client: Socket, accepted: Socket, fanOut: FanOut) {
    this.id = id;
    this.client = client;
    this.#fanOut = fanOut;
    client.on('data', (bytes: Buffer) => this.#parts.push(bytes));
    client.on('error', () => {});
    const hold = (): void => {
      if (this.#state !== undefined) fanOut.holdBack(this.#state);
    };
    const adopted = adoptSocket(accepted, { onBytes: () => {}, onClosing: hold });
    this.socket = adopted.socket;
    this.socket.on('error', () => {});
    this.output = new SocketOutput(adopted, {
      onDrained: () => {
        if (this.#state !== undefined) fanOut.onDrain(this.#state);
      },
      onHeldBack: hold,
    });
    this.#state = fanOut.add(this);
  }

  get descriptor(): number {
    return this.output.descriptor;
  }

  get pendingBytes(): number {
    return this.output.pendingBytes;
  }

  write(encoded: EncodedBytes, offset: number): boolean {
    return this.output.writeMedia(encoded, offset);
  }

  onFinished(): void {}

  answer(lengthBytes: number): void {
    this.output.say(pack(ANSWER, this.id, lengthBytes));
    this.answers += 1;
  }

  setPaused(isPaused: boolean): void {
    this.isPaused = isPaused;
    if (this.#state !== undefined) this.#fanOut.setPaused(this.#state, isPaused);
  }

  get isInStep(): boolean {
    return this.#state?.statistics.isInStep ?? false;
  }

  /** Everything it was sent, as the server counts it. */
  get sentBytes(): number {
    return this.output.bytesWritten + this.#directBytes + (this.#state === undefined ? 0 : this.#fanOut.directBytes(this.#state));
  }

  get received(): Buffer {
    return Buffer.concat(this.#parts);
  }

  /** As a connection ends: the socket first, and what follows from it later. */
  leaveOnClose(): void {
    const state = this.#state!;
    this.socket.once('close', () => {
      this.#fanOut.remove(state);
      this.#directBytes += this.#fanOut.directBytes(state);
      this.#state = undefined;
    });
  }
}

let listener: Server;
const sockets: Socket[] = [];
beforeEach(async () => {
  listener = createServer({ pauseOnConnect: true });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  listener.close();
});

let lastId = 0;
async function join(fanOut: FanOut): Promise<Player> {
  return makePlayer(fanOut, await connection());
}

/** Both ends of a new connection: the client's, and the one the server has accepted. */
async function connection(): Promise<readonly [Socket, Socket]> {
  const address = listener.address();
  const client = connect({ host: '127.0.0.1', port: typeof address === 'object' && address !== null ? address.port : 0 });
  const [accepted] = (await once(listener, 'connection')) as [Socket];
  return [client, accepted];
}

function makePlayer(fanOut: FanOut, [client, accepted]: readonly [Socket, Socket]): Player {
  lastId += 1;
  const player = new Player(lastId, client, accepted, fanOut);
  sockets.push(client, player.socket);
  return player;
}

function publishTo(capacityBytes: number) {
  const arena = new MemoryArena(4 * capacityBytes);
  const table = RegionTable.create(arena);
  const directory = {
    subscribe: () => {},
    unsubscribe: () => {},
    holdRing: () => {},
    releaseRing: () => {},
  } as unknown as DirectoryClient;
  const streams = new LiveStreams({ directory, arenas: [arena], log: undefined as never });
  const stream = streams.follow('v/a/s');
  const fanOut = new FanOut({
    stream,
    encoder,
    batch: new Batch(),
    budget: new FlushBudget(systemClock),
    clock: systemClock,
    slot: 3,
    gopCache: true,
    queueLengthMs: 1_000_000,
    maxFlushIntervalMs: 0,
    minFrameIntervalMs: 0,
    onCorrupt: (error) => expect.fail(error.message),
  });
  const region = table.allocate(ringBytes(capacityBytes))!;
  const writer = RingWriter.create(arena, region, { writerSlot: 1, writerPid: 1 });
  const ring: RingRef = { arena: 0, ...region };
  let number = 0;
  const publish = (lengthBytes: number): void => {
    number += 1;
    writer.write(frameTypes.video, frameFlags.keyFrame, number, 0, Buffer.alloc(lengthBytes, number & 0xff));
  };
  publish(10);
  stream.onState({ streamId: 'v/a/s', ring, publisher: null });
  return { fanOut, publish, wake: () => stream.wake(), newest: () => number };
}

/** Until nothing is on its way to anybody. */
async function settle(players: readonly Player[]): Promise<void> {
  for (const { client } of players) client.resume();
  const isOver = (): boolean =>
    players.every(({ received, sentBytes, pendingBytes }) => pendingBytes === 0 && received.length === sentBytes);
  while (!isOver()) await nextTurn();
}

describe('sending past the sockets', () => {
  it('keeps every byte in its place beside answers, blocks, pauses and connections that come and go', async () => {
    const { fanOut, publish, wake, newest } = publishTo(16 << 20);
    let seed = 12345;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return (seed >>> 8) % below;
    };
    const players: Player[] = [];
    const gone: Player[] = [];
    for (let index = 0; index < 12; index += 1) players.push(await join(fanOut));
    for (let round = 0; round < 600; round += 1) {
      publish(200 + random(20_000));
      if (random(3) > 0) wake();
      const index = random(players.length);
      const player = players[index]!;
      switch (random(9)) {
        case 0:
          player.answer(random(100));
          break;
        case 1:
          player.answer(400_000);
          break;
        case 2:
          player.client.pause();
          break;
        case 3:
        case 4:
          player.client.resume();
          break;
        case 5:
          player.setPaused(!player.isPaused);
          break;
        case 6: {
          const next = await connection();
          player.leaveOnClose();
          player.socket.destroy();
          gone.push(player);
          // The next connection gets the descriptor of this one before anybody hears of its end.
          players[index] = makePlayer(fanOut, next);
          publish(100);
          wake();
          break;
        }
        case 7:
          player.leaveOnClose();
          player.client.resetAndDestroy();
          players[index] = await join(fanOut);
          break;
        default:
          await nextTurn();
      }
    }
    for (const player of players) if (player.isPaused) player.setPaused(false);
    wake();
    await settle(players);
    let inStep = 0;
    for (const player of players) {
      const { frames, answers } = parse(player.received, player.id);
      expect(frames).toEqual(Array.from(frames, (_, index) => frames[0]! + index));
      expect(frames.at(-1)).toBe(newest());
      expect(answers).toBe(player.answers);
      if (player.isInStep) inStep += 1;
    }
    expect(inStep).toBe(players.length);
    for (const player of gone) parse(player.received, player.id);
  });

  it('puts no answer between two parts of a frame when both are written in one tick', async () => {
    const { fanOut, publish, wake, newest } = publishTo(16 << 20);
    const player = await join(fanOut);
    for (let rounds = 0; rounds < 20; rounds += 1) {
      player.client.pause();
      // Until the kernel takes only a part.
      while (player.isInStep) {
        player.answer(20);
        publish(100_000);
        wake();
        await nextTurn();
      }
      await settle([player]);
      while (!player.isInStep) await nextTurn();
    }
    const { frames, answers } = parse(player.received, player.id);
    expect(frames.at(-1)).toBe(newest());
    expect(answers).toBe(player.answers);
  });

  it('gives a player its batch by the socket when an answer waits there, and lets it come back into step', async () => {
    const { fanOut, publish, wake, newest } = publishTo(16 << 20);
    const [held, other] = [await join(fanOut), await join(fanOut)];
    held.client.pause();
    held.answer(7_000_000);
    await nextTurn();
    expect([held.isInStep, other.isInStep]).toEqual([false, true]);
    publish(1000);
    wake();
    expect(held.pendingBytes).toBeGreaterThan(0);
    await settle([held, other]);
    while (!held.isInStep) await nextTurn();
    publish(1000);
    wake();
    await settle([held, other]);
    for (const player of [held, other]) expect(parse(player.received, player.id).frames.at(-1)).toBe(newest());
  });
});
