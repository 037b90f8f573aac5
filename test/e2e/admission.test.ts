import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/deadline.ts';
import { RawRtmp } from '../support/raw-rtmp.ts';
import { ServerProcess } from '../support/server-process.ts';
import { LivePlayer, LivePublisher } from './live-client-test-support.ts';
import { clientsOf, workersOf } from './server-view-test-support.ts';

describe('max_connections', () => {
  const LIMIT = 20;

  it('counts over all workers: one more is closed at once, a place that gets free can be used', async () => {
    await using server = await ServerProcess.start({
      config: ({ rtmpPort, privatePort, directory }) => `
        listen ${rtmpPort};
        daemon off;
        pid ${directory}/objs/srs.pid;
        srs_log_tank console;
        max_connections ${LIMIT};
        private_api { listen 127.0.0.1:${privatePort}; }
        workers { mode multi; stream 2; }
        vhost __defaultVhost__ { }`,
    });
    const { rtmpPort } = server.place;
    const workers = await workersOf(server, 'stream');
    const clientCounts = () => Promise.all(workers.map(async (worker) => (await clientsOf(server, worker)).length));
    const total = async () => (await clientCounts()).reduce((sum, count) => sum + count, 0);
    // The probe that waited for the server may still be counted.
    await eventually(
      async () => (await total()) === 0,
      5_000,
      () => 'there are clients already',
    );

    const clients = await LivePlayer.crowd(server, 'live/one', LIMIT);
    expect(Math.min(...(await clientCounts()))).toBeGreaterThan(0);
    for (let tries = 0; tries < 5; tries++) {
      using surplus = await RawRtmp.connect(rtmpPort);
      await surplus.waitForClose();
      expect(surplus.received).toHaveLength(0);
    }
    const refusals = () => server.log().filter((line) => line.includes(`refused: max_connections ${LIMIT} are in use`)).length;
    // The log may come later than the close that it tells of.
    await eventually(
      () => refusals() === 5,
      5_000,
      () => `${refusals()} of 5 refusals are in the log`,
    );
    expect(clients.filter((client) => !client.isOpen)).toEqual([]);

    for (const leaver of clients.slice(0, 2)) leaver.close();
    await eventually(
      async () => (await total()) === LIMIT - 2,
      5_000,
      () => 'clients that have left are still counted',
    );
    const next = [await LivePlayer.start(server, 'live/one'), await LivePlayer.start(server, 'live/one')];
    using surplus = await RawRtmp.connect(rtmpPort);
    await surplus.waitForClose();
    for (const client of [...clients, ...next]) client.close();
  });
});

