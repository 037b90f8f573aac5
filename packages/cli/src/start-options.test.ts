import { existsSync } from 'node:fs';
import { embeddedClipFile } from '@srs/client';
import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../test/support/failure.ts';
import { parseStartOptions, startConfigFile } from './start-options.ts';

const usual = { kind: 'run', configFile: startConfigFile, clipFile: embeddedClipFile, serverArgs: [] };

describe('the options of npm start', () => {
  it('are not needed: configuration and clip come with the server', () => {
    expect(parseStartOptions([])).toEqual(usual);
    expect(existsSync(startConfigFile)).toBe(true);
    expect(existsSync(embeddedClipFile)).toBe(true);
  });

  it.each([
    [['--config', 'a.conf'], { configFile: 'a.conf' }],
    [['--config=a=b.conf'], { configFile: 'a=b.conf' }],
    [['-c', 'a.conf'], { configFile: 'a.conf' }],
    [['--clip', 'a.flv'], { clipFile: 'a.flv' }],
    [['-e', '--clip', 'a.flv', 'x'], { clipFile: 'a.flv', serverArgs: ['-e', 'x'] }],
  ])('%j', (args, different) => {
    expect(parseStartOptions(args)).toEqual({ ...usual, ...different });
  });

  it.each(['--help', '-h'])('%s asks for help', (option) => {
    expect(parseStartOptions(['--clip', 'a.flv', option])).toEqual({ kind: 'help' });
  });

  it.each([['--config'], ['--clip', ''], ['--config=']])('%j lacks its value', (...args) => {
    expect(failureOf(() => parseStartOptions(args)).message).toMatch(/^option --\w+ must be followed by a file$/);
  });
});
