/** Mutated inputs against one function, within a time box: what a hostile peer may send must end in a value or an SrsError. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { SrsError } from '@srs/kernel';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes in use after a full collection. */
function liveBytes(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** A small seeded generator (xorshift32), so that a failing run can be repeated. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0 || 1;
  }

  /** An integer in 0 .. limit-1. */
  below(limit: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % limit;
  }
}

/** Bytes at which parsers tend to break: signs, carries, counts. */
const sharpBytes = [0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff];

/** One to four changes of a sample: bytes set, bits flipped, ranges removed, repeated or taken from another sample, the end cut. */
export function mutate(random: Random, sample: Buffer, other: Buffer): Buffer {
  let bytes = Buffer.from(sample);
  for (let change = random.below(4); change >= 0; change--) {
    const at = random.below(bytes.length + 1);
    const length = random.below(16);
    switch (random.below(6)) {
      case 0:
        if (at < bytes.length) bytes[at] = random.below(256);
        break;
      case 1:
        if (at < bytes.length) bytes[at] = sharpBytes[random.below(sharpBytes.length)]!;
        break;
      case 2:
        if (at < bytes.length) bytes[at]! ^= 1 << random.below(8);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + length))]);
        break;
      case 4: {
        const from = random.below(other.length + 1);
        bytes = Buffer.concat([bytes.subarray(0, at), other.subarray(from, from + length), bytes.subarray(at)]);
        break;
      }
      default:
        bytes = bytes.subarray(0, at);
    }
  }
  return bytes;
}

export interface FuzzOptions {
  /** Valid inputs to begin from. */
  readonly samples: readonly Buffer[];
  /** Inputs to try; the run fails if the time box ends earlier. */
  readonly count: number;
  readonly timeBoxMs: number;
  /** By how much the live heap and buffers may have grown afterwards. */
  readonly maxGrowthBytes: number;
  /** From the environment variable FUZZ_SEED, else from the clock. */
  readonly seed?: number;
}

export interface FuzzResult {
  readonly accepted: number;
  readonly refused: number;
}

/**
 * Gives `target` mutated samples. Throws, with the seed and the input, when it throws anything but an SrsError.
 *
 * @returns how many inputs gave a value and how many an SrsError
 */
export function fuzz(options: FuzzOptions, target: (input: Buffer, random: Random) => void): FuzzResult {
  const seed = options.seed ?? Number(process.env.FUZZ_SEED ?? Date.now() & 0x7fffffff);
  const random = new Random(seed);
  console.log(`fuzz seed ${seed} (repeat with FUZZ_SEED=${seed})`);
  const before = liveBytes();
  const deadlineMs = performance.now() + options.timeBoxMs;
  let accepted = 0;
  let refused = 0;
  for (let i = 0; i < options.count; i++) {
    const sample = options.samples[random.below(options.samples.length)]!;
    const other = options.samples[random.below(options.samples.length)]!;
    const input = mutate(random, sample, other);
    try {
      target(input, random);
      accepted += 1;
    } catch (error) {
      if (!(error instanceof SrsError)) {
        throw new Error(`fuzz seed ${seed}, input ${i}: ${input.toString('hex')}`, { cause: error });
      }
      refused += 1;
    }
    if (i % 1024 === 0 && performance.now() > deadlineMs) {
      throw new Error(`fuzz seed ${seed}: ${i} of ${options.count} inputs within ${options.timeBoxMs} ms`);
    }
  }
  const growthBytes = liveBytes() - before;
  if (growthBytes > options.maxGrowthBytes) {
    throw new Error(`fuzz seed ${seed}: memory grew by ${growthBytes} bytes, more than ${options.maxGrowthBytes}`);
  }
  return { accepted, refused };
}
