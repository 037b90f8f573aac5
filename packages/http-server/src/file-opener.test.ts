import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { WholeFileMemory } from './file-held.ts';
import { FileOpener } from './file-opener.ts';

let directory = '';
let path = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'srs-opener-'));
  path = join(directory, 'a');
  writeFileSync(path, 'first');
  onTestFinished(() => rmSync(directory, { recursive: true }));
});

/** How many descriptors are open on files of the directory. */
function openCount(): number {
  const targets = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return targets.filter((target) => target.startsWith(directory)).length;
}

const replace = (contents: string): void => {
  writeFileSync(`${path}.new`, contents);
  renameSync(`${path}.new`, path);
};

describe('requests for one path', () => {
  it('that come together share one file, which the last who lets go closes', async () => {
    const opener = new FileOpener();
    const files = await Promise.all([opener.open(path), opener.open(path), opener.open(path)]);
    expect(new Set(files).size).toBe(1);
    expect(openCount()).toBe(1);
    const [first, second, third] = files;
    expect(await first.whole()).toBe(await second.whole());
    first.release();
    second.release();
    expect((await third.whole())?.toString()).toBe('first');
    third.release();
    expect(openCount()).toBe(0);
  });

  it('get the file as it was after they had come, not one that was being opened', async () => {
    const opener = new FileOpener();
    const early = opener.open(path);
    // By then the first one is on its way.
    await new Promise((resolve) => setImmediate(resolve));
    replace('second');
    const late = opener.open(path);
    const [one, two] = await Promise.all([early, late]);
    expect(two).not.toBe(one);
    expect((await two.whole())?.toString()).toBe('second');
    one.release();
    two.release();
    expect(openCount()).toBe(0);
  });

  it('all fail when there is nothing, and the next one is asked anew', async () => {
    const opener = new FileOpener();
    const missing = join(directory, 'b');
    const results = await Promise.allSettled([opener.open(missing), opener.open(missing)]);
    for (const result of results) expect(result).toMatchObject({ status: 'rejected', reason: { code: 'ENOENT' } });
    writeFileSync(missing, 'there');
    (await opener.open(missing)).release();
    expect(openCount()).toBe(0);
  });
});

describe('an open file', () => {
  it('tells what it really is, through links', async () => {
    mkdirSync(join(directory, 'sub'));
    symlinkSync(path, join(directory, 'sub/link'));
    for (const descriptors of ['/proc/self/fd', '/nothing/there']) {
      const file = await new FileOpener({ descriptors }).open(join(directory, 'sub/link'));
      expect([descriptors, file.realPath]).toEqual([descriptors, path]);
      file.release();
    }
  });

  it('is let go of when its path leads elsewhere by then, on systems that tell no path of a descriptor', async () => {
    // Resolving the path is the step after opening it.
    const opener = new FileOpener({ descriptors: '/nothing/there' });
    let isReplacing = true;
    const replaceAgain = (): void => {
      if (!isReplacing) return;
      replace(String(Math.random()));
      setImmediate(replaceAgain);
    };
    onTestFinished(() => {
      isReplacing = false;
    });
    replaceAgain();
    let refused = 0;
    while (refused === 0) {
      await opener.open(path).then(
        (file) => file.release(),
        (error: unknown) => {
          refused += 1;
          expect(error).toMatchObject({ code: 'ENOENT' });
        },
      );
    }
    isReplacing = false;
    await expect.poll(openCount).toBe(0);
  });

  it('may be a FIFO, and nobody waits for its writer', async () => {
    const fifo = join(directory, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const file = await new FileOpener().open(fifo);
    expect(file.stats.isFile()).toBe(false);
    file.release();
  });

  it('is read whole while there is memory for that, which comes back', async () => {
    const memory = new WholeFileMemory(12);
    const opener = new FileOpener({ memory });
    const open = async (name: string) => {
      if (!existsSync(join(directory, name))) writeFileSync(join(directory, name), 'first');
      return await opener.open(join(directory, name));
    };
    const [a, b, c] = [await open('a'), await open('b'), await open('c')];
    expect([(await a.whole())?.length, (await b.whole())?.length, await c.whole()]).toEqual([5, 5, undefined]);
    a.release();
    c.release();
    const again = await open('c');
    expect((await again.whole())?.length).toBe(5);
    again.release();
    b.release();
  });

  it('of more than 1 MiB is not read whole', async () => {
    writeFileSync(path, Buffer.alloc(1024 * 1024 + 1));
    const file = await new FileOpener().open(path);
    expect(await file.whole()).toBeUndefined();
    const end = Buffer.alloc(10);
    expect(await file.read(end, 1024 * 1024 - 5)).toBe(6);
    file.release();
  });
});
