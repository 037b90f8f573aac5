import { setTimeout as delay } from 'node:timers/promises';
import { frameTypes, memoryLog, systemClock } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { eventually, within } from '../../../test/support/deadline.ts';
import { type LoopbackPeer, LoopbackServer } from '../../../test/support/loopback-server.ts';
import { EdgePull, type EdgePullOptions, type PullStart } from './edge-pull.ts';
import { OriginPool } from './origin-pool.ts';
import { rtmpUpstream } from './upstream.ts';

const LIMIT_MS = 10_000;
const stream = { vhost: 'cdn.test', app: 'live', name: 's', param: '?token=x' };
const clock = systemClock;
const random = (): number => 0;
const frame = Buffer.of(0x17, 1, 0, 0, 0);

/** What is published here of what was pulled. */
class Published {
  readonly lines: string[] = [];

  readonly open = (ip: string): PullStart => {
    this.lines.push(`begin ${ip}`);
    const sink = {
      write: (_type: unknown, timestampMs: number) => void this.lines.push(`${timestampMs}`),
      flush: () => {},
      end: () => void this.lines.push('end'),
    };
    return { sink };
  };

  async have(...lines: readonly string[]): Promise<void> {
    await eventually(
      () => lines.every((line) => this.lines.includes(line)),
      LIMIT_MS,
      () => `no ${lines.join(', ')} in ${this.lines.join(', ')}`,
    );
  }

  /** A key frame of an origin arrives here. */
  async haveFrame(origin: LoopbackPeer, timestampMs: number): Promise<void> {
    origin.sendFrame(frameTypes.video, timestampMs, frame);
    await this.have(`${timestampMs}`);
  }
}

function pull(published: Published, ports: readonly number[], changes: Partial<EdgePullOptions> = {}) {
  const log = memoryLog();
  const started = new EdgePull({
    stream,
    upstream: rtmpUpstream(stream, undefined),
    origins: () => Promise.resolve(ports.map((port) => ({ host: '127.0.0.1', port }))),
    pool: new OriginPool({ clock, random }),
    showsIdentity: false,
    open: published.open,
    clock,
    log,
    random,
    ...changes,
  });
  return { pull: started, log };
}

/** The nth connection to an origin, which wants the stream. */
async function askedToPlay(origin: LoopbackServer, index = 0): Promise<LoopbackPeer> {
  const peer = await within(origin.peer(index), LIMIT_MS, () => `no connection number ${index}`);
  await within(peer.requestCount(2), LIMIT_MS, () => 'not asked to play');
  return peer;
}

async function reach(pulled: EdgePull, state: EdgePull['view']['state']): Promise<void> {
  await eventually(
    () => pulled.view.state === state,
    LIMIT_MS,
    () => `${state}: it is ${pulled.view.state}`,
  );
}

