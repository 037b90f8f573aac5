/** What a reload must not do, and workers that come and go. */
import { once } from 'node:events';
import { existsSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RawRtmp } from '../support/raw-rtmp.ts';
import type { LivePlayer } from './live-client-test-support.ts';
import { type Change, ReloadRig } from './reload-test-support.ts';
import { clientsOf, workersOf } from './server-view-test-support.ts';

describe('a reload that cannot be', () => {
  let rig: ReloadRig;
  beforeAll(async () => {
    rig = await ReloadRig.start();
  });
  afterAll(() => rig[Symbol.asyncDispose]());

  const include = (name: string) => join(rig.server.place.directory, name);

  const cases: readonly (readonly [fact: string, write: () => unknown, problem: RegExp])[] = [
    ['a file that does not parse', () => writeFileSync(rig.server.configFile, 'listen 1935; vhost {'), /a \} is missing/],
    ['a directive nobody knows', () => rig.write({ top: 'listne 1935;' }), /unknown directive listne; did you mean listen\?/],
    ['a value out of range', () => rig.write({ vhost: 'chunk_size 5;' }), /chunk_size 5 must be 128\.\.65536/],
    ['an empty file', () => writeFileSync(rig.server.configFile, ''), /has no directive/],
    ['no file', () => renameSync(rig.server.configFile, include('gone.conf')), /cannot be opened/],
    [
      'a file of 1 GB',
      () => {
        writeFileSync(rig.server.configFile, '');
        truncateSync(rig.server.configFile, 2 ** 30);
      },
      /1073741824 bytes must be at most/,
    ],
    [
      'files that include each other',
      () => {
        writeFileSync(include('loop.conf'), 'include srs.conf;');
        writeFileSync(rig.server.configFile, 'include loop.conf;');
      },
      /is a loop/,
    ],
    [
      'a log file where a directory is',
      () => rig.write({ top: ({ directory }) => `srs_log_tank file; srs_log_file ${directory};` }),
      /log file .* cannot be opened/,
    ],
    ['a pid file below a file', () => rig.write({ top: ({ directory }) => `pid ${directory}/srs.conf/x.pid;` }), /srs\.conf/],
    [
      'an address that this machine does not have',
      () => rig.write({ top: 'listen 192.0.2.1:1935;' }),
      /192\.0\.2\.1:1935: EADDRNOTAVAIL/,
    ],
    ['more workers than there are slots', () => rig.write({ workers: 'stream 64;' }), /must be at most 64 together/],
  ];

  it.each(cases)('%s changes nothing', async (_fact, write, problem) => {
    const workers = async () =>
      (await rig.server.workers()).map(({ slot, role, pid, state, port }) => [slot, role, pid, state, port]);
    const before = await workers();
    await write();
    const from = rig.server.log().length;
    const report = await rig.ask();
    expect(report).toMatchObject({ isApplied: false, workers: [] });
    expect(report.problems.join('\n')).toMatch(problem);
    await rig.server.waitForLog('reload config failed, nothing has changed', { from });
    expect(await workers()).toEqual(before);
    await rig.restore();
  });

  it('a port in use changes nothing, not even what stands before it', async () => {
    const other = createServer().listen(rig.server.place.sparePort, '127.0.0.1');
    await once(other, 'listening');
    const change: Change = {
      top: ({ rtmpPort, sparePort, httpApiPort, directory }) =>
        `listen ${rtmpPort} ${httpApiPort} 127.0.0.1:${sparePort}; pid ${directory}/logs/port.pid;`,
      vhost: null,
    };
    rig.write(change);
    const player = await rig.play('one');
    const report = await rig.ask();
    expect(report.problems.join('\n')).toContain(`127.0.0.1:${rig.server.place.sparePort}: EADDRINUSE`);
    expect(report.isApplied).toBe(false);
    expect(existsSync(join(rig.server.place.directory, 'logs/port.pid'))).toBe(false);
    // The port that was free was opened first, and is closed again.
    const third = createServer().listen(rig.server.place.httpApiPort, '127.0.0.1');
    await once(third, 'listening');
    expect(player.isOpen).toBe(true);
    third.close();
    other.close();
    await once(other, 'close');
    expect((await rig.ask()).isApplied).toBe(true);
    expect(readFileSync(join(rig.server.place.directory, 'logs/port.pid'), 'utf8')).toBe(String(rig.server.program.pid));
    await rig.restore();
  });

  it('a dry run tells what would change, and changes nothing', async () => {
    rig.write({ top: 'daemon on;', vhost: 'gop_cache off;' });
    const report = await rig.ask('?dry_run=1');
    expect(report).toMatchObject({
      isApplied: false,
      isDryRun: true,
      problems: [],
      workers: [],
      changes: [
        { kind: 'changed', directive: 'daemon', live: 'restart' },
        { kind: 'changed', directive: 'vhost changing.test / gop_cache', live: 'at once' },
      ],
    });
    const again = await rig.ask();
    expect(again).toMatchObject({ isApplied: true, version: report.version + 1, changes: report.changes });
    await rig.restore();
  });

  it('what counts from the start on is told and keeps its value', async () => {
    rig.write({ top: 'daemon on; ring { initial_size 4m; }' });
    const from = rig.server.log().length;
    expect(await rig.ask()).toMatchObject({ isApplied: true, workers: [] });
    await rig.server.waitForLog('restart the server for changed daemon, changed ring / initial_size', { from });
    const { data } = (await rig.server.privateApi('/api/v1/config')) as {
      readonly data: {
        readonly directives: readonly { readonly directive: string; readonly value: string; readonly origin: string }[];
      };
    };
    const rowOf = (name: string) => data.directives.find(({ directive }) => directive === name);
    const inFile: unknown = expect.stringMatching(/^file .*srs\.conf:\d+$/);
    expect(rowOf('daemon')).toEqual({
      directive: 'daemon',
      value: 'off',
      origin: inFile,
    });
    expect(rowOf('ring / initial_size')).toEqual({ directive: 'ring / initial_size', value: '2m', origin: 'default' });
    await rig.restore();
  });

  it('SIGHUP and a file that is written reload too', async () => {
    rig.write({ top: 'inotify_auto_reload on;' });
    const from = rig.server.log().length;
    rig.server.signal('SIGHUP');
    await rig.server.waitForLog(/reload config success.*changed inotify_auto_reload/, { from });
    // As an editor that is careful does it.
    const text = readFileSync(rig.server.configFile, 'utf8').replace('max_connections 1000', 'max_connections 999');
    writeFileSync(include('new.conf'), text);
    renameSync(include('new.conf'), rig.server.configFile);
    await rig.server.waitForLog(/reload config success.*changed max_connections/, { from });
    await rig.restore();
  });
});

