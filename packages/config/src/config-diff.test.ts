import { expect, it } from 'vitest';
import { diffConfig } from './config-diff.ts';
import { loadConfig } from './load.ts';

function diff(previous: string, next: string): readonly string[] {
  const [from, to] = [previous, next].map((text) => loadConfig(text, { fileName: 'srs.conf' }).config);
  return diffConfig(from!, to!).map((change) => `${change.kind} ${change.directive} (${change.live})`);
}

const cases: readonly (readonly [fact: string, previous: string, next: string, changes: readonly string[]])[] = [
  ['the same in other words is no change', 'listen 1935; vhost a {}', '# x\nlisten 0.0.0.0:1935; vhost a { gop_cache on; }', []],
  ['root rows', 'listen 1; daemon on;', 'listen 2; daemon off;', ['changed listen (at once)', 'changed daemon (restart)']],
  ['rows of a group have no block', 'listen 1;', 'listen 1; srs_log_level warn;', ['changed srs_log_level (at once)']],
  ['rows of a block', 'listen 1;', 'listen 1; http_api { enabled on; }', ['changed http_api / enabled (at once)']],
  [
    'a vhost added and one removed',
    'listen 1; vhost a {}',
    'listen 1; vhost b { atc on; }',
    ['removed vhost a (at once)', 'added vhost b (at once)'],
  ],
  ['the order of vhosts is no change', 'listen 1; vhost a {} vhost b {}', 'listen 1; vhost b {} vhost a {}', []],
  [
    'a row of a vhost, and what it inherits',
    'listen 1; vhost a {}',
    'listen 1; chunk_size 128; vhost a { hls { hls_fragment 3; } }',
    ['changed chunk_size (at once)', 'changed vhost a / chunk_size (at once)', 'changed vhost a / hls / hls_fragment (at once)'],
  ],
  [
    'ingests by their id, engines by their place',
    'listen 1; vhost a { ingest x {} ingest y { engine {} engine { vbitrate 1; } } }',
    'listen 1; vhost a { ingest y { engine {} engine { vbitrate 2; } engine z {} } ingest w {} }',
    [
      'removed vhost a / ingest x (at once)',
      'changed vhost a / ingest y / engine / vbitrate (at once)',
      'added vhost a / ingest y / engine z (at once)',
      'added vhost a / ingest w (at once)',
    ],
  ],
];

it.each(cases)('%s', (_fact, previous, next, changes) => {
  expect(diff(previous, next)).toEqual(changes);
});
