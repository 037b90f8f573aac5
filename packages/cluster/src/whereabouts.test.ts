import { memoryLog, SrsError } from '@srs/kernel';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LocalRegistry } from './local-registry.ts';
import type { StreamPlace } from './stream-registry.ts';
import { Whereabouts } from './whereabouts.ts';

const there: StreamPlace = { address: { host: '10.0.0.2', port: 1935 }, instanceId: 'there', cid: 8, hops: [] };

/** A registry whose questions are counted, and that can fail. */
class CountingRegistry extends LocalRegistry {
  readonly batches: number[] = [];
  override lookUpsPerSecond = Number.POSITIVE_INFINITY;
  isAway = false;

  override lookUp(streamIds: readonly string[]): Promise<readonly (StreamPlace | undefined)[]> {
    this.batches.push(streamIds.length);
    return this.isAway ? Promise.reject(new SrsError('Registry', 'away')) : super.lookUp(streamIds);
  }
}

function setUp() {
  const registry = new CountingRegistry();
  const log = memoryLog();
  const clock = { nowMs: () => Date.now(), wallMs: () => Date.now() };
  const whereabouts = new Whereabouts({ registry, instanceId: 'here', clock, random: () => 0, log });
  return { registry, log, whereabouts };
}

const never = new AbortController().signal;
const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('streams that are followed', () => {
  it('are found at once when they are somewhere, and else within a second of their beginning', async () => {
    const { registry, whereabouts } = setUp();
    await registry.announce('v/a/1', there);
    const [one, two] = [whereabouts.follow('v/a/1'), whereabouts.follow('v/a/2')];
    const found: string[] = [];
    void one.found(never).then(() => found.push('one'));
    void two.found(never).then(() => found.push('two'));
    await pass(1);
    expect(found).toEqual(['one']);
    await pass(5_000);
    await registry.announce('v/a/2', there);
    await pass(1_000);
    expect(found).toEqual(['one', 'two']);
    await registry.withdraw('v/a/1');
    await pass(1_000);
    expect(one.place).toBeUndefined();
    whereabouts.close();
  });

  it('are looked up as fast as the registry takes it, and a new one at once', async () => {
    const { registry, whereabouts } = setUp();
    registry.lookUpsPerSecond = 128;
    for (let index = 0; index < 1_000; index += 1) whereabouts.follow(`v/a/${index}`);
    await pass(1_001);
    // The first of the round; each takes 2 s.
    expect(registry.batches).toEqual([256, 256, 256, 232, 256]);
    await registry.announce('v/a/new', there);
    const added = whereabouts.follow('v/a/new');
    await pass(1);
    expect(added.place).toEqual(there);
    await pass(1_900);
    expect(registry.batches).toHaveLength(6);
    await pass(100);
    expect(registry.batches).toHaveLength(7);
    whereabouts.close();
    await pass(10_000);
    expect(registry.batches).toHaveLength(7);
  });

  it('cost four questions a second for a thousand of them, and none when nobody follows', async () => {
    const { registry, whereabouts } = setUp();
    const followed = Array.from({ length: 1_000 }, (_, index) => whereabouts.follow(`v/a/${index}`));
    await pass(1);
    expect(registry.batches).toEqual([256, 256, 256, 232]);
    await pass(10_000);
    expect(registry.batches).toHaveLength(4 + 40);
    for (const each of followed) each.close();
    registry.batches.length = 0;
    await pass(10_000);
    expect(registry.batches).toEqual([]);
  });

  it('are looked for again when the registry is back; until then it is asked for one batch a second', async () => {
    const { registry, whereabouts, log } = setUp();
    registry.isAway = true;
    for (let index = 0; index < 1_000; index += 1) whereabouts.follow(`v/a/${index}`);
    const found = whereabouts.follow('v/a/x').found(never);
    await pass(10_000);
    expect(registry.batches.length).toBeLessThan(20);
    expect(log.lines).toHaveLength(1);
    await registry.announce('v/a/x', there);
    registry.isAway = false;
    await pass(1_000);
    expect(await found).toBe(there);
    whereabouts.close();
  });

  it('are told to all who follow them', async () => {
    const { registry, whereabouts } = setUp();
    const [one, other] = [whereabouts.follow('v/a/1'), whereabouts.follow('v/a/1')];
    const found = [one.found(never), other.found(never)];
    await pass(2_000);
    await registry.announce('v/a/1', there);
    await pass(2_000);
    expect(await Promise.all(found)).toEqual([there, there]);
    one.close();
    await registry.withdraw('v/a/1');
    await pass(2_000);
    expect(other.place).toBeUndefined();
    whereabouts.close();
  });

  it('are not waited for any more when the signal says so, or nobody follows them, and what this server has itself is not elsewhere', async () => {
    const { registry, whereabouts } = setUp();
    await registry.announce('v/a/1', { ...there, instanceId: 'here' });
    const giveUp = new AbortController();
    const found = whereabouts.follow('v/a/1').found(giveUp.signal);
    await pass(3_000);
    giveUp.abort();
    await expect(found).rejects.toThrow('not waited for');
    const followed = whereabouts.follow('v/a/2');
    const unfound = followed.found(never);
    followed.close();
    await expect(unfound).rejects.toThrow('not waited for');
    expect(await Promise.race([whereabouts.ask('v/a/1'), pass(1)])).toBeUndefined();
    whereabouts.close();
  });
});
