import { loadConfig, type VhostConfig } from '@srs/config';
import { SrsError, silentLog } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import type { AdmittedStream } from './admitted-stream.ts';
import type { ClientHooks } from './client-hooks.ts';
import { ConnectionHooks } from './connection-hooks.ts';

const vhostOf = (name: string): VhostConfig =>
  loadConfig(`listen 1935; vhost ${name} { }`, { fileName: 'srs.conf' }).config.vhosts.get(name)!;
const vhost = vhostOf('live.test');
const target: AdmittedStream = { vhost, stream: 'one', streamId: 'live.test/live/one', param: '' };

/** Answers when the test does; every word is kept. */
class TestHooks implements ClientHooks {
  readonly said: string[] = [];
  isDirect = false;
  #next: PromiseWithResolvers<number> | undefined;
  #ticket = 0;

  isAsked(): boolean {
    return !this.isDirect;
  }

  ask: ClientHooks['ask'] = (event, { stream, param }) => {
    this.said.push(stream === undefined ? event : `${event} ${stream} ${param}`);
    this.#ticket += 1;
    if (this.isDirect) return this.#ticket;
    this.#next = Promise.withResolvers<number>();
    return this.#next.promise;
  };

  tell: ClientHooks['tell'] = (event, { stream }, ticket, traffic) => {
    const words = [event, stream, ticket, traffic === undefined ? undefined : `${traffic.sendBytes}/${traffic.recvBytes}`];
    this.said.push(words.filter((word) => word !== undefined).join(' '));
  };

  allow(): void {
    this.#next?.resolve(this.#ticket);
  }

  refuse(): void {
    this.#next?.reject(new SrsError('HttpAnswer', 'no'));
  }
}

function setUp() {
  const hooks = new TestHooks();
  const hookSubject = {
    cid: 107,
    ip: '10.0.0.7',
    vhost,
    app: 'live',
    param: '?t',
    tcUrl: 'rtmp://live.test/live',
    pageUrl: '',
    log: silentLog,
  };
  return { hooks, connection: new ConnectionHooks(hooks, { hookSubject }) };
}

const traffic = { sendBytes: 5, recvBytes: 6 };

describe('ConnectionHooks', () => {
  it('asks nobody, and waits for nobody, when there is nobody to ask; the ends are told all the same', () => {
    const { hooks, connection } = setUp();
    hooks.isDirect = true;
    expect(connection.connect()).toBeUndefined();
    expect(connection.begin('play', target, 'one')).toBeUndefined();
    connection.end();
    connection.end();
    connection.close(traffic);
    expect(hooks.said).toEqual(['on_connect', 'on_play one ?t', 'on_stop one 2', 'on_close 1 5/6']);
  });

  it('tells the end of each publish once, and of the connection last', async () => {
    const { hooks, connection } = setUp();
    const connecting = connection.connect();
    hooks.allow();
    await connecting;
    for (const param of ['?a', '?b']) {
      const beginning = connection.begin('publish', target, `one${param}`);
      hooks.allow();
      await beginning;
      if (param === '?a') connection.end();
    }
    connection.close(traffic);
    connection.end();
    expect(hooks.said).toEqual([
      'on_connect',
      'on_publish one ?a',
      'on_unpublish one 2',
      'on_publish one ?b',
      'on_unpublish one 3',
      'on_close 1 5/6',
    ]);
  });

  it('tells nothing of what was refused', async () => {
    const { hooks, connection } = setUp();
    hooks.isDirect = true;
    void connection.connect();
    hooks.isDirect = false;
    const beginning = connection.begin('publish', target, 'one');
    hooks.refuse();
    await expect(beginning).rejects.toThrow('no');
    connection.end();
    connection.close(traffic);
    expect(hooks.said).toEqual(['on_connect', 'on_publish one ?t', 'on_close 1 5/6']);

    const other = setUp();
    const connecting = other.connection.connect();
    other.hooks.refuse();
    await expect(connecting).rejects.toThrow('no');
    other.connection.close(traffic);
    expect(other.hooks.said).toEqual(['on_connect']);
  });

  it('a client that leaves while it is asked about: a yes is followed by its end and then on_close, a no by on_close', async () => {
    for (const isAllowed of [true, false]) {
      const { hooks, connection } = setUp();
      hooks.isDirect = true;
      void connection.connect();
      hooks.isDirect = false;
      const beginning = connection.begin('play', target, 'one');
      connection.end();
      connection.close(traffic);
      expect(hooks.said).toEqual(['on_connect', 'on_play one ?t']);
      if (isAllowed) hooks.allow();
      else hooks.refuse();
      await Promise.allSettled([beginning]);
      connection.end();
      expect(hooks.said.slice(2)).toEqual(isAllowed ? ['on_stop one 2', 'on_close 1 5/6'] : ['on_close 1 5/6']);
    }
  });

  it('a client that leaves while on_connect is asked: on_close follows a yes only', async () => {
    for (const isAllowed of [true, false]) {
      const { hooks, connection } = setUp();
      const connecting = connection.connect();
      connection.close(traffic);
      if (isAllowed) hooks.allow();
      else hooks.refuse();
      await Promise.allSettled([connecting]);
      expect(hooks.said).toEqual(isAllowed ? ['on_connect', 'on_close 1 5/6'] : ['on_connect']);
    }
  });
});
