import { expect, it } from 'vitest';
import { UploadPauses } from './upload-pauses.ts';
import type { UploadSettings } from './upload-settings.ts';

const settings: UploadSettings = {
  endpoint: 'http://s3',
  region: 'r',
  bucket: 'abc',
  prefix: '',
  accessKey: 'k',
  secretKey: 's',
  deleteAfter: false,
};

const pausesOf = (random = 0) => new UploadPauses({ firstMs: 100, maxMs: 1000, random: () => random });

it('pauses of a file double up to the limit', () => {
  const pauses = pausesOf();
  expect(Array.from({ length: 6 }, () => pauses.fileFailed('a', settings, 5000))).toEqual([100, 200, 400, 800, 1000, 1000]);
});

it('up to a quarter of a pause is taken off at random', () => {
  expect(pausesOf(1).fileFailed('a', settings, 0)).toBe(75);
});

it('a store that fails holds up all its files, and no longer when it works', () => {
  const pauses = pausesOf();
  expect([pauses.dueMs('a', settings), pauses.isFailing(settings)]).toEqual([Number.NEGATIVE_INFINITY, false]);
  pauses.storeFailed(settings, 1000);
  pauses.storeFailed(settings, 1000);
  expect([pauses.dueMs('a', settings), pauses.dueMs('b', settings), pauses.isFailing(settings)]).toEqual([1200, 1200, true]);
  expect(pauses.dueMs('a', { ...settings, bucket: 'other' })).toBe(Number.NEGATIVE_INFINITY);
  pauses.storeWorks(settings);
  expect([pauses.dueMs('a', settings), pauses.isFailing(settings)]).toEqual([Number.NEGATIVE_INFINITY, false]);
});

it('a file that is not taken has longer and longer pauses, though the store works for others', () => {
  const pauses = pausesOf();
  for (const expected of [100, 200, 400]) {
    pauses.storeFailed(settings, 0);
    expect(pauses.fileFailed('bad', settings, 0)).toBe(expected);
    pauses.storeWorks(settings);
  }
  expect([pauses.dueMs('bad', settings), pauses.dueMs('good', settings)]).toEqual([400, Number.NEGATIVE_INFINITY]);
  pauses.forget('bad');
  expect(pauses.dueMs('bad', settings)).toBe(Number.NEGATIVE_INFINITY);
});

it('settings that have changed begin anew', () => {
  const pauses = pausesOf();
  pauses.storeFailed(settings, 0);
  pauses.fileFailed('a', settings, 0);
  pauses.fileFailed('a', settings, 0);
  const changed = { ...settings, secretKey: 'right' };
  expect(pauses.dueMs('a', changed)).toBe(Number.NEGATIVE_INFINITY);
  expect(pauses.fileFailed('a', changed, 0)).toBe(100);
});
