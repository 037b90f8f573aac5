/** Who may publish and play: addresses, pages, stream keys, signed addresses, and how much one address may have. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { grantParameters } from '@srs/access';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChildProgram } from '../support/child-program.ts';
import { eventually } from '../support/deadline.ts';
import { publishWithFfmpeg, recordWithFfmpeg } from '../support/foreign.ts';
import { clip } from '../support/media.ts';
import { RawRtmp } from '../support/raw-rtmp.ts';
import { requires } from '../support/requires.ts';
import { repositoryRoot, type ServerOptions, type ServerPlace, ServerProcess } from '../support/server-process.ts';
import { LivePlayer, LivePublisher } from './live-client-test-support.ts';
import { allClients, clientsOf, readyWorker, workersOf } from './server-view-test-support.ts';

const key = 'studio-7-5d1c0a8e';
const secret = 'e2e-secret-0f6a1c5b9d';
const oldSecret = 'e2e-older-secret-77aa31';

const vhosts = `
  vhost open.test { }
  vhost addresses.test {
    security { enabled on; allow publish 127.0.0.2; allow play 127.0.0.0/8; deny play 127.0.0.9; }
  }
  vhost keys.test { publish_auth { enabled on; key another-key-1 ${key}; } }
  vhost signed.test {
    publish_auth { enabled on; secret ${secret} ${oldSecret}; }
    play_auth { enabled on; secret ${secret}; key ${key}; }
  }
  vhost pages.test { refer good.test; refer_publish studio.good.test; }
`;

const configOf = (top: string | ((place: ServerPlace) => string), workers = 'mode multi; stream 2;'): ServerOptions => ({
  config: (place) => `
    listen ${place.rtmpPort};
    daemon off;
    pid ${place.directory}/objs/srs.pid;
    srs_log_tank console;
    max_connections 1000;
    private_api { listen 127.0.0.1:${place.privatePort}; }
    workers { ${workers} }
    ${typeof top === 'string' ? top : top(place)}
    ${vhosts}`,
});

const startServer = (top: string): Promise<ServerProcess> => ServerProcess.start(configOf(top));

const nowSeconds = () => Math.floor(Date.now() / 1000);
/** A connection on which nothing is said. */
const connectFrom = (server: ServerProcess, localAddress: string) =>
  RawRtmp.connect(server.place.rtmpPort, '127.0.0.1', localAddress);
const on = (vhost: string) => ({ tcUrlParameters: `?vhost=${vhost}` });

