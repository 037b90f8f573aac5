import { mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { memoryLog } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { useBench } from './dvr-test-support.ts';
import { type KeptSections, RecordingKeeper, type RecordingKeeperOptions } from './recording-keeper.ts';

const bench = useBench();
const DAY_MS = 86_400_000;
const DAY_S = DAY_MS / 1000;

/** A file that was finished so many days ago. */
function put(file: string, ageDays: number, sizeBytes = 100): void {
  const path = bench().path(file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, Buffer.alloc(sizeBytes));
  const atS = bench().clock.wallMs() / 1000 - ageDays * DAY_S;
  utimesSync(path, atS, atS);
}

/** @param dvr directives of the vhost */
function section(dvr: string, vhost = 'a.com'): KeptSections[number] {
  return { vhost, dvr: bench().vhost(dvr).dvr };
}

function keeper(sections: KeptSections, options: Partial<RecordingKeeperOptions> = {}): RecordingKeeper {
  return new RecordingKeeper({
    clock: bench().clock,
    log: memoryLog(bench().lines),
    sections: () => sections,
    ...options,
  });
}

const recording = (name: string): string => `live/${name}.1767323045067.flv`;

describe('retention', () => {
  it('deletes recordings that are older, and nothing else', async () => {
    put(recording('old'), 8);
    put('live/old.1767323045067-1.flv', 8);
    put(recording('new'), 6);
    for (const other of ['live/a.flv', 'live/a.m3u8', 'b.1767323045067.flv', 'live/c.1767323045067.mp4']) put(other, 99);
    put(`${recording('written')}.tmp`, 99);
    const deleted = await keeper([section('dvr_retention 604800;')]).run();
    expect([...deleted].sort()).toEqual(['live/old.1767323045067-1.flv', recording('old')].map((file) => bench().path(file)));
    expect(bench().files()).toEqual([
      'b.1767323045067.flv',
      'live/a.flv',
      'live/a.m3u8',
      'live/c.1767323045067.mp4',
      recording('new'),
      `${recording('written')}.tmp`,
    ]);
    expect(bench().lines.at(-1)?.text).toBe(
      `dvr: 2 recordings in ${bench().directory} are deleted, 200 bytes: older than they are kept`,
    );
  });

  it('keeps everything when it is not set', async () => {
    put(recording('old'), 999);
    expect(await keeper([section('')]).run()).toEqual([]);
  });

  it('removes directories that are empty then, up to that of the recordings', async () => {
    const dvr = 'dvr_retention 86400; dvr_path PATH/[2006]/[01]/[stream].flv;';
    put('2025/12/old.flv', 2);
    put('2026/01/old.flv', 2);
    put('2026/01/new.flv', 0);
    await keeper([section(dvr)]).run();
    expect(readdirSync(bench().directory)).toEqual(['2026']);
  });

  it('goes by the milder rule where two vhosts can have made a file', async () => {
    put(recording('old'), 8);
    const strict = section('dvr_retention 86400;', 'a.com');
    expect(await keeper([strict, section('dvr_retention 864000;', 'b.com')]).run()).toEqual([]);
    expect(await keeper([strict, section('', 'b.com')]).run()).toEqual([]);
    expect(await keeper([strict, section('dvr_retention 172800;', 'b.com')]).run()).toHaveLength(1);
  });

  it('tells vhosts apart by their path', async () => {
    const paths = 'dvr_path PATH/[vhost]/[stream].flv;';
    put('a.com/old.flv', 8);
    put('b.com/old.flv', 8);
    await keeper([section(`dvr_retention 86400; ${paths}`, 'a.com'), section(paths, 'b.com')]).run();
    expect(bench().files()).toEqual(['b.com/old.flv']);
  });

  it('does not follow symbolic links', async () => {
    put('elsewhere/old.1767323045067.flv', 8);
    mkdirSync(bench().path('recordings/live'), { recursive: true });
    symlinkSync(bench().path('elsewhere'), bench().path('recordings/linked'));
    symlinkSync(bench().path('elsewhere/old.1767323045067.flv'), bench().path(`recordings/${recording('link')}`));
    expect(await keeper([section('dvr_retention 86400; dvr_path PATH/recordings;')]).run()).toEqual([]);
  });

  it('has nothing to do where there is no directory', async () => {
    expect(await keeper([section('dvr_retention 86400; dvr_path PATH/missing;')]).run()).toEqual([]);
    expect(bench().lines).toEqual([]);
  });
});

describe('a disk that is too full', () => {
  const use = (usedBytes: number) => ({ diskUse: () => Promise.resolve({ totalBytes: 1000, usedBytes }) });

  it('loses the oldest recordings, as many as are needed', async () => {
    for (let days = 1; days <= 5; days++) put(recording(`${days}`), days);
    const full = keeper([section('dvr_disk_high 80;')], use(950));
    expect(await full.run()).toEqual([recording('5'), recording('4')].map((file) => bench().path(file)));
  });

  it('is left alone up to the limit', async () => {
    put(recording('old'), 9);
    expect(await keeper([section('dvr_disk_high 80;')], use(800)).run()).toEqual([]);
  });

  it('counts what retention has deleted first', async () => {
    put(recording('old'), 9);
    put(recording('new'), 1);
    const sections = [section('dvr_disk_high 80; dvr_retention 172800;')];
    let used = 900;
    const real = keeper(sections, {
      diskUse: () => {
        used -= 100;
        return Promise.resolve({ totalBytes: 1000, usedBytes: used });
      },
    });
    expect(await real.run()).toEqual([bench().path(recording('old'))]);
  });

  it('spares files that another vhost keeps', async () => {
    put(recording('old'), 9);
    const sections = [section('dvr_disk_high 80;'), section('', 'b.com')];
    expect(await keeper(sections, use(1000)).run()).toEqual([]);
  });

  it('is asked of the system', async () => {
    put(recording('old'), 9);
    expect(await keeper([section('dvr_disk_high 99;')]).run()).toEqual([]);
  });
});

describe('what is still to be uploaded', () => {
  const waitingFor = (...files: string[]) => ({ waiting: async () => new Set(files.map((file) => bench().path(file))) });
  const full = { diskUse: () => Promise.resolve({ totalBytes: 1000, usedBytes: 950 }) };

  it('is kept, however old it is', async () => {
    put(recording('old'), 8);
    put(recording('waiting'), 99);
    const sections = [section('dvr_retention 86400;')];
    expect(await keeper(sections, waitingFor(recording('waiting'))).run()).toEqual([bench().path(recording('old'))]);
    expect(bench().files()).toEqual([recording('waiting')]);
  });

  it('stays while the disk can be freed of what has been uploaded', async () => {
    put(recording('waiting'), 9);
    for (let days = 1; days <= 3; days++) put(recording(`${days}`), days);
    const deleted = await keeper([section('dvr_disk_high 80;')], { ...full, ...waitingFor(recording('waiting')) }).run();
    expect(deleted).toEqual([recording('3'), recording('2')].map((file) => bench().path(file)));
    expect(bench().lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('goes when nothing else is left on a disk that is too full, which the log tells once', async () => {
    const names = Array.from({ length: 6 }, (_, index) => recording(`${index}`));
    for (const [index, name] of names.entries()) put(name, 9 - index);
    const errors = () => bench().lines.filter(({ level }) => level === 'error');
    let usedBytes = 950;
    const diskUse = () => Promise.resolve({ totalBytes: 1000, usedBytes });
    const full = keeper([section('dvr_disk_high 80;')], { diskUse, ...waitingFor(...names) });
    expect(await full.run()).toEqual(names.slice(0, 2).map((file) => bench().path(file)));
    expect(await full.run()).toHaveLength(2);
    expect(errors().map(({ text }) => text)).toEqual([
      `dvr: the disk of ${bench().directory} is too full: recordings are deleted that have not been uploaded yet, ${bench().path(names[0]!)} first`,
    ]);
    usedBytes = 700;
    expect(await full.run()).toEqual([]);
    usedBytes = 950;
    expect(await full.run()).toHaveLength(2);
    expect(errors()).toHaveLength(2);
  });
});

it('runs by the clock of the process until it is stopped', async () => {
  put(recording('old'), 9);
  const sections = [section('dvr_retention 86400;')];
  const stop = keeper(sections).start('* * * * * *');
  await expect.poll(() => bench().files(), { timeout: 5000 }).toEqual([]);
  await stop();
  put(recording('older'), 9);
  const stopAtOnce = keeper(sections).start('* * * * * *');
  await stopAtOnce();
  expect(bench().files()).toEqual([recording('older')]);
});
