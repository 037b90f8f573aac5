import { loadConfig } from '@srs/config';
import { expect, it } from 'vitest';
import { contentType, objectKey, uploadRoot, uploadSettings } from './upload-settings.ts';

it.each([
  ['', '/rec', '/rec/live/a.flv', 'live/a.flv'],
  ['srs/', '/rec', '/rec/live/a.flv', 'srs/live/a.flv'],
  ['day-', '/rec/', '/rec/a.flv', 'day-a.flv'],
  ['/srs//x/../y/./', '/rec', '/rec/live/a.flv', 'srs/x/y/live/a.flv'],
  ['', './rec', 'rec/live/a b.flv', 'live/a b.flv'],
  ['', '/elsewhere', '/rec/live/a.flv', 'rec/live/a.flv'],
])('prefix %j and root %s make of %s the name %s', (prefix, root, path, key) => {
  expect(objectKey(prefix, root, path)).toBe(key);
});

it.each([
  ['/rec', '/rec'],
  ['/rec/[vhost]/[2006]', '/rec'],
  ['/rec/day-[02].flv', '/rec'],
])('names of recordings to %s are relative to %s', (path, root) => {
  expect(uploadRoot(path)).toBe(root);
});

it('the media type is that of the ending', () => {
  expect([contentType('a.flv'), contentType('a.mp4')]).toEqual(['video/x-flv', 'video/mp4']);
});

it('settings are those of a block that is on', () => {
  const text = (enabled: string): string =>
    `listen 1935; vhost a { dvr { dvr_upload { enabled ${enabled}; endpoint http://s3; bucket abc; access_key k; secret_key s; } } }`;
  const of = (enabled: string) => uploadSettings(loadConfig(text(enabled), { fileName: 'srs.conf' }).config.vhosts.get('a')!.dvr);
  expect(of('off')).toBeUndefined();
  expect(of('on')).toMatchObject({ endpoint: 'http://s3', bucket: 'abc', region: 'us-east-1', prefix: '', deleteAfter: false });
});
