import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { memoryLog } from '@srs/kernel';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigWatch } from './config-watch.ts';

let directory: string;
let watch: ConfigWatch;
let changes = 0;
let changed = Promise.withResolvers<void>();
const log = memoryLog();

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'config-watch-'));
  changes = 0;
  changed = Promise.withResolvers();
  watch = new ConfigWatch({
    log,
    onChanged: () => {
      changes += 1;
      changed.resolve();
    },
  });
});
afterEach(() => {
  watch.close();
  rmSync(directory, { recursive: true });
});

const at = (name: string): string => join(directory, name);

/** Writes a file, and waits until somebody who watches it has been told: whoever began to watch earlier would have been, too. */
async function seenByAnother(name: string): Promise<void> {
  const told = Promise.withResolvers<void>();
  const other = new ConfigWatch({ log, onChanged: told.resolve });
  other.watch([at(name)]);
  writeFileSync(at(name), 'written');
  await told.promise;
  await nextTurn();
  other.close();
}

describe('ConfigWatch', () => {
  const ways: readonly (readonly [way: string, write: () => void])[] = [
    ['written in place', () => writeFileSync(at('srs.conf'), 'new')],
    [
      'written in pieces',
      () => {
        for (let piece = 0; piece < 20; piece += 1) writeFileSync(at('srs.conf'), `piece ${piece}`, { flag: 'a' });
      },
    ],
    [
      'replaced by a rename',
      () => {
        writeFileSync(at('srs.conf.new'), 'old');
        renameSync(at('srs.conf.new'), at('srs.conf'));
      },
    ],
    [
      'moved away and written anew',
      () => {
        renameSync(at('srs.conf'), at('srs.conf~'));
        writeFileSync(at('srs.conf'), 'new');
      },
    ],
    ['an included file that is written', () => writeFileSync(at('more/vhosts.conf'), 'new')],
  ];
  it.each(ways)('tells once of a file that was %s', async (_way, write) => {
    mkdirSync(at('more'));
    for (const name of ['srs.conf', 'more/vhosts.conf']) writeFileSync(at(name), 'old');
    watch.watch([at('srs.conf'), at('more/vhosts.conf')]);
    write();
    await changed.promise;
    // Whoever reloads reads the files, and watches what they are now.
    watch.watch([at('srs.conf'), at('more/vhosts.conf')]);
    changed = Promise.withResolvers();
    writeFileSync(at('srs.conf'), 'once more');
    await changed.promise;
    expect(changes).toBe(2);
  });

  it('follows a link to a directory that is exchanged as a whole', async () => {
    for (const version of ['one', 'other']) {
      mkdirSync(at(version));
      writeFileSync(at(`${version}/srs.conf`), version);
    }
    symlinkSync('one', at('data'));
    symlinkSync('data/srs.conf', at('srs.conf'));
    watch.watch([at('srs.conf')]);
    symlinkSync('other', at('data.new'));
    renameSync(at('data.new'), at('data'));
    await changed.promise;
    expect(changes).toBe(1);
  });

  it('does not mind other files, nor anything when it is to watch nothing', async () => {
    writeFileSync(at('srs.conf'), 'old');
    watch.watch([at('srs.conf')]);
    await seenByAnother('srs.log');
    expect(changes).toBe(0);
    watch.watch([]);
    await seenByAnother('srs.conf');
    expect(changes).toBe(0);
  });

  it('says so when a directory cannot be watched', () => {
    watch.watch([at('nowhere/srs.conf')]);
    expect(log.lines.at(-1)?.text).toMatch(/inotify_auto_reload: .*nowhere cannot be watched: ENOENT/);
  });
});