describe.concurrent('a pull', () => {
  it('asks for the stream under its names, and begins when media comes', async () => {
    await using origin = await LoopbackServer.start();
    const published = new Published();
    const { pull: pulled } = pull(published, [origin.port]);
    const peer = await origin.peer();
    await reach(pulled, 'connected');
    expect(peer.requests).toEqual([`connect rtmp://cdn.test:${origin.port}/live live`, 'play s?token=x']);
    expect(published.lines).toEqual([]);
    peer.sendFrame(frameTypes.video, 40, frame);
    await published.haveFrame(peer, 80);
    expect(published.lines).toEqual(['begin 127.0.0.1', '40', '80']);
    expect(pulled.view).toMatchObject({ state: 'pulling', protocol: 'rtmp', starts: 1, origin: `127.0.0.1:${origin.port}` });
    await pulled.close();
    await peer.closed();
    expect(published.lines.at(-1)).toBe('end');
    expect(pulled.view.state).toBe('closed');
  });

  it('goes where its origin sends it in the middle, and the configured one is not blamed', async () => {
    await using first = await LoopbackServer.start();
    await using second = await LoopbackServer.start();
    const published = new Published();
    const { pull: pulled, log } = pull(published, [first.port]);
    const peer = await first.peer();
    await reach(pulled, 'connected');
    await published.haveFrame(peer, 40);
    peer.session.redirect({ tcUrl: second.url('live'), url: second.url('live/s?token=x') });
    const next = await askedToPlay(second);
    await published.haveFrame(next, 80);
    expect(published.lines).toEqual(['begin 127.0.0.1', '40', 'end', 'begin 127.0.0.1', '80']);
    expect(log.lines.map(({ text }) => text).join('\n')).toContain(`sends its clients to 127.0.0.1:${second.port}`);
    await pulled.close();
  });

  it('goes to the next origin at once when one breaks off', async () => {
    await using first = await LoopbackServer.start();
    await using second = await LoopbackServer.start();
    const published = new Published();
    const { pull: pulled } = pull(published, [first.port, second.port]);
    const peer = await askedToPlay(first);
    await published.haveFrame(peer, 40);
    const brokenMs = performance.now();
    peer.socket.destroy();
    const other = await askedToPlay(second);
    expect(performance.now() - brokenMs).toBeLessThan(1000);
    await published.haveFrame(other, 60);
    expect(published.lines).toEqual(['begin 127.0.0.1', '40', 'end', 'begin 127.0.0.1', '60']);
    await pulled.close();
  });

  it('goes to the next origin within 3 s when one falls silent, or has nothing', async () => {
    await using silent = await LoopbackServer.start();
    await using second = await LoopbackServer.start();
    const published = new Published();
    const { pull: pulled, log } = pull(published, [silent.port, second.port]);
    const startMs = performance.now();
    const other = await second.peer();
    expect(performance.now() - startMs).toBeLessThan(3000);
    expect(log.lines.map(({ text }) => text).join('\n')).toContain(`127.0.0.1:${silent.port}: nobody publishes the stream there`);
    await within(other.requestCount(2), LIMIT_MS, () => 'not asked to play');
    other.sendFrame(frameTypes.video, 60, frame);
    await published.have('end');
    await eventually(
      () => log.lines.some(({ text }) => text.endsWith(`127.0.0.1:${second.port}: silent for 2 s`)),
      LIMIT_MS,
      () => pulled.view.lastError,
    );
    await pulled.close();
  });

  it('leaves the turn of the next origin to the next pull when who waits gives up first', async () => {
    await using silent = await LoopbackServer.start();
    await using second = await LoopbackServer.start();
    const published = new Published();
    let aheadMs = 0;
    const ahead = { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs };
    const pool = new OriginPool({ clock: ahead, random });
    const { pull: first } = pull(published, [silent.port, second.port], { clock: ahead, pool });
    const peer = await askedToPlay(silent);
    await published.haveFrame(peer, 40);
    // Soon after a picture: it is the origin to come back to.
    await first.close();
    const { pull: again } = pull(published, [silent.port, second.port], { clock: ahead, pool });
    await silent.peer(1);
    await reach(again, 'connected');
    // Less than its patience: whoever waits for the stream has less.
    aheadMs += 1_500;
    await again.close();
    const { pull: last } = pull(published, [silent.port, second.port], { clock: ahead, pool });
    await second.peer();
    await last.close();
    expect(silent.connectionCount).toBe(0);
  });

  it('asks an only origin that has nothing again and again, without a pause', async () => {
    await using origin = await LoopbackServer.start();
    const { pull: pulled } = pull(new Published(), [origin.port]);
    await origin.peer();
    const startMs = performance.now();
    await origin.peer(1);
    expect(performance.now() - startMs).toBeLessThan(2_500);
    await pulled.close();
  });

  it('does not wait for the farewell of an origin that is silent', async () => {
    await using silent = await LoopbackServer.start();
    await using second = await LoopbackServer.start();
    const published = new Published();
    const { pull: pulled } = pull(published, [silent.port, second.port]);
    const peer = await askedToPlay(silent);
    await published.haveFrame(peer, 40);
    // As behind a cable that is cut: it does not even see that the other side closes.
    peer.socket.pause();
    const silentMs = performance.now();
    await second.peer();
    expect(performance.now() - silentMs).toBeLessThan(3000);
    expect(published.lines).toEqual(['begin 127.0.0.1', '40', 'end']);
    await pulled.close();
  });

  it('stays with an origin whose frames take long to come', async () => {
    await using slow = await LoopbackServer.start();
    await using second = await LoopbackServer.start();
    const published = new Published();
    const { pull: pulled } = pull(published, [slow.port, second.port]);
    const peer = await askedToPlay(slow);
    peer.sendFrame(frameTypes.video, 40, frame);
    const big = peer.encodeFrame(frameTypes.video, 80, Buffer.alloc(60_000, frame));
    const pieceBytes = Math.ceil(big.length / 6);
    for (let at = 0; at < big.length; at += pieceBytes) {
      peer.socket.write(big.subarray(at, at + pieceBytes));
      await delay(500);
    }
    await published.have('80');
    expect(published.lines).toEqual(['begin 127.0.0.1', '40', '80']);
    await pulled.close();
  });

  it('leaves an origin that cannot be reached alone for a while', async () => {
    await using origin = await LoopbackServer.start();
    const published = new Published();
    let aheadMs = 0;
    const ahead = { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs };
    const pool = new OriginPool({ clock: ahead, random });
    const { pull: pulled, log } = pull(published, [1, origin.port], { clock: ahead, pool });
    const peer = await askedToPlay(origin);
    await published.haveFrame(peer, 40);
    // Long enough to be no failure.
    aheadMs += 600;
    await published.haveFrame(peer, 640);
    peer.socket.destroy();
    // The one that rests is passed over.
    await askedToPlay(origin, 1);
    expect(log.lines.filter(({ text }) => text.includes('127.0.0.1:1:'))).toHaveLength(1);
    await pulled.close();
  });

  it('takes its time with an origin that breaks off as soon as it has begun', async () => {
    await using origin = await LoopbackServer.start({
      answer: (request, peer) => {
        peer.accept(request);
        if (request !== 'play') return;
        peer.sendFrame(frameTypes.video, 40, frame);
        peer.socket.end();
      },
    });
    const published = new Published();
    const { pull: pulled } = pull(published, [origin.port]);
    await reach(pulled, 'waiting');
    expect(pulled.view.starts).toBe(1);
    await pulled.close();
  });

  it('waits when the stream cannot begin here, and holds that against no origin', async () => {
    await using origin = await LoopbackServer.start();
    const published = new Published();
    let starts = 0;
    const open = (ip: string): PullStart => {
      starts += 1;
      return starts === 1 ? { refusal: 'there is no memory' } : published.open(ip);
    };
    const pool = new OriginPool({ clock, random });
    const { pull: pulled, log } = pull(published, [origin.port], { open, pool });
    const peer = await askedToPlay(origin);
    peer.sendFrame(frameTypes.video, 40, frame);
    await reach(pulled, 'waiting');
    expect(log.lines.map(({ text }) => text)).toContain('edge pull of live/s: it cannot begin here: there is no memory');
    expect(pulled.view.starts).toBe(0);
    const here = { host: '127.0.0.1', port: origin.port };
    expect(pool.next('live/s', [here, { host: '127.0.0.1', port: 1 }])).toEqual(here);
    const again = await askedToPlay(origin, 1);
    await published.haveFrame(again, 60);
    await pulled.close();
  });

  it('asks anew where the stream is when nobody could tell', async () => {
    await using origin = await LoopbackServer.start();
    const published = new Published();
    const answers = [() => Promise.reject(new Error('no registry')), () => Promise.resolve([])];
    const { pull: pulled, log } = pull(published, [], {
      origins: () => answers.shift()?.() ?? Promise.resolve([{ host: '127.0.0.1', port: origin.port }]),
    });
    await origin.peer();
    expect(log.lines.map(({ text }) => text)).toContain('edge pull of live/s: cannot tell where it is: no registry');
    await pulled.close();
  });

  it('can be closed while it is not told where the stream is', async () => {
    let given: AbortSignal | undefined;
    const { pull: pulled } = pull(new Published(), [], {
      origins: (signal) => {
        given = signal;
        return new Promise(() => {});
      },
    });
    await pulled.close();
    expect(given?.aborted).toBe(true);
  });

  it('can be closed while it connects, while it waits, and with nowhere to go', async () => {
    const published = new Published();
    await using deaf = await LoopbackServer.start({ onSocket: (socket) => void socket.resume() });
    const connecting = pull(published, [deaf.port]).pull;
    await eventually(
      () => deaf.connectionCount === 1,
      LIMIT_MS,
      () => 'not connected',
    );
    await connecting.close();
    const waiting = pull(published, [1]).pull;
    await reach(waiting, 'waiting');
    await waiting.close();
    await pull(published, []).pull.close();
    expect(published.lines).toEqual([]);
    await eventually(
      () => deaf.connectionCount === 0,
      LIMIT_MS,
      () => 'a connection is left',
    );
  });
});