describe('who may publish and play', () => {
  let server: ServerProcess;

  beforeAll(async () => {
    server = await ServerProcess.start(
      configOf(({ httpApiPort }) => `http_api { enabled on; listen 127.0.0.1:${httpApiPort}; }`),
    );
  });

  afterAll(async () => {
    await server.stop();
  });

  const logged = (text: string) =>
    eventually(
      async () => server.log().some((line) => line.includes(text)),
      5_000,
      () => `the log has no line with: ${text}`,
    );

  describe('by address', () => {
    it('a publisher that a rule allows, and a player beside it', async () => {
      using publisher = await LivePublisher.start(server, 'live/a', { ...on('addresses.test'), localAddress: '127.0.0.2' });
      using player = await LivePlayer.start(server, 'live/a', { ...on('addresses.test'), localAddress: '127.0.0.3' });
      await player.waitForFrames(10);
      expect(publisher.isOpen).toBe(true);
    });

    it('a publisher that no rule allows is told so, then closed', async () => {
      using publisher = await LivePublisher.open(server, 'live/a', on('addresses.test'));
      expect(publisher.rejection).toMatchObject({
        level: 'error',
        code: 'NetStream.Publish.BadName',
        description: 'publish from 127.0.0.1 is allowed by no rule of security',
      });
      await publisher.waitForClose();
      await logged('refused. ret=1052: publish from 127.0.0.1');
    });

    it('a player that a rule denies is told which', async () => {
      using player = await LivePlayer.open(server, 'live/a', { ...on('addresses.test'), localAddress: '127.0.0.9' });
      expect(player.rejection).toMatchObject({
        level: 'error',
        code: 'NetStream.Play.Failed',
        description: 'play from 127.0.0.9 is denied by the rule: deny play 127.0.0.9',
      });
      await player.waitForClose();
      await logged('refused. ret=1053: play from 127.0.0.9');
    });

    it('a stream name that names the vhost does not get around its rules', async () => {
      using publisher = await LivePublisher.open(server, 'live/a', { ...on('open.test'), parameters: '?vhost=addresses.test' });
      expect(publisher.rejection?.description).toBe('publish from 127.0.0.1 is allowed by no rule of security');
    });
  });

  describe('by page', () => {
    const from = (pageUrl: string) => ({ ...on('pages.test'), rtmp: { pageUrl } });

    it('publishers need a page of the narrower list, players one of the wider', async () => {
      using player = await LivePlayer.open(server, 'live/a', from('http://www.good.test/'));
      expect(player.rejection).toBeUndefined();
      using bad = await LivePublisher.open(server, 'live/a', from('http://www.good.test/'));
      expect(bad.rejection).toMatchObject({ code: 'NetStream.Publish.BadName' });
      using good = await LivePublisher.open(server, 'live/a', from('https://studio.good.test/desk'));
      expect(good.rejection).toBeUndefined();
    });
  });

  describe('by key', () => {
    it.each([
      ['behind the stream', { parameters: `?key=${key}` }],
      ['behind the app', { tcUrlParameters: `?vhost=keys.test&key=${key}` }],
      ['behind a comma', { tcUrlParameters: `?vhost=keys.test,key=${key}` }],
    ])('%s: let in', async (_name, options) => {
      using publisher = await LivePublisher.open(server, 'live/k', { ...on('keys.test'), ...options });
      expect(publisher.rejection).toBeUndefined();
    });

    it.each([
      ['none', '', 'publish of keys.test/live/k refused: the parameter key must stand behind the stream name'],
      ['a wrong one', '?key=studio-7-00000000', 'publish of keys.test/live/k refused: its key is not right'],
    ])('%s: refused', async (_name, parameters, description) => {
      using publisher = await LivePublisher.open(server, 'live/k', { ...on('keys.test'), parameters });
      expect(publisher.rejection).toMatchObject({ level: 'error', code: 'NetStream.Publish.BadName', description });
      await publisher.waitForClose();
      await logged(`refused. ret=2015: ${description}`);
    });

    it('players of that vhost need none', async () => {
      using player = await LivePlayer.open(server, 'live/k', on('keys.test'));
      expect(player.rejection).toBeUndefined();
    });
  });

  describe('by signature', () => {
    const grant = (change: Partial<Parameters<typeof grantParameters>[1]> = {}, by = secret) =>
      `?${grantParameters(by, { use: 'publish', streamId: 'signed.test/live/s', expires: nowSeconds() + 60, ...change })}`;
    const publish = (parameters: string, more: object = {}) =>
      LivePublisher.open(server, 'live/s', { ...on('signed.test'), parameters, ...more });

    it.each([
      ['for anybody', () => grant(), {}],
      ['with the older secret', () => grant({}, oldSecret), {}],
      ['for this client', () => grant({ ip: '127.0.0.4' }), { localAddress: '127.0.0.4' }],
    ])('%s: let in', async (_name, parameters, more) => {
      using publisher = await publish(parameters(), more);
      expect(publisher.rejection).toBeUndefined();
    });

    const wrong = /^publish of signed\.test\/live\/s refused: sign is not right for this use, stream, time and client$/;

    it.each([
      ['for another client', () => grant({ ip: '127.0.0.4' }), wrong],
      ['for another stream', () => grant({ streamId: 'signed.test/live/other' }), wrong],
      ['for players', () => grant({ use: 'play' }), wrong],
      ['put off', () => grant().replace(/expires=\d+/, `expires=${nowSeconds() + 3600}`), wrong],
      ['with another secret', () => grant({}, 'not-the-secret-of-this-server'), wrong],
      ['that is cut short', () => grant().slice(0, -4), /refused: sign has 60 characters, must have 64 hexadecimal digits$/],
      ['that has expired', () => grant({ expires: nowSeconds() - 100 }), /refused: its address expired 10\d s ago$/],
      ['and none', () => '', /refused: the parameters expires and sign must stand behind the stream name$/],
    ])('%s: refused', async (_name, parameters, description) => {
      using publisher = await publish(parameters());
      expect(publisher.rejection).toMatchObject({ level: 'error', code: 'NetStream.Publish.BadName' });
      expect(publisher.rejection?.description).toMatch(description);
      await publisher.waitForClose();
    });

    it('a session goes on after its address has expired', async () => {
      const expires = nowSeconds() + 2;
      const parameters = grant({ expires });
      using publisher = await LivePublisher.start(server, 'live/s', { ...on('signed.test'), parameters });
      await eventually(
        async () => nowSeconds() > expires + 1,
        10_000,
        () => 'time stands still',
      );
      using player = await LivePlayer.start(server, 'live/s', { ...on('signed.test'), parameters: `?key=${key}` });
      await player.waitForFrames(10);
      using late = await publish(parameters);
      expect(late.rejection?.description).toMatch(/address expired/);
      expect(publisher.isOpen).toBe(true);
    });
  });

  describe('ffmpeg with addresses of srs-tool sign', () => {
    requires('ffmpeg');

    const sign = async (use: string, stream: string, ...more: string[]): Promise<string> => {
      const port = server.place.rtmpPort;
      const args = [
        'sign',
        '--use',
        use,
        '--vhost',
        'signed.test',
        '--stream',
        stream,
        '--expires',
        '10m',
        '--host',
        `127.0.0.1:${port}`,
      ];
      const { code, stdout } = await ChildProgram.run(
        join(repositoryRoot, 'bin/srs-tool'),
        [...args, '--secret-env', 'SECRET', ...more],
        {
          env: { SECRET: secret },
          limitMs: 10_000,
        },
      );
      expect(code).toBe(0);
      return stdout.trim();
    };

    it('publishes and plays', async () => {
      const file = await clip('h264-aac');
      await using publisher = await publishWithFfmpeg(file, await sign('publish', 'f'));
      const out = join(server.place.directory, 'signed.flv');
      await using recorder = await recordWithFfmpeg(await sign('play', 'f', '--ip', '127.0.0.1'), out, { seconds: 2 });
      expect(await recorder.exited).toMatchObject({ code: 0 });
      expect(publisher.isRunning).toBe(true);
      expect(readFileSync(out).length).toBeGreaterThan(10_000);
    });

    it('is told why it may not', async () => {
      const file = await clip('h264-aac');
      const tampered = (await sign('publish', 'f')).replace('/f?', '/g?');
      await using publisher = await publishWithFfmpeg(file, tampered);
      const { code } = await publisher.exited;
      expect(code).not.toBe(0);
      expect(publisher.lines().join('\n')).toContain('sign is not right for this use, stream, time and client');
      const play = await recordWithFfmpeg(server.url('live?vhost=signed.test/f'), join(server.place.directory, 'none.flv'));
      await using player = play;
      expect((await player.exited).code).not.toBe(0);
      expect(player.lines().join('\n')).toContain(
        'refused: the parameters key, or expires and sign must stand behind the stream name',
      );
    });
  });

  it('neither the log nor the private APIs nor the list of processes hold a key, a secret or a signature', async () => {
    const sign = grantParameters(secret, { use: 'publish', streamId: 'signed.test/live/z', expires: nowSeconds() + 60 });
    const hex = /sign=(\w+)/.exec(sign)![1]!;
    using one = await LivePublisher.open(server, 'live/z', { ...on('signed.test'), parameters: `?${sign}` });
    using two = await LivePublisher.open(server, 'live/z', { tcUrlParameters: `?vhost=keys.test&key=${key}` });
    using three = await LivePlayer.open(server, `live/z`, { ...on('signed.test'), parameters: `?key=${key}x` });
    // What is refused is quoted in messages.
    const { rtmpPort } = server.place;
    using four = await LivePlayer.open(server, 'live/z', { rtmp: { tcUrl: `rtmp://127.0.0.1:${rtmpPort}/?stream_key=${key}` } });
    const pageUrl = `http://bad.test/?token=${secret}`;
    using five = await LivePlayer.open(server, 'live/z', {
      ...on('pages.test'),
      rtmp: { pageUrl, swfUrl: `${pageUrl}&key=${key}` },
    });
    expect([one.rejection, two.rejection]).toEqual([undefined, undefined]);
    for (const refused of [three, four, five]) await refused.waitForClose();
    await logged('play of signed.test/live/z refused: its key is not right');
    const documents: unknown[] = [];
    for (const path of ['clients', 'streams', 'vhosts', 'summaries', 'features', 'rusages']) {
      documents.push(await server.privateApi(`/api/v1/${path}`, { port: server.place.httpApiPort }));
    }
    for (const { port } of [{ port: server.place.privatePort }, ...(await server.workers())]) {
      for (const path of ['summary', 'workers', 'streams', 'clients', 'departures', 'rings', 'config']) {
        documents.push(await server.privateApi(`/api/v1/${path}`, { port }).catch(() => undefined));
      }
    }
    const cli = (command: string) =>
      ChildProgram.run(
        join(repositoryRoot, 'bin/srs-cli'),
        ['--api', `127.0.0.1:${server.place.privatePort}`, '--json', command],
        {
          limitMs: 15_000,
        },
      );
    const [config, clients] = await Promise.all([cli('config'), cli('clients')]);
    expect(config.stdout).toContain('publish_auth');
    const texts = {
      cli: config.stdout + clients.stdout,
      log: server.log().join('\n'),
      api: JSON.stringify(documents),
      processes: server
        .pids()
        .map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8'))
        .join('\n'),
    };
    expect(texts.api).toContain('live/z');
    for (const [where, text] of Object.entries(texts)) {
      for (const hidden of [key, secret, oldSecret, hex, 'another-key-1']) {
        expect(text.includes(hidden), `${hidden} in ${where}`).toBe(false);
      }
    }
  });
});

