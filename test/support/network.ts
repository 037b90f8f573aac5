/**
 * Hosts of a test's own, each in a network name space, with cables that can be cut, slowed down and made bad. The test itself is in
 * the network too, under as many addresses as it wants.
 */

import { execFileSync } from 'node:child_process';
import { accessSync, closeSync, constants, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { beforeEach } from 'vitest';
import type { CableState, SwitchData, SwitchOrder } from './packet-switch.ts';
import { isAlive } from './proc.ts';
import { findProgram, missingNote, type Program } from './programs.ts';
import { openTunDevice } from './tun-device.ts';

const tool: Program = 'ip';
/** Names carry the process that made them, so that a later run finds what one that was killed has left. */
const NAME = /^srs-(\d+)-\d+$/;
const namespaceDirectory = '/run/netns';
const DEFAULT_SEED = 0x5eed;
/** The addresses that are set aside for tests of networks: 198.18.0.0/15. */
const NETWORK = '198.18';
const WHOLE: CableState = { isCut: false, delayMs: 0, loss: 0 };

/** A place for a server (`ServerOptions.on`): programs that are started with `prefix` before them run there. */
export interface NetworkHost {
  readonly address: string;
  readonly prefix: readonly string[];
}

export interface HostOptions {
  /** Where names are asked for; they cannot be looked up otherwise. */
  readonly nameServer?: string;
  /** Of what is sent there, such as `bbr`: one for which `allowsCongestionControl` holds. What the system does unless told. */
  readonly congestionControl?: string;
}

/** Both directions between two addresses. */
export interface Cable {
  /** Packets are lost from now on, and nobody is told. */
  cut(): Promise<void>;
  mend(): Promise<void>;
  /** @param loss 0..1, each way */
  shape(quality: { readonly delayMs: number; readonly loss: number }): Promise<void>;
}

function ip(...args: readonly string[]): void {
  execFileSync(tool, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Why no network can be made here; undefined when one can. */
function obstacle(): string | undefined {
  if (findProgram(tool) === undefined) return missingNote([tool]);
  const name = `srs-${process.pid}-0`;
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK);
    ip('netns', 'add', name);
    ip('netns', 'delete', name);
    return undefined;
  } catch {
    return 'only root, and not in a container, may make networks of its own';
  }
}

/** Skips the tests of the file or `describe` where `TestNetwork.start` cannot work; returns whether it can. */
export function requiresNetwork(): boolean {
  const note = obstacle();
  beforeEach((context) => context.skip(note !== undefined, note));
  return note === undefined;
}

/** In a name space the kernel takes what it lets every user have, and not all that it knows. */
export function allowsCongestionControl(name: string): boolean {
  return readFileSync('/proc/sys/net/ipv4/tcp_allowed_congestion_control', 'utf8').trim().split(' ').includes(name);
}

export class TestNetwork {
  readonly #subnet: string;
  readonly #switch: Worker;
  readonly #descriptors: number[] = [];
  readonly #namespaces: string[] = [];
  readonly #ownDevice: string;
  readonly #ownFd: number;
  readonly #ordered: (() => void)[] = [];
  #nextAddress = 1;

  private constructor(subnet: string, seed: number) {
    this.#subnet = subnet;
    this.#ownDevice = `srs${process.pid}t`;
    this.#ownFd = openTunDevice(this.#ownDevice);
    this.#descriptors.push(this.#ownFd);
    this.#switch = new Worker(new URL('./packet-switch.ts', import.meta.url), {
      workerData: { seed } satisfies SwitchData,
    });
    this.#switch.on('message', () => this.#ordered.shift()?.());
    networks.add(this);
  }

  /** @param seed of what is lost on bad cables */
  static async start(seed: number = DEFAULT_SEED): Promise<TestNetwork> {
    sweep();
    const network = new TestNetwork(freeSubnet(), seed);
    await network.#order({ kind: 'device', fd: network.#ownFd });
    ip('link', 'set', network.#ownDevice, 'up');
    return network;
  }

  /** One more address of the test itself. */
  async ownAddress(): Promise<string> {
    const address = this.#takeAddress();
    ip('address', 'add', `${address}/24`, 'dev', this.#ownDevice);
    await this.#order({ kind: 'address', fd: this.#ownFd, address });
    return address;
  }

  async host({ nameServer, congestionControl }: HostOptions = {}): Promise<NetworkHost> {
    const name = `srs-${process.pid}-${this.#nextAddress}`;
    const device = `srs${process.pid}n${this.#nextAddress}`;
    const address = this.#takeAddress();
    ip('netns', 'add', name);
    this.#namespaces.push(name);
    const fd = openTunDevice(device);
    this.#descriptors.push(fd);
    ip('link', 'set', device, 'netns', name);
    ip('-n', name, 'address', 'add', `${address}/24`, 'dev', device);
    for (const link of ['lo', device]) ip('-n', name, 'link', 'set', link, 'up');
    if (nameServer !== undefined) {
      mkdirSync(`/etc/netns/${name}`, { recursive: true });
      writeFileSync(`/etc/netns/${name}/resolv.conf`, `nameserver ${nameServer}\n`);
    }
    if (congestionControl !== undefined) {
      const file = '/proc/sys/net/ipv4/tcp_congestion_control';
      ip('netns', 'exec', name, '/bin/sh', '-c', `echo ${congestionControl} > ${file}`);
    }
    await this.#order({ kind: 'device', fd });
    await this.#order({ kind: 'address', fd, address });
    return { address, prefix: ['ip', 'netns', 'exec', name] };
  }

  cable(one: string, other: string): Cable {
    let state = WHOLE;
    const change = async (next: Partial<CableState>): Promise<void> => {
      state = { ...state, ...next };
      await Promise.all([
        this.#order({ kind: 'cable', from: one, to: other, state }),
        this.#order({ kind: 'cable', from: other, to: one, state }),
      ]);
    };
    return { cut: () => change({ isCut: true }), mend: () => change({ isCut: false }), shape: change };
  }

  /** Everything is gone then, but for programs that were not ended. */
  async stop(): Promise<void> {
    await this.#order({ kind: 'stop' });
    await this.#switch.terminate();
    this.removeNow();
  }

  /** Without waiting for anything, when the process ends. */
  removeNow(): void {
    if (!networks.delete(this)) return;
    for (const fd of this.#descriptors) closeSync(fd);
    for (const name of this.#namespaces) removeNamespace(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #takeAddress(): string {
    const address = `${this.#subnet}.${this.#nextAddress}`;
    this.#nextAddress += 1;
    return address;
  }

  /** Resolves when it has been carried out; the switch takes orders one after the other. */
  #order(order: SwitchOrder): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ordered.push(resolve);
    this.#switch.postMessage(order);
    return promise;
  }
}

// Those of a test that was interrupted.
const networks = new Set<TestNetwork>();
process.on('exit', () => {
  for (const network of networks) network.removeNow();
});

function removeNamespace(name: string): void {
  try {
    ip('netns', 'delete', name);
  } catch {
    // Somebody has swept it away.
  }
  rmSync(join('/etc/netns', name), { recursive: true, force: true });
}

/** Removes what killed processes have left. */
function sweep(): void {
  let names: readonly string[];
  try {
    names = readdirSync(namespaceDirectory);
  } catch {
    return;
  }
  for (const name of names) {
    const owner = NAME.exec(name)?.[1];
    if (owner !== undefined && !isAlive(Number(owner))) removeNamespace(name);
  }
}

function freeSubnet(): string {
  const taken = new Set(
    Object.values(networkInterfaces()).flatMap(
      (list) => list?.map(({ address }) => address.split('.').slice(0, 3).join('.')) ?? [],
    ),
  );
  const start = process.pid % 256;
  for (let step = 0; step < 256; step += 1) {
    const subnet = `${NETWORK}.${(start + step) % 256}`;
    if (!taken.has(subnet)) return subnet;
  }
  throw new Error(`no network is free in ${NETWORK}.0.0/16`);
}
