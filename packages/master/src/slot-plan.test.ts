import { type Config, loadConfig } from '@srs/config';
import { describe, expect, it } from 'vitest';
import { planSlots, type SlotDefinition } from './slot-plan.ts';

const config = (workers: string, more = ''): Config =>
  loadConfig(`listen 1935; workers { ${workers} } ${more}`, { fileName: 'srs.conf' }).config;

const show = (slots: readonly SlotDefinition[]): string => slots.map(({ slot, role }) => `${slot}:${role}`).join(' ');

describe('planSlots', () => {
  it('numbers back-sources first, then streams, then http', () => {
    const plan = planSlots(config('back_source 2; stream 2; http 1;', 'http_api { enabled on; }'));
    expect(show(plan.slots)).toBe('0:back-source 1:back-source 2:stream 3:stream 4:http');
    expect(plan.added).toEqual(plan.slots);
    expect([plan.removed, plan.backSourceCount]).toEqual([[], 2]);
  });

  it('slots that are there keep their numbers, new ones take the lowest that are free', () => {
    const first = planSlots(config('stream 2;', 'http_api { enabled on; }')).slots;
    const grown = planSlots(config('stream 4;', 'http_api { enabled on; }'), first);
    expect(show(grown.slots)).toBe('0:back-source 1:stream 2:stream 3:http 4:stream 5:stream');
    expect(show(grown.added)).toBe('4:stream 5:stream');
    const shrunk = planSlots(config('stream 1;'), grown.slots);
    expect(show(shrunk.removed)).toBe('2:stream 3:http 4:stream 5:stream');
    expect(show(shrunk.slots)).toBe('0:back-source 1:stream');
  });

  it.each([
    ['nothing of HTTP', '', 0],
    ['the API', 'http_api { enabled on; }', 1],
    ['files and streams', 'http_server { enabled on; }', 1],
    ['metrics', 'exporter { enabled on; }', 1],
    ['heartbeats', 'heartbeat { enabled on; }', 1],
    ['posted streams', 'stream_caster { enabled on; caster flv; }', 1],
    ['a caster that is switched off', 'stream_caster { enabled off; }', 0],
  ])('%s: so many http workers', (_, text, count) => {
    expect(planSlots(config('', text)).slots.filter(({ role }) => role === 'http')).toHaveLength(count);
  });

  it('a number is not free before its worker has ended', () => {
    const first = planSlots(config('stream 2;')).slots;
    const again = planSlots(config('stream 2;'), first.slice(0, 2), first.slice(2));
    expect(show(again.added)).toBe('3:stream');
  });

  it('there are 64 at most, those on their way out counted', () => {
    expect(planSlots(config('stream 63;')).slots).toHaveLength(64);
    expect(() => planSlots(config('stream 64;'))).toThrow('workers: 1 back_source and 64 stream must be at most 64 together');
    const first = planSlots(config('stream 40;')).slots;
    expect(() => planSlots(config('stream 50;'), first.slice(0, 20), first.slice(20))).toThrow(
      /1 back_source and 50 stream and 21 that finish with their clients must be at most 64/,
    );
  });
});
