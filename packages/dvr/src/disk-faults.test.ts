import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OutputFile } from '@srs/files';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { contentOf, headers, keyFrame, media, readFlv, useBench } from './dvr-test-support.ts';

function errorsOf(lines: readonly { readonly level: string; readonly text: string }[]): string[] {
  return lines.filter(({ level }) => level === 'error').map(({ text }) => text);
}

describe('a directory that cannot be made', () => {
  const bench = useBench();

  it('ends the recording with one line, and only that', async () => {
    writeFileSync(bench().path('file'), '');
    const publish = bench().publish('dvr_path PATH/file;');
    publish.send([...headers, ...media({ toMs: 1000 })]);
    await expect.poll(() => bench().lines.length).toBe(2);
    publish.send(media({ fromMs: 1000, toMs: 2000 }));
    await publish.end();
    expect(errorsOf(bench().lines)).toEqual([
      expect.stringMatching(
        /^dvr: recording of a\.com\/live\/show ends until the next publish: open \S+file\/live\/show\.1767323045067\.flv\.tmp for writing: ENOTDIR: /,
      ),
    ]);
    expect([bench().files(), bench().recorded]).toEqual([['file'], []]);
  });

  it('lets the next publish be recorded when it is put right', async () => {
    writeFileSync(bench().path('file'), '');
    const failing = bench().publish('dvr_path PATH/file;');
    failing.send([...headers, keyFrame(0)]);
    await failing.end();
    rmSync(bench().path('file'));
    const publish = bench().publish('dvr_path PATH/file;');
    publish.send([...headers, keyFrame(0)]);
    await publish.end();
    expect(bench().files()).toEqual(['file/live/show.1767323045067.flv']);
  });
});

describe('a disk that is too slow', () => {
  const gate = { isOpen: Promise.withResolvers<void>() };
  beforeEach(() => {
    gate.isOpen = Promise.withResolvers<void>();
  });
  const bench = useBench({
    maxPendingBytes: 300_000,
    openFile: (path, options) =>
      OutputFile.open(path, {
        ...options,
        openHandle: async (at, flags) => {
          mkdirSync(join(at, '..'), { recursive: true });
          const handle = await open(at, flags);
          return {
            sizeBytes: 0,
            handle: {
              close: () => handle.close(),
              writev: async (buffers, position) => {
                await gate.isOpen.promise;
                return handle.writev(buffers, position);
              },
            },
          };
        },
      }),
  });

  it('ends the recording at the limit, and what it had taken becomes a whole file', async () => {
    const frames = media({ toMs: 8000, sizeBytes: 2000 });
    const publish = bench().publish();
    publish.send([...headers, ...frames]);
    const path = bench().path('live/show.1767323045067.flv');
    expect(errorsOf(bench().lines)).toEqual([
      expect.stringMatching(/: the disk is too slow for \S+\.tmp: 30\d{4} bytes wait to be written, at most 300000 may$/),
    ]);
    const ended = publish.end();
    gate.isOpen.resolve();
    await ended;
    const { tags, durationMs, sizeBytes } = readFlv(path);
    const content = contentOf(tags.slice(3));
    expect(content.length).toBeGreaterThan(50);
    expect(content).toEqual(contentOf(frames).slice(0, content.length));
    expect(bench().recorded).toMatchObject([{ path, durationMs, sizeBytes }]);
    expect(errorsOf(bench().lines)).toHaveLength(1);
  });

  it('does not hold up who gives the frames', () => {
    const publish = bench().publish();
    publish.send([...headers, ...media({ toMs: 1000 })]);
    expect(bench().files()).toEqual([]);
    gate.isOpen.resolve();
    return publish.end();
  });
});

const MOUNT = '/bin/mount';

describe('a file system', () => {
  const bench = useBench();
  const mountPoint = mkdtempSync(join(tmpdir(), 'srs-dvr-mount-'));
  let isMounted = false;

  beforeAll(() => {
    isMounted = spawnSync(MOUNT, ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', mountPoint]).status === 0;
  });
  beforeEach((context) => {
    context.skip(!isMounted, 'needs root, to mount small file systems');
  });
  afterAll(() => {
    if (isMounted) execFileSync('/bin/umount', [mountPoint]);
    rmSync(mountPoint, { recursive: true });
  });

  it('that is full ends the recording with one line, and what was written becomes a whole file', async () => {
    const frames = media({ toMs: 10_000, sizeBytes: 8000 });
    const publish = bench().publish(`dvr_path ${mountPoint}/[stream].flv;`);
    publish.send([...headers, ...frames]);
    await publish.end();
    expect(errorsOf(bench().lines)).toEqual([
      expect.stringMatching(
        /^dvr: recording of a\.com\/live\/show ends until the next publish: write \d+ bytes at \d+ of \S+show\.flv\.tmp: ENOSPC: no space left on device/,
      ),
    ]);
    const path = join(mountPoint, 'show.flv');
    const { tags, keyFrames, durationMs, sizeBytes } = readFlv(path);
    const content = contentOf(tags.slice(3));
    expect(content).toEqual(contentOf(frames).slice(0, content.length));
    expect(sizeBytes).toBeGreaterThan(1024 * 1024 - 20_000);
    expect(sizeBytes).toBe(statSync(path).size);
    expect(keyFrames.length).toBeGreaterThan(2);
    expect(bench().recorded).toMatchObject([{ path, durationMs, sizeBytes }]);
    expect(readdirSync(mountPoint)).toEqual(['show.flv']);
  });

  it('that is full ends a segment in the same way', async () => {
    rmSync(join(mountPoint, 'show.flv'), { force: true });
    const publish = bench().publish(`dvr_plan segment; dvr_duration 1; dvr_path ${mountPoint}/[stream].[seq].flv;`);
    const frames = media({ toMs: 10_000, sizeBytes: 8000 });
    publish.send([...headers, ...frames]);
    await publish.end();
    expect(errorsOf(bench().lines)).toHaveLength(1);
    const all = contentOf(frames);
    const recorded = bench().recorded.map(({ path }) => contentOf(readFlv(path).tags.slice(3)));
    expect(recorded.flat().length).toBeGreaterThan(100);
    // The next segment may have begun already, and some of it may have found room.
    for (const content of recorded) {
      const from = all.indexOf(content[0]!);
      expect(content).toEqual(all.slice(from, from + content.length));
    }
    expect(readdirSync(mountPoint).filter((file) => file.endsWith('.tmp'))).toEqual([]);
  });

  it('that is read-only ends the recording with one line', async () => {
    execFileSync(MOUNT, ['-o', 'remount,ro', mountPoint]);
    const publish = bench().publish(`dvr_path ${mountPoint}/ro;`);
    publish.send([...headers, ...media({ toMs: 1000 })]);
    await publish.end();
    expect(errorsOf(bench().lines)).toEqual([
      expect.stringMatching(
        /ends until the next publish: open \S+\/ro\/live\/show\.1767323045067\.flv\.tmp for writing: EROFS: /,
      ),
    ]);
    expect(existsSync(join(mountPoint, 'ro'))).toBe(false);
  });
});
