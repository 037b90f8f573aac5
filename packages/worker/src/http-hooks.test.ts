import type { HookSubject } from '@srs/clients';
import { loadConfig } from '@srs/config';
import type { OwedNotice } from '@srs/control';
import { memoryLog } from '@srs/kernel';
import { afterEach, describe, expect, it } from 'vitest';
import { HookServer } from '../../../test/support/hook-server.ts';
import { HttpHooks } from './http-hooks.ts';
import { OwedHooks } from './owed-hooks.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const configOf = (vhosts: string) => loadConfig(`listen 1935; ${vhosts}`, { fileName: 'srs.conf' }).config;
const hooked = (inside: string) => configOf(`vhost live.test { http_hooks { ${inside} } }`);

async function serve(): Promise<HookServer> {
  const server = await HookServer.start();
  closers.push(() => server[Symbol.asyncDispose]());
  return server;
}

function setUp(config = hooked('')) {
  const log = memoryLog();
  const owed = new Map<number, Omit<OwedNotice, 'id'>>();
  let lastId = 0;
  const keeper = {
    owe: (notice: Omit<OwedNotice, 'id'>) => {
      lastId += 1;
      owed.set(lastId, notice);
      return lastId;
    },
    settle: (id: number) => void owed.delete(id),
  };
  const now = { config };
  const hooks = new HttpHooks({ config: () => now.config, log, keeper });
  closers.push(() => hooks.close(0));
  const vhost = config.vhosts.get('live.test')!;
  const subject: HookSubject = {
    cid: 107,
    ip: '10.0.0.7',
    vhost,
    app: 'live',
    tcUrl: 'rtmp://live.test/live',
    pageUrl: '',
    stream: 'one',
    param: '',
    log,
  };
  return { hooks, now, owed, subject, vhost };
}

describe('HttpHooks', () => {
  it('asks nobody and owes nothing without URLs, or while they are off', () => {
    for (const inside of ['', 'on_play http://127.0.0.1:1/; on_stop http://127.0.0.1:1/;', 'enabled on;']) {
      const { hooks, owed, subject, vhost } = setUp(hooked(inside));
      expect(hooks.isAsked('on_play', vhost)).toBe(false);
      expect(hooks.ask('on_play', subject)).toBe(0);
      hooks.tell('on_stop', subject, 0);
      expect(owed.size).toBe(0);
    }
  });

  it('owes the end of what was allowed until it is told, also where nobody was asked', async () => {
    const server = await serve();
    const url = server.url();
    for (const question of ['', `on_play ${url};`]) {
      const { hooks, owed, subject } = setUp(hooked(`enabled on; ${question} on_stop ${url};`));
      const ticket = await hooks.ask('on_play', subject);
      const [notice] = owed.values();
      expect(notice).toMatchObject({ event: 'on_stop', vhost: 'live.test', cid: 107, ip: '10.0.0.7' });
      hooks.tell('on_stop', subject, ticket);
      expect(owed.size).toBe(1);
      await hooks.close(5_000);
      expect(owed.size).toBe(0);
      expect(server.requests.at(-1)?.text).toBe(notice?.body);
    }
    expect(server.events).toEqual(['on_stop one', 'on_play one', 'on_stop one']);
  });

  it('owes the end while it asks, and nothing for what was refused', async () => {
    const server = await serve();
    server.behaviour = () => '1';
    const { hooks, owed, subject } = setUp(hooked(`enabled on; on_play ${server.url()}; on_stop ${server.url()};`));
    const asked = hooks.ask('on_play', subject);
    expect(Array.from(owed.values(), ({ event }) => event)).toEqual(['on_stop']);
    await expect(asked).rejects.toThrow('refused by the on_play hook');
    expect(owed.size).toBe(0);
  });

  it('looks its URLs up at each event; without any what was owed is settled', async () => {
    const server = await serve();
    const { hooks, now, owed, subject } = setUp(hooked(`enabled on; on_stop ${server.url('/old')};`));
    const tickets = [await hooks.ask('on_play', subject), await hooks.ask('on_play', subject)];
    now.config = hooked(`enabled on; on_stop ${server.url('/new')};`);
    hooks.tell('on_stop', subject, tickets[0]!);
    await server.waitForEvent('on_stop');
    now.config = hooked(`on_stop ${server.url('/new')};`);
    hooks.tell('on_stop', subject, tickets[1]!);
    await hooks.close(5_000);
    expect(server.requests.map(({ path }) => path)).toEqual(['/new']);
    expect(owed.size).toBe(0);
  });

  it('goes by the settings a client came with when its vhost is gone', async () => {
    const server = await serve();
    const { hooks, now, subject } = setUp(hooked(`enabled on; on_stop ${server.url()};`));
    const ticket = await hooks.ask('on_play', subject);
    now.config = configOf('vhost other.test { }');
    hooks.tell('on_stop', subject, ticket);
    await server.waitForEvent('on_stop');
  });
});

describe('OwedHooks', () => {
  const worker = { slot: 2, pid: 42 };
  const notice = (event: OwedNotice['event'], id: number): OwedNotice => {
    return { id, event, vhost: 'live.test', cid: 107, ip: '10.0.0.7', body: `{"action":"${event}"}` };
  };

  it('tells for a dead worker with the URLs of the moment, in order', async () => {
    const server = await serve();
    const log = memoryLog();
    let config = hooked('');
    const owed = new OwedHooks(() => config, log);
    owed.notices.connected(worker, [notice('on_close', 1), notice('on_stop', 2)]);
    config = hooked(`enabled on; on_stop ${server.url('/stop')}; on_close ${server.url('/close')};`);
    owed.notices.gone(worker);
    // What it sent last is still to be read when the server stops.
    setImmediate(() => owed.notices.disconnected(worker));
    await owed.close(5_000);
    expect(server.requests.map(({ path }) => path)).toEqual(['/stop', '/close']);
    expect(log.lines[0]?.text).toBe('http hooks: a worker died before it could tell 2 notices, telling them in its place');
  });

  it('logs what is lost with the server, and what has no URL any more is not told', async () => {
    const server = await serve();
    server.behaviour = () => undefined;
    const log = memoryLog();
    const owed = new OwedHooks(() => hooked(`enabled on; on_stop ${server.url()};`), log);
    owed.notices.connected(worker, [notice('on_close', 1), notice('on_stop', 2)]);
    owed.notices.disconnected(worker);
    owed.notices.gone(worker);
    await server.waitForEvent('on_stop');
    await owed.close(0);
    expect(server.events).toEqual(['on_stop']);
    expect(log.lines.at(-1)?.text).toBe('http hook on_stop is lost: the server has ended. client_id=107');
  });
});
