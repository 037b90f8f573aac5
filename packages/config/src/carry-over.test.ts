import { expect, it } from 'vitest';
import { carryOver } from './carry-over.ts';
import type { Config } from './config.ts';
import { loadConfig } from './load.ts';

const load = (text: string): Config => loadConfig(text, { fileName: 'srs.conf' }).config;

const before = load(
  'listen 1; daemon on; workers { back_source 1; stream 2; } vhost a { hls { hls_fragment 3; } } vhost b { atc on; }',
);

it('directives that count from the start on keep their values, at any depth', () => {
  const next = load(
    'listen 2; daemon off; workers { back_source 4; stream 3; } ring { max_size 8m; } vhost a { mode remote; origin o; gop_cache off; }',
  );
  const carried = carryOver(before, next);
  expect(carried).toMatchObject({ daemon: true, workers: { backSource: 1, stream: 3 }, listen: [{ port: 2 }] });
  expect(carried.ring.maxSizeBytes).toBe(before.ring.maxSizeBytes);
  expect(carried.vhosts.get('a')).toMatchObject({ mode: 'remote', gopCache: false, origin: [{ host: 'o' }] });
});

it('what is the same is the same object', () => {
  const next = load('listen 1; vhost b { atc on; } vhost a { hls { hls_fragment 3; } gop_cache off; } vhost c {}');
  const carried = carryOver(before, next);
  expect(carried.listen).toBe(before.listen);
  expect(carried.vhosts.get('b')).toBe(before.vhosts.get('b'));
  expect(carried.vhosts.get('a')).not.toBe(before.vhosts.get('a'));
  expect(carried.vhosts.get('a')?.hls).toBe(before.vhosts.get('a')?.hls);
  expect(Array.from(carried.vhosts.keys())).toEqual(['b', 'a', 'c']);
});

it('a configuration written in other words is carried over whole', () => {
  const same = load(
    '# the same\nlisten 0.0.0.0:1; workers { stream 2; } vhost a { hls { hls_fragment 3s; } } vhost b { play { atc on; } }',
  );
  const carried = carryOver(before, same);
  expect(carried.vhosts).toBe(before.vhosts);
  expect(carried).toEqual(before);
});

it('the result is frozen, and neither side is changed', () => {
  const next = load('listen 9; vhost a {}');
  const carried = carryOver(before, next);
  expect(Object.isFrozen(carried)).toBe(true);
  expect(Object.isFrozen(carried.vhosts.get('a'))).toBe(true);
  expect(next.vhosts.get('a')?.hls.fragmentMs).toBe(10_000);
  expect(before.listen[0]?.port).toBe(1);
});