describe('who may come in', () => {
  let server: ServerProcess;

  beforeAll(async () => {
    server = await ServerProcess.start({
      config: ({ rtmpPort, privatePort, directory }) => `
        listen ${rtmpPort};
        daemon off;
        pid ${directory}/objs/srs.pid;
        srs_log_tank console;
        max_connections 1000;
        private_api { listen 127.0.0.1:${privatePort}; }
        workers { mode multi; stream 2; }
        vhost open.test { }
        vhost off.test { enabled off; }
        vhost pages.test { refer good.test; }
        vhost publishers.test { refer_publish good.test; }
        vhost players.test { refer_play good.test; }`,
    });
  });

  afterAll(async () => {
    await server.stop();
  });

  const on = (vhost: string, pageUrl = '') => ({ tcUrlParameters: `?vhost=${vhost}`, rtmp: { pageUrl } });
  const goodPage = 'http://www.good.test:8080/player.html';
  const badPage = 'http://www.bad.test/good.test';

  /** What the server has logged as warnings and errors; the log may come later than the close that it tells of. */
  const complaints = async (has: (line: string) => boolean, count = 1): Promise<string[]> => {
    const found = () => server.log().filter((line) => /\]\[(warn|error)\]/.test(line) && has(line));
    await eventually(
      () => found().length >= count,
      5_000,
      () => `${found().length} of ${count} complaints are in the log`,
    );
    return found();
  };
  const complaintsOf = (cid: number) => complaints((line) => new RegExp(`\\]\\[\\d+\\]\\[${cid}\\]`).test(line));
  const complaintsAbout = (text: string, count = 1) => complaints((line) => line.includes(text), count);

  it('a vhost that is not configured: _error to connect, then the close, one line in the log', async () => {
    using player = await LivePlayer.open(server, 'live/one', on('unknown.test'));
    expect(player.rejection).toMatchObject({ level: 'error', code: 'NetConnection.Connect.Rejected' });
    expect(player.rejection?.description).toContain('vhost unknown.test is not configured');
    await player.waitForClose();
    expect(await complaintsAbout('vhost unknown.test is not configured')).toHaveLength(1);
    expect((await complaintsAbout('vhost unknown.test'))[0]).toContain('refused. ret=2014');
  });

  it('a vhost that is disabled: the same', async () => {
    using publisher = await LivePublisher.open(server, 'live/one', on('off.test'));
    expect(publisher.rejection).toMatchObject({
      code: 'NetConnection.Connect.Rejected',
      description: 'vhost off.test is disabled',
    });
    await publisher.waitForClose();
    expect(await complaintsAbout('vhost off.test is disabled')).toHaveLength(1);
  });

  it('a vhost asked for in the stream name counts more than that of the tcUrl', async () => {
    using refused = await LivePlayer.open(server, 'live/one', { ...on('open.test'), parameters: '?vhost=off.test' });
    expect(refused.rejection).toMatchObject({ code: 'NetStream.Play.StreamNotFound', description: 'vhost off.test is disabled' });
    await refused.waitForClose();
  });

  it('refer: pages of other domains, and clients without a page, are refused at connect', async () => {
    using good = await LivePlayer.open(server, 'live/one', on('pages.test', goodPage));
    expect(good.rejection).toBeUndefined();
    for (const page of [badPage, '']) {
      using bad = await LivePlayer.open(server, 'live/one', on('pages.test', page));
      expect(bad.rejection).toMatchObject({ code: 'NetConnection.Connect.Rejected' });
      expect(bad.rejection?.description).toContain('must end with one of: good.test');
      await bad.waitForClose();
    }
    expect(await complaintsAbout('refused. ret=2015', 2)).toHaveLength(2);
  });

  it('refer_publish: publishers only', async () => {
    using good = await LivePublisher.open(server, 'live/refer', on('publishers.test', goodPage));
    expect(good.rejection).toBeUndefined();
    using player = await LivePlayer.open(server, 'live/refer', on('publishers.test', badPage));
    expect(player.rejection).toBeUndefined();
    using bad = await LivePublisher.open(server, 'live/other', on('publishers.test', badPage));
    expect(bad.rejection).toMatchObject({ level: 'error', code: 'NetStream.Publish.BadName' });
    await bad.waitForClose();
    expect(await complaintsOf(bad.peer.id)).toHaveLength(1);
  });

  it('refer_play: players only', async () => {
    using publisher = await LivePublisher.open(server, 'live/refer', on('players.test'));
    expect(publisher.rejection).toBeUndefined();
    using bad = await LivePlayer.open(server, 'live/refer', on('players.test', badPage));
    expect(bad.rejection).toMatchObject({ level: 'error', code: 'NetStream.Play.Failed' });
    await bad.waitForClose();
    expect(await complaintsOf(bad.peer.id)).toHaveLength(1);
  });

  it('a second publisher is told who the first one is, wherever that is; the first one goes on', async () => {
    const [one, other] = await workersOf(server, 'stream');
    const first = await LivePublisher.start(server, 'live/busy', { ...on('open.test'), onWorker: one!.pid });
    const player = await LivePlayer.start(server, 'live/busy', on('open.test'));
    for (const pid of [one!.pid, other!.pid]) {
      using second = await LivePublisher.open(server, 'live/busy', { ...on('open.test'), onWorker: pid });
      expect(second.rejection).toMatchObject({ level: 'error', code: 'NetStream.Publish.BadName' });
      expect(second.rejection?.description).toBe(
        `stream open.test/live/busy is already published by 127.0.0.1, cid=${first.peer.id}`,
      );
      await second.waitForClose();
      expect(await complaintsOf(second.peer.id)).toHaveLength(1);
      expect((await complaintsOf(second.peer.id))[0]).toContain('ret=1028');
    }
    await player.waitForFrames(50);
    expect(player.checker.complaint).toBe('');
    first.leave();
    await first.waitForClose();
    using next = await LivePublisher.open(server, 'live/busy', { ...on('open.test'), session: 2 });
    expect(next.rejection).toBeUndefined();
    player.close();
  });
});
