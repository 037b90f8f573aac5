import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Config, loadConfig } from '@srs/config';
import { afterAll, describe, expect, it } from 'vitest';
import { PidFile } from './pid-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'pid-file-'));
afterAll(() => rmSync(directory, { recursive: true }));

const at = (name: string): string => join(directory, name);
const config = (path: string): Config => loadConfig(`listen 1; pid ${path}; vhost a {}`, { fileName: 'srs.conf' }).config;
const move = (file: PidFile, from: string, to: string) => file.prepare(config(at(from)), config(at(to)));

describe('PidFile', () => {
  it('moves to another path when that counts, and leaves the old file', async () => {
    const file = new PidFile(at('one.pid'));
    expect(readFileSync(at('one.pid'), 'utf8')).toBe(String(process.pid));
    await move(file, 'one.pid', 'sub/other.pid').apply();
    expect(readFileSync(at('sub/other.pid'), 'utf8')).toBe(String(process.pid));
    expect(existsSync(at('one.pid'))).toBe(true);
    file.close();
  });

  it('leaves no file behind when it is undone', () => {
    const file = new PidFile(at('first.pid'));
    move(file, 'first.pid', 'undone.pid').undo();
    expect(existsSync(at('undone.pid'))).toBe(false);
    file.close();
  });

  it('knows its file under another name, and does not lose its lock on it', () => {
    const file = new PidFile(at('real.pid'));
    symlinkSync('real.pid', at('link.pid'));
    const lockLine = () =>
      readFileSync('/proc/locks', 'utf8')
        .split('\n')
        .filter((line) => line.includes(` ${process.pid} `)).length;
    const held = lockLine();
    move(file, 'real.pid', 'link.pid').undo();
    move(file, 'real.pid', './real.pid').undo();
    expect(lockLine()).toBe(held);
    file.close();
    expect(lockLine()).toBe(held - 1);
  });

  it('a path that cannot be is an error', () => {
    const file = new PidFile(at('good.pid'));
    expect(() => move(file, 'good.pid', 'good.pid/below.pid')).toThrow(/EEXIST|ENOTDIR|pid file/);
    file.close();
  });
});
