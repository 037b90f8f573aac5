/** Passes packets between the devices of a test network, on a thread of its own: late, not all of them, or none. */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { POLLFD_BYTES, POLLIN, poll, readPacket, writePacket } from './tun-device.ts';

/** How packets fare from one address to another. */
export interface CableState {
  readonly isCut: boolean;
  readonly delayMs: number;
  /** 0..1 */
  readonly loss: number;
}

export type SwitchOrder =
  | { readonly kind: 'device'; readonly fd: number }
  | { readonly kind: 'address'; readonly fd: number; readonly address: string }
  | { readonly kind: 'cable'; readonly from: string; readonly to: string; readonly state: CableState }
  | { readonly kind: 'stop' };

export interface SwitchData {
  readonly seed: number;
}

interface LatePacket {
  readonly dueMs: number;
  readonly fd: number;
  readonly bytes: Buffer;
}

/** Orders are looked for so often. */
const MAX_WAIT_MS = 5;
const MAX_PACKET_BYTES = 65_536;
/** Of one device before the others get their turn. */
const TURN_PACKETS = 64;
/** Of the IPv4 head. */
const SOURCE_OFFSET = 12;
const TARGET_OFFSET = 16;
const IPV4 = 4;

class PacketSwitch {
  readonly #port: MessagePort;
  readonly #devices: number[] = [];
  readonly #homes = new Map<number, number>();
  readonly #cables = new Map<string, CableState>();
  /** In the order of their time. */
  readonly #late: LatePacket[] = [];
  readonly #buffer = Buffer.alloc(MAX_PACKET_BYTES);
  #polled = Buffer.alloc(0);
  #random: number;
  #isStopped = false;

  constructor(port: MessagePort, seed: number) {
    this.#port = port;
    this.#random = seed;
  }

  run(): void {
    while (!this.#isStopped) {
      this.#takeOrders();
      poll(this.#polled, this.#devices.length, this.#waitMs);
      this.#devices.forEach((fd, index) => {
        if ((this.#polled.readInt16LE(index * POLLFD_BYTES + 6) & POLLIN) !== 0) this.#readFrom(fd);
      });
      this.#passLate();
    }
  }

  get #waitMs(): number {
    const first = this.#late[0];
    return first === undefined ? MAX_WAIT_MS : Math.max(0, Math.min(MAX_WAIT_MS, Math.ceil(first.dueMs - performance.now())));
  }

  #takeOrders(): void {
    for (let got = receiveMessageOnPort(this.#port); got !== undefined; got = receiveMessageOnPort(this.#port)) {
      this.#obey(got.message as SwitchOrder);
      this.#port.postMessage('done');
    }
  }

  #obey(order: SwitchOrder): void {
    switch (order.kind) {
      case 'device':
        this.#devices.push(order.fd);
        this.#polled = Buffer.alloc(this.#devices.length * POLLFD_BYTES);
        this.#devices.forEach((fd, index) => {
          this.#polled.writeInt32LE(fd, index * POLLFD_BYTES);
          this.#polled.writeInt16LE(POLLIN, index * POLLFD_BYTES + 4);
        });
        break;
      case 'address':
        this.#homes.set(numberOf(order.address), order.fd);
        break;
      case 'cable':
        this.#cables.set(`${numberOf(order.from)} ${numberOf(order.to)}`, order.state);
        break;
      case 'stop':
        this.#isStopped = true;
        break;
    }
  }

  #readFrom(fd: number): void {
    for (let count = 0; count < TURN_PACKETS; count += 1) {
      const length = readPacket(fd, this.#buffer, MAX_PACKET_BYTES);
      if (length <= 0) return;
      if (this.#buffer[0]! >> 4 === IPV4) this.#pass(this.#buffer.subarray(0, length));
    }
  }

  #pass(packet: Buffer): void {
    const target = packet.readUInt32BE(TARGET_OFFSET);
    const fd = this.#homes.get(target);
    if (fd === undefined) return;
    const cable = this.#cables.get(`${packet.readUInt32BE(SOURCE_OFFSET)} ${target}`);
    if (cable === undefined) {
      writePacket(fd, packet, packet.length);
    } else if (!cable.isCut && (cable.loss === 0 || this.#nextRandom() >= cable.loss)) {
      this.#putOff({ dueMs: performance.now() + cable.delayMs, fd, bytes: Buffer.from(packet) });
    }
  }

  #putOff(packet: LatePacket): void {
    let at = this.#late.length;
    while (at > 0 && this.#late[at - 1]!.dueMs > packet.dueMs) at -= 1;
    this.#late.splice(at, 0, packet);
  }

  #passLate(): void {
    const nowMs = performance.now();
    let count = 0;
    for (; count < this.#late.length && this.#late[count]!.dueMs <= nowMs; count += 1) {
      const { fd, bytes } = this.#late[count]!;
      writePacket(fd, bytes, bytes.length);
    }
    if (count > 0) this.#late.splice(0, count);
  }

  /** The same packets are lost in each run with the same seed. */
  #nextRandom(): number {
    // xorshift32
    let x = this.#random;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#random = x;
    return (x >>> 0) / 2 ** 32;
  }
}

const numberOf = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);

new PacketSwitch(parentPort!, (workerData as SwitchData).seed).run();