describe('limits of one address', () => {
  const guest = '127.0.0.5';
  const other = '127.0.0.6';
  const players = 4;
  const connections = 12;
  let server: ServerProcess;

  beforeAll(async () => {
    server = await startServer(
      `limits { connections_per_ip ${connections}; publishers_per_ip 1; players_per_ip ${players}; exempt 127.0.0.1; }`,
    );
  });

  afterAll(async () => {
    await server.stop();
  });

  const noClients = () =>
    eventually(
      async () => (await allClients(server)).length === 0,
      5_000,
      () => 'there are clients from before',
    );

  /** Closed before a byte came; the reason is in the log alone. */
  const isTurnedAway = async (localAddress: string): Promise<boolean> => {
    using client = await connectFrom(server, localAddress);
    await client.waitForClose();
    return client.received.length === 0;
  };

  it('players count over both workers; the next one is told so, and gets the place of one that leaves', async () => {
    const [one, two] = await workersOf(server, 'stream');
    const options = (pid: number) => ({ ...on('open.test'), localAddress: guest, onWorker: pid });
    const crowd: LivePlayer[] = [];
    for (const pid of [one!.pid, one!.pid, two!.pid, two!.pid])
      crowd.push(await LivePlayer.start(server, 'live/l', options(pid)));
    for (const pid of [one!.pid, two!.pid]) {
      using surplus = await LivePlayer.open(server, 'live/l', options(pid));
      expect(surplus.rejection).toMatchObject({
        level: 'error',
        code: 'NetStream.Play.Failed',
        description: `this address plays as many streams as players_per_ip ${players} allows`,
      });
      await surplus.waitForClose();
    }
    using stranger = await LivePlayer.open(server, 'live/l', { ...on('open.test'), localAddress: other });
    using exempt = await LivePlayer.open(server, 'live/l', on('open.test'));
    expect([stranger.rejection, exempt.rejection]).toEqual([undefined, undefined]);
    crowd[3]!.leave();
    await eventually(
      async () => (await clientsOf(server, two!)).filter((client) => client.type === 'play').length <= 3,
      5_000,
      () => 'the player that left is still there',
    );
    const next = await LivePlayer.start(server, 'live/l', options(one!.pid));
    for (const player of [...crowd, next]) player.close();
  });

  it('publishers count over both workers, whatever they publish', async () => {
    await noClients();
    const [one, two] = await workersOf(server, 'stream');
    using first = await LivePublisher.start(server, 'live/p', { ...on('open.test'), localAddress: guest, onWorker: one!.pid });
    using second = await LivePublisher.open(server, 'live/q', { ...on('open.test'), localAddress: guest, onWorker: two!.pid });
    expect(second.rejection).toMatchObject({
      level: 'error',
      code: 'NetStream.Publish.BadName',
      description: 'this address publishes as many streams as publishers_per_ip 1 allows',
    });
    await second.waitForClose();
    // It ends its publish and stays connected, as encoders do between two shows.
    expect(first.isOpen).toBe(true);
    first.pause();
    first.session.close();
    const types = async () => (await clientsOf(server, one!)).map((client) => client.type);
    await eventually(
      async () => (await types()).join() === 'unknown',
      5_000,
      () => 'the publish goes on',
    );
    using third = await LivePublisher.open(server, 'live/q', { ...on('open.test'), localAddress: guest });
    expect(first.isOpen).toBe(true);
    expect(third.rejection).toBeUndefined();
  });

  it('connections: one more is closed before anything is said, and a worker that dies takes its count along', async () => {
    await noClients();
    const silent: RawRtmp[] = [];
    for (let count = 0; count < connections; count += 1) {
      silent.push(await connectFrom(server, guest));
    }
    const workers = await workersOf(server, 'stream');
    const counts = async () => Promise.all(workers.map(async (worker) => (await clientsOf(server, worker)).length));
    await eventually(
      async () => (await counts()).reduce((sum, count) => sum + count, 0) === connections,
      5_000,
      () => 'not all are connected',
    );
    for (let tries = 0; tries < 3; tries += 1) expect(await isTurnedAway(guest)).toBe(true);
    await server.waitForLog(
      `client refused. ret=1051: ${guest} has as many connections as connections_per_ip ${connections} allows`,
    );
    using stranger = await LivePlayer.open(server, 'live/l', { ...on('open.test'), localAddress: other });
    expect(stranger.rejection).toBeUndefined();

    const [first] = await counts();
    expect(first).toBeGreaterThan(0);
    process.kill(workers[0]!.pid, 'SIGKILL');
    await eventually(
      async () => {
        const successor = await readyWorker(server, workers[0]!.slot);
        return successor !== undefined && successor.pid !== workers[0]!.pid;
      },
      10_000,
      () => 'the dead worker has no successor',
    );
    const again: RawRtmp[] = [];
    for (let count = 0; count < first!; count += 1) {
      again.push(await connectFrom(server, guest));
    }
    await eventually(
      async () => (await allClients(server)).length >= connections,
      5_000,
      () => 'the places of the dead worker are not free',
    );
    expect(await isTurnedAway(guest)).toBe(true);
    for (const client of [...silent, ...again]) client.close();
  });
});

