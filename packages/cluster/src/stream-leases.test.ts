import { memoryLog, SrsError } from '@srs/kernel';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type PublishedStream, StreamLeases } from './stream-leases.ts';
import type { LeaseAnswer, LeaseTerms, StreamPlace, StreamRegistry } from './stream-registry.ts';

const STREAM = 'v/live/one';
const LEASE_MS = 9_000;
const here: StreamPlace = { address: { host: '10.0.0.1', port: 1935 }, instanceId: 'here', cid: 7, hops: [] };
const there: StreamPlace = { address: { host: '10.0.0.2', port: 1935 }, instanceId: 'there', cid: 8, hops: [] };
const taken: LeaseAnswer = { kind: 'taken', by: there };

/** Answers as it is told, and writes down what it was asked. */
class ScriptedRegistry implements StreamRegistry {
  readonly lookUpsPerSecond = Number.POSITIVE_INFINITY;
  readonly report = { name: 'script', isUp: true, commands: 0, failures: 0, latencyMs: 0, lastError: '' };
  readonly asked: string[] = [];
  answer: LeaseAnswer | SrsError | Promise<LeaseAnswer> = { kind: 'held' };
  /** When it has done so. */
  withdrawn: Promise<void> = Promise.resolve();
  comesUp: () => void = () => {};

  async announce(streamId: string, _place: StreamPlace, { takesOver }: LeaseTerms): Promise<LeaseAnswer> {
    this.asked.push(`announce ${streamId}${takesOver ? ' taking over' : ''}`);
    if (this.answer instanceof SrsError) throw this.answer;
    return await this.answer;
  }

  async withdraw(streamId: string): Promise<void> {
    this.asked.push(`withdraw ${streamId}`);
    await this.withdrawn;
  }

  lookUp(): Promise<readonly undefined[]> {
    return Promise.resolve([]);
  }

  onUp(callback: () => void): void {
    this.comesUp = callback;
  }

  close(): void {}
}

function setUp() {
  const registry = new ScriptedRegistry();
  const log = memoryLog();
  const dismissed: string[] = [];
  const leases = new StreamLeases({
    registry,
    clock: { nowMs: () => Date.now(), wallMs: () => Date.now() },
    random: () => 0,
    log,
    dismiss: (streamId, why) => void dismissed.push(`${streamId} ${why}`),
  });
  const begin = (more: Partial<PublishedStream> = {}): void =>
    leases.begin({ streamId: STREAM, place: here, leaseMs: LEASE_MS, isFresh: true, takesOver: false, ...more });
  const errors = (): readonly string[] => log.lines.filter(({ level }) => level === 'error').map(({ text }) => text);
  return { registry, leases, dismissed, begin, errors, log };
}

const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('the lease of a stream', () => {
  it('is asked for at once, renewed at a third of its time, and given back at the end', async () => {
    const { registry, leases, begin } = setUp();
    begin();
    await pass(0);
    expect(leases.reportOf(STREAM)).toEqual({ state: 'held', holder: '' });
    await pass(LEASE_MS);
    expect(registry.asked).toEqual(Array(4).fill(`announce ${STREAM}`));
    leases.end(STREAM);
    await pass(LEASE_MS);
    expect(registry.asked.slice(4)).toEqual([`withdraw ${STREAM}`]);
    expect(leases.reportOf(STREAM)).toBeUndefined();
  });

  it('that another server holds at the beginning ends the publish', async () => {
    const { registry, dismissed, begin } = setUp();
    registry.answer = taken;
    begin();
    await pass(0);
    expect(dismissed).toEqual([`${STREAM} already published at 10.0.0.2:1935`]);
    await pass(LEASE_MS);
    expect(registry.asked).toHaveLength(1);
  });

  it.each<[string, Partial<PublishedStream>, number]>([
    ['a publish that has been running', { isFresh: false }, 0],
    ['one whose answer comes late', {}, 6_000],
  ])('that another server holds leaves %s alone, and one line says so', async (_what, more, delayMs) => {
    const { registry, leases, dismissed, begin, errors } = setUp();
    const late = Promise.withResolvers<LeaseAnswer>();
    registry.answer = late.promise;
    begin(more);
    await pass(delayMs);
    registry.answer = taken;
    late.resolve(taken);
    await pass(2 * LEASE_MS);
    expect(dismissed).toEqual([]);
    expect(errors()).toHaveLength(1);
    expect(errors()[0]).toContain('published here and at 10.0.0.2:1935');
    expect(leases.reportOf(STREAM)).toEqual({ state: 'taken', holder: '10.0.0.2:1935' });
    registry.answer = { kind: 'held' };
    await pass(LEASE_MS);
    expect(leases.reportOf(STREAM)?.state).toBe('held');
  });

  it('that was lost to another server while this one was stalled leaves the publish alone', async () => {
    const { registry, leases, dismissed, begin } = setUp();
    begin();
    await pass(0);
    registry.answer = taken;
    await pass(LEASE_MS);
    expect(dismissed).toEqual([]);
    expect(leases.reportOf(STREAM)?.state).toBe('taken');
  });

  it('goes to the newer publisher with busy replace: taken over once, and given up when it is taken over', async () => {
    const { registry, dismissed, begin } = setUp();
    begin({ takesOver: true });
    await pass(LEASE_MS / 3);
    expect(registry.asked).toEqual([`announce ${STREAM} taking over`, `announce ${STREAM}`]);
    registry.answer = taken;
    await pass(LEASE_MS / 3);
    expect(dismissed).toEqual([`${STREAM} taken over at 10.0.0.2:1935 (publish busy replace)`]);
  });

  it('stays with the server that has sent the stream here', async () => {
    const { registry, leases, dismissed, begin, errors } = setUp();
    registry.answer = taken;
    begin({ place: { ...here, hops: ['there'] } });
    await pass(LEASE_MS);
    expect([dismissed, errors()]).toEqual([[], []]);
    expect(leases.reportOf(STREAM)).toEqual({ state: 'copy', holder: '10.0.0.2:1935' });
  });

  it('is asked for again when the registry comes back, and a failure is told once', async () => {
    const { registry, leases, dismissed, begin, log } = setUp();
    registry.answer = new SrsError('Registry', 'away');
    begin();
    await pass(LEASE_MS);
    expect(leases.reportOf(STREAM)?.state).toBe('asking');
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    registry.answer = { kind: 'held' };
    registry.comesUp();
    await pass(0);
    expect(leases.reportOf(STREAM)?.state).toBe('held');
    expect(dismissed).toEqual([]);
  });

  it('that is being given back is waited for when the registry is left', async () => {
    const { registry, leases, begin } = setUp();
    begin();
    await pass(0);
    const told = Promise.withResolvers<void>();
    registry.withdrawn = told.promise;
    leases.end(STREAM);
    let isClosed = false;
    const closed = leases.close().then(() => {
      isClosed = true;
    });
    await pass(0);
    expect(isClosed).toBe(false);
    told.resolve();
    await closed;
    expect(registry.asked).toEqual([`announce ${STREAM}`, `withdraw ${STREAM}`]);
  });

  it('that is granted after the publish has ended is given back', async () => {
    const { registry, leases, begin } = setUp();
    const late = Promise.withResolvers<LeaseAnswer>();
    registry.answer = late.promise;
    begin();
    await pass(0);
    leases.end(STREAM);
    late.resolve({ kind: 'held' });
    await pass(0);
    expect(registry.asked.at(-1)).toBe(`withdraw ${STREAM}`);
    expect(leases.size).toBe(0);
  });
});