describe('workers', () => {
  it('more are started, and fewer let their clients finish; nobody else notices', async () => {
    await using rig = await ReloadRig.start({ workers: 'mode multi; stream 2;' });
    const count = async () => (await workersOf(rig.server, 'stream')).length;
    const grown = await rig.reload({ workers: 'mode multi; stream 4;' });
    expect(grown.workers.filter(({ detail }) => detail === 'is new')).toHaveLength(2);
    expect(await count()).toBe(4);

    // Media crosses between old and new workers in both directions.
    const [oldest, , newer, newest] = await workersOf(rig.server, 'stream');
    const publishers = [
      await rig.publish('from-old', { onWorker: oldest!.pid }),
      await rig.publish('from-new', { onWorker: newest!.pid }),
    ];
    const players = await Promise.all(
      [newest!, oldest!].map((worker, index) => rig.play(['from-old', 'from-new'][index]!, { onWorker: worker.pid })),
    );
    await Promise.all(players.map((player) => player.waitForFrames(50)));

    const shrunk = await rig.reload({ workers: 'mode multi; stream 3;' });
    expect(shrunk.workers.find(({ pid }) => pid === newest!.pid)?.detail).toMatch(
      /ends when its 2 clients have left, in 60 s at the latest/,
    );
    await Promise.all(players.map((player) => player.waitForFrames(50)));
    expect(players.map((player) => player.checker.complaint)).toEqual(['', '']);
    const next = await Promise.all(Array.from({ length: 20 }, () => rig.play('from-old')));
    expect(next.filter((player) => player.peer.pid === newest!.pid)).toEqual([]);
    expect(new Set(next.map((player) => player.peer.pid)).has(newer!.pid)).toBe(true);

    for (const client of [players[0]!, publishers[1]!]) client.leave();
    await rig.see('the end of the worker', async () => (await count()) === 3, 3_000);
    await rig.restore();
    await rig.see('the end of the third one', async () => (await count()) === 2, 3_000);
  });

  it('clients that stay too long are told', async () => {
    await using rig = await ReloadRig.start({ workers: 'mode multi; stream 3; drain_timeout 1;' });
    const [first, , last] = await workersOf(rig.server, 'stream');
    await rig.publish('one', { onWorker: first!.pid });
    const player = await rig.play('one', { onWorker: last!.pid });
    const others = [await rig.play('one'), await rig.play('one')].filter(({ peer }) => peer.pid !== last!.pid);
    await rig.reload({ workers: 'mode multi; stream 2; drain_timeout 1;' });
    expect(player.isOpen).toBe(true);
    await player.waitForStatus('NetStream.Play.Stop', 3_000);
    await player.waitForClose(3_000);
    await Promise.all(others.map((other) => other.waitForFrames(20)));
    await rig.server.waitForLog(/stream worker in slot 3 ends, \d clients are dismissed/);
  });

  it('one that is drained is started again, and every client that comes meanwhile is let in', async () => {
    await using rig = await ReloadRig.start({ workers: 'mode multi; stream 2; drain_timeout 1;' });
    const [one, other] = await workersOf(rig.server, 'stream');
    await rig.publish('one', { onWorker: one!.pid });
    const stays = await rig.play('one', { onWorker: one!.pid });
    const leaves = await rig.play('one', { onWorker: other!.pid });
    let isOver = false;
    const comers: LivePlayer[] = [];
    const come = async (): Promise<void> => {
      while (!isOver) comers.push(await rig.play('one'));
    };
    const coming = Promise.all([come(), come(), come()]);
    await rig.server.privateApi(`/api/v1/drain?slot=${other!.slot}`, { method: 'POST', body: {} });
    await rig.see(
      'another worker in its slot',
      async () =>
        (await rig.server.workers()).some(
          ({ slot, pid, state }) => slot === other!.slot && pid !== other!.pid && state === 'ready',
        ),
      10_000,
    );
    await leaves.waitForClose();
    // Connections go to the new worker again, and only there: the neighbour has given its sockets back.
    const fresh = (await workersOf(rig.server, 'stream')).find(({ slot }) => slot === other!.slot)!;
    await rig.play('one', { onWorker: fresh.pid });
    isOver = true;
    await coming;
    expect(comers.length).toBeGreaterThan(20);
    expect(comers.filter((player) => player.rejection !== undefined)).toEqual([]);
    await stays.waitForFrames(20);
    expect(stays.checker.complaint).toBe('');
    expect((await clientsOf(rig.server, fresh)).length).toBeGreaterThan(0);
  });

  it('one that is drained may be taken away meanwhile', async () => {
    await using rig = await ReloadRig.start({ workers: 'mode multi; stream 2;' });
    const [one, other] = await workersOf(rig.server, 'stream');
    await rig.publish('one', { onWorker: one!.pid });
    const player = await rig.play('one', { onWorker: other!.pid });
    await rig.server.privateApi(`/api/v1/drain?slot=${other!.slot}`, { method: 'POST', body: {} });
    await rig.reload({ workers: 'mode multi; stream 1;' });
    await player.waitForFrames(20);
    player.leave();
    await rig.server.waitForLog(`stream worker in slot ${other!.slot} ends, its clients have left`);
    await rig.see('its end', async () => (await rig.server.workers()).length === 2, 3_000);
    // One that comes again has a number and a process of its own.
    await rig.reload({ workers: 'mode multi; stream 2;' });
    const again = (await workersOf(rig.server, 'stream')).find(({ slot }) => slot !== one!.slot)!;
    await (await rig.play('one', { onWorker: again.pid })).waitForFrames(20);
  });

  it('the only one cannot be drained, and a slot that is not there neither', async () => {
    await using rig = await ReloadRig.start({ workers: 'mode multi; stream 1;' });
    const drain = (slot: string) => rig.server.privateApi(`/api/v1/drain?slot=${slot}`, { method: 'POST', body: {} });
    await expect(drain('1')).rejects.toThrow(/slot 1 is the only stream worker/);
    await expect(drain('7')).rejects.toThrow(/slot 7 must be one of 0 1/);
    await expect(drain('x')).rejects.toThrow(/slot \\"x\\" must be the number of a slot/);
  });

  it('a back-source that is drained is started again, and what plays goes on', async () => {
    await using rig = await ReloadRig.start();
    const [backSource] = await workersOf(rig.server, 'back-source');
    await rig.server.privateApi('/api/v1/drain?slot=0', { method: 'POST', body: {} });
    await rig.see(
      'another one',
      async () =>
        (await workersOf(rig.server, 'back-source')).some(({ pid, state }) => pid !== backSource!.pid && state === 'ready'),
      10_000,
    );
    await rig.restore();
    await rig.publish('after');
    await (await rig.play('after')).waitForFrames(10);
  });

  it('one that did not answer is told everything when it is back', async () => {
    await using rig = await ReloadRig.start();
    const [, one] = await workersOf(rig.server, 'stream');
    process.kill(one!.pid, 'SIGSTOP');
    rig.write({
      vhost: 'publish { firstpkt_timeout 200; }',
      top: ({ rtmpPort, sparePort }) => `listen ${rtmpPort} ${sparePort};`,
    });
    const report = await rig.ask().catch(() => undefined);
    expect(report?.workers.find(({ pid }) => pid === one!.pid)?.isApplied ?? false).toBe(false);
    process.kill(one!.pid, 'SIGCONT');
    // It was told while it could not hear, and hears it now.
    const publisher = await rig.openPublisher('one', { onWorker: one!.pid });
    await publisher.waitForClose(2_000);
    await rig.restore();
  });
});