it('connections that one address opens in a second', async () => {
  const limit = 5;
  await using server = await startServer(`limits { connects_per_second_per_ip ${limit}; exempt none; }`);
  const clients = await Promise.all(Array.from({ length: 30 }, () => connectFrom(server, '127.0.0.7')));
  const refused = () => clients.filter((client) => !client.isOpen).length;
  await eventually(
    async () => refused() >= clients.length - 2 * limit,
    5_000,
    () => `${refused()} of ${clients.length} are closed`,
  );
  // The burst may lie on the border of two seconds.
  expect(clients.length - refused()).toBeGreaterThanOrEqual(limit);
  await server.waitForLog('client refused. ret=1051: 127.0.0.7 connects more often than connects_per_second_per_ip 5');
  const lines = server.log().filter((line) => line.includes('connects more often'));
  expect(lines.length).toBeLessThan(6);
  for (const client of clients) client.close();
  await eventually(
    async () => {
      using player = await LivePlayer.open(server, 'live/l', { ...on('open.test'), localAddress: '127.0.0.7' }).catch(
        () => undefined,
      );
      return player?.isOpen === true && player.rejection === undefined;
    },
    10_000,
    () => 'the address is never let in again',
  );
});

it('a reload counts for the next client: another key, rules, and limits that know who is there already', async () => {
  const keyVhost = (text: string) => `vhost reloaded.test { publish_auth { enabled on; key ${text}; } }`;
  await using server = await startServer(keyVhost(key));
  const where = { ...on('reloaded.test'), localAddress: '127.0.0.8' };
  using publisher = await LivePublisher.start(server, 'live/r', { ...where, parameters: `?key=${key}` });
  using player = await LivePlayer.start(server, 'live/r', where);
  await player.waitForFrames(5);
  const changed = keyVhost('another-key-22').replace(
    ' }',
    ' } security { enabled on; allow publish all; allow play 127.0.0.8; }',
  );
  server.writeConfig(configOf(`limits { players_per_ip 1; exempt none; } ${changed}`));
  server.signal('SIGHUP');
  const descriptionOf = async (parameters: string, more: object = {}): Promise<string | undefined> => {
    using other = await LivePublisher.open(server, 'live/other', { ...where, parameters, ...more });
    return other.rejection?.description;
  };
  await eventually(
    async () => (await descriptionOf(`?key=${key}`)) === 'publish of reloaded.test/live/other refused: its key is not right',
    1_000,
    () => 'the old key is still good',
  );
  expect(await descriptionOf('?key=another-key-22')).toBeUndefined();
  using second = await LivePlayer.open(server, 'live/r', where);
  expect(second.rejection?.description).toBe('this address plays as many streams as players_per_ip 1 allows');
  using stranger = await LivePlayer.open(server, 'live/r', on('reloaded.test'));
  expect(stranger.rejection?.description).toBe('play from 127.0.0.1 is allowed by no rule of security');
  await player.waitForFrames(20);
  expect(player.checker.complaint).toBe('');
  expect(publisher.isOpen).toBe(true);
});

it('a server of one process holds the same limits', async () => {
  await using server = await ServerProcess.start(configOf('limits { players_per_ip 2; connections_per_ip 4; }', 'mode single;'));
  const where = { ...on('open.test'), localAddress: '127.0.0.1' };
  using exempt = await LivePlayer.start(server, 'live/one', where);
  expect(exempt.isOpen).toBe(true);
  server.writeConfig(configOf('limits { players_per_ip 2; connections_per_ip 3; exempt none; }', 'mode single;'));
  server.signal('SIGHUP');
  await server.waitForLog(/reload/i);
  const second = await LivePlayer.start(server, 'live/one', where);
  await eventually(
    async () => {
      using third = await LivePlayer.open(server, 'live/one', where);
      return third.rejection?.description === 'this address plays as many streams as players_per_ip 2 allows';
    },
    1_000,
    () => 'a third player is let in',
  );
  second.close();
});