it('log-level holds for all processes until a reload changes it', async () => {
  await using rig = await ReloadRig.start();
  await rig.server.privateApi('/api/v1/log-level?level=error', { method: 'POST', body: {} });
  await rig.play('silent');
  await rig.reload({ top: 'srs_log_format json;' });
  await rig.play('silent-too');
  await rig.reload({ top: 'srs_log_level warn; srs_log_format json;' });
  await rig.reload({ top: 'srs_log_level trace;' });
  await rig.play('loud');
  await rig.server.waitForLog('stream_name=loud');
  expect(rig.server.log().filter((line) => line.includes('stream_name=silent'))).toEqual([]);
  await expect(rig.server.privateApi('/api/v1/log-level?level=loud', { method: 'POST', body: {} })).rejects.toThrow(
    /must be one of verbose info/,
  );
});

it('one process follows its configuration too', async () => {
  await using rig = await ReloadRig.start({ workers: 'mode single;' });
  const publisher = await rig.publish('one', { firstTimestampMs: 3_600_000 });
  const player = await rig.play('one');
  await player.waitForFrames(10);
  await rig.reload({
    workers: 'mode single;',
    vhost: 'chunk_size 4096; time_jitter off;',
    top: ({ rtmpPort, sparePort }) => `listen ${rtmpPort} ${sparePort}; srs_log_level warn;`,
  });
  await rig.see("the encoder's own time", () => player.checker.lastTimestampMs >= 3_600_000);
  expect(player.checker.complaint).toBe('');
  using raw = await RawRtmp.connect(rig.server.place.sparePort);
  expect((await raw.connectApp('live', { tcUrl: 'rtmp://127.0.0.1/live?vhost=changing.test' })).name).toBe('_result');
  publisher.leave();
  await rig.restore({ workers: 'mode single;' });
  await expect(RawRtmp.connect(rig.server.place.sparePort)).rejects.toThrow(/ECONNREFUSED/);
});
