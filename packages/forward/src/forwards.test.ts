import { isDeepStrictEqual } from 'node:util';
import { AmfObject } from '@srs/amf';
import { type Config, forwardDestinationAllowed, loadConfig } from '@srs/config';
import { frameTypes, memoryLog, systemClock } from '@srs/kernel';
import type { Feature, FrameConsumer, OutputStream } from '@srs/stream';
import { describe, expect, it } from 'vitest';
import { eventually } from '../../../test/support/deadline.ts';
import { LoopbackServer } from '../../../test/support/loopback-server.ts';
import { Forwards } from './forwards.ts';

const STREAM = '__defaultVhost__/live/s';
const OTHER = '__defaultVhost__/live/other';
const OWN_PORT = 1;
const LIMIT_MS = 10_000;

/** Opens and ends what is wanted of the streams that are published, as the server does. */
class Publishes {
  readonly log = memoryLog();
  /** What the backend was asked. */
  readonly questions: {
    readonly asked: string;
    readonly answer: (urls: readonly string[]) => void;
    readonly fail: (reason: Error) => void;
  }[] = [];
  readonly forwards = new Forwards({
    clock: systemClock,
    random: () => 0,
    identity: () => AmfObject.object({}),
    instanceId: 'test',
    isOwn: ({ port }) => port === OWN_PORT,
    log: this.log,
    askBackend: (url, streamId) => {
      const { promise, resolve, reject } = Promise.withResolvers<readonly string[]>();
      this.questions.push({ asked: `${url} ${streamId}`, answer: resolve, fail: reject });
      return promise;
    },
    reselect: (streamId) => this.#reselect(streamId),
  });
  readonly #running = new Map<string, Map<Feature, FrameConsumer | undefined>>();
  #config: Config;

  constructor(forward = '') {
    this.#config = configOf(forward);
  }

  publish(streamId: string): void {
    this.#running.set(streamId, new Map());
    this.#reselect(streamId);
  }

  async unpublish(streamId: string): Promise<void> {
    const running = this.#running.get(streamId);
    this.#running.delete(streamId);
    this.forwards.forget(streamId);
    for (const consumer of running?.values() ?? []) await consumer?.onEnd('unpublished');
  }

  reload(forward: string): void {
    this.#config = configOf(forward);
    for (const streamId of this.#running.keys()) this.#reselect(streamId);
  }

  /** All destinations get a frame, and are too slow for so many more. */
  lose(streamId: string, frames: number): void {
    for (const consumer of this.#running.get(streamId)?.values() ?? []) {
      consumer?.onFrame(frameTypes.video, 0, 0, systemClock.wallMs(), Buffer.of(0x17, 1, 0, 0, 0));
      consumer?.onGap(frames);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(Array.from(this.#running.keys(), (streamId) => this.unpublish(streamId)));
  }

  /** What runs, in the order of its opening. */
  shown(streamId = STREAM): readonly string[] {
    const views = this.forwards.views().filter((view) => view.streamId === streamId && view.state !== 'closed');
    return views.map(({ source, destination }) => `${source} ${destination}`);
  }

  async shows(rows: readonly string[]): Promise<void> {
    const isShown = (): boolean => isDeepStrictEqual(this.shown(), rows);
    await eventually(isShown, LIMIT_MS, () => `it shows ${this.shown().join(', ')}`);
  }

  #reselect(streamId: string): boolean {
    const running = this.#running.get(streamId);
    if (running === undefined) return false;
    const vhost = this.#config.vhosts.get('__defaultVhost__')!;
    const wanted = this.forwards.of(vhost, streamId);
    for (const [feature, consumer] of running) {
      if (wanted.includes(feature)) continue;
      running.delete(feature);
      void consumer?.onEnd('reconfigured');
    }
    for (const feature of wanted) {
      const section = feature.select(vhost, streamId);
      if (section === null || running.has(feature)) continue;
      running.set(feature, feature.open(this.#describe(streamId), section));
    }
    return true;
  }

  #describe(streamId: string): OutputStream {
    return {
      streamId,
      vhost: this.#config.vhosts.get('__defaultVhost__')!,
      app: 'live',
      name: streamId.split('/').at(-1)!,
      publisher: { slot: 0, pid: 1, cid: 100, ip: '127.0.0.1' },
      param: '?token=x',
      isPulled: false,
      hops: [],
      log: memoryLog(),
      dismissPublisher: () => {},
      resume: () => {},
    };
  }
}

function configOf(forward: string): Config {
  return loadConfig(`listen 1935; vhost __defaultVhost__ { ${forward} }`, { fileName: 'test.conf', env: {} }).config;
}

describe('what has been counted', () => {
  it('stays when a destination is removed and when a publish ends, each kind for itself', async () => {
    await using server = await LoopbackServer.start();
    await using publishes = new Publishes();
    publishes.publish(STREAM);
    publishes.forwards.add(STREAM, server.url('live/a'));
    await eventually(
      () => publishes.forwards.counts().forward.sentBytes > 0 && publishes.forwards.views()[0]?.state === 'publishing',
      LIMIT_MS,
      () => `nothing is sent: ${JSON.stringify(publishes.forwards.views())}`,
    );
    publishes.lose(STREAM, 7);
    const { sentBytes } = publishes.forwards.counts().forward;
    expect(publishes.forwards.counts()).toEqual({
      forward: { reconnects: 0, sentBytes, droppedFrames: 7 },
      'edge push': { reconnects: 0, sentBytes: 0, droppedFrames: 0 },
    });
    publishes.forwards.remove(STREAM, server.url('live/a'));
    expect(publishes.forwards.counts().forward.sentBytes).toBeGreaterThanOrEqual(sentBytes);
    await eventually(
      () => publishes.forwards.views().length === 0,
      LIMIT_MS,
      () => 'it does not end',
    );
    // The farewell has been sent.
    const { forward } = publishes.forwards.counts();
    expect(forward).toMatchObject({ reconnects: 0, droppedFrames: 7 });
    expect(forward.sentBytes).toBeGreaterThanOrEqual(sentBytes);
    await publishes.unpublish(STREAM);
    expect(publishes.forwards.counts().forward).toEqual(forward);
  });

  it('is a reconnect when a server takes a stream again', async () => {
    await using server = await LoopbackServer.start();
    await using publishes = new Publishes();
    publishes.publish(STREAM);
    publishes.forwards.add(STREAM, server.url('live/a'));
    const peer = await server.peer();
    const connects = () => publishes.forwards.views()[0]?.connects;
    await eventually(
      () => connects() === 1,
      LIMIT_MS,
      () => 'it does not connect',
    );
    peer.socket.destroy();
    await server.peer(1);
    await eventually(
      () => connects() === 2,
      LIMIT_MS,
      () => 'it does not connect again',
    );
    expect(publishes.forwards.counts().forward.reconnects).toBe(1);
  });
});

describe('a destination that is added', () => {
  it('gets the stream under the name that its URL says', async () => {
    await using server = await LoopbackServer.start();
    await using publishes = new Publishes();
    publishes.publish(STREAM);
    expect(publishes.forwards.add(STREAM, server.url('up/[stream]-2?key=abc'))).toBe('added');
    const peer = await server.peer();
    await eventually(
      () => publishes.forwards.views()[0]?.state === 'publishing',
      LIMIT_MS,
      () => `it is not published: ${JSON.stringify(publishes.forwards.views())}`,
    );
    expect(peer.requests).toEqual([`connect ${server.url('up')} up`, 'publish s-2?key=abc']);
    expect(publishes.shown()).toEqual([`api ${server.url('up/[stream]-2?key=***')}`]);
  });

  it('is there once, however often it is asked for', async () => {
    await using publishes = new Publishes('forward 127.0.0.1:2;');
    publishes.publish(STREAM);
    expect(publishes.forwards.add(STREAM, '127.0.0.1:3')).toBe('added');
    expect(publishes.forwards.add(STREAM, '127.0.0.1:3')).toBe('already');
    expect(publishes.forwards.add(STREAM, '127.0.0.1:2')).toBe('already');
    expect(publishes.shown()).toEqual(['config 127.0.0.1:2', 'api 127.0.0.1:3']);
  });

  it('stays through a reload, and when the configuration had it for a while', async () => {
    await using publishes = new Publishes('forward 127.0.0.1:2;');
    publishes.publish(STREAM);
    publishes.forwards.add(STREAM, '127.0.0.1:3');
    publishes.reload('forward 127.0.0.1:3;');
    expect(publishes.shown()).toEqual(['config 127.0.0.1:3']);
    publishes.reload('');
    expect(publishes.shown()).toEqual(['api 127.0.0.1:3']);
  });

  it('ends with the publish, and is not there in the next one', async () => {
    await using publishes = new Publishes();
    publishes.publish(STREAM);
    publishes.forwards.add(STREAM, '127.0.0.1:3');
    await publishes.unpublish(STREAM);
    publishes.publish(STREAM);
    expect(publishes.shown()).toEqual([]);
  });

  it('is of one stream only, and is removed by its text or as it is shown', async () => {
    await using publishes = new Publishes('forward 127.0.0.1:2;');
    publishes.publish(STREAM);
    publishes.publish(OTHER);
    const url = 'rtmp://127.0.0.1:3/live/x?key=abc';
    publishes.forwards.add(STREAM, url);
    publishes.forwards.add(OTHER, url);
    expect(publishes.forwards.remove(OTHER, url)).toBe(true);
    expect(publishes.forwards.remove(OTHER, url)).toBe(false);
    expect(publishes.shown(OTHER)).toEqual(['config 127.0.0.1:2']);
    expect(publishes.shown()).toHaveLength(2);
    expect(publishes.forwards.remove(STREAM, 'rtmp://127.0.0.1:3/live/x?key=***')).toBe(true);
    expect(publishes.shown()).toEqual(['config 127.0.0.1:2']);
  });

  it('is not the one of the configuration: that is not removed', async () => {
    await using publishes = new Publishes('forward 127.0.0.1:2;');
    publishes.publish(STREAM);
    expect(publishes.forwards.remove(STREAM, '127.0.0.1:2')).toBe(false);
    expect(publishes.shown()).toEqual(['config 127.0.0.1:2']);
  });

  it('is refused for a reason that names it', async () => {
    await using publishes = new Publishes();
    const { forwards } = publishes;
    expect(forwards.add(STREAM, '127.0.0.1:2')).toEqual({
      reason: 'no stream',
      text: `stream "${STREAM}" is not published here`,
    });
    publishes.publish(STREAM);
    expect(publishes.shown()).toEqual([]);
    expect(forwards.add(STREAM, 'rtmp://a/live?key=abc')).toEqual({
      reason: 'malformed',
      text: `destination "rtmp://a/live?key=***" must be ${forwardDestinationAllowed}`,
    });
    expect(forwards.add(STREAM, 'rtmp://127.0.0.1:1/live/x?key=abc')).toEqual({
      reason: 'own server',
      text: 'destination rtmp://127.0.0.1:1/live/x?key=*** is this server itself, must be another one',
    });
    for (let port = 2; port < 102; port++) expect(forwards.add(STREAM, `127.0.0.1:${port}`)).toBe('added');
    expect(forwards.add(STREAM, '127.0.0.1:102')).toEqual({
      reason: 'too many',
      text: `stream ${STREAM} has 100 added destinations, must be at most 100: 127.0.0.1:102 is not added`,
    });
  });
});

describe('destinations that a backend names', () => {
  const backend = (path: string, more = ''): string => `forward { enabled on; backend http://127.0.0.1:1/${path}; ${more} }`;

  it('get the stream beside those of the configuration, once each', async () => {
    await using publishes = new Publishes(backend('a', 'destination 127.0.0.1:2;'));
    publishes.publish(STREAM);
    expect(publishes.shown()).toEqual(['config 127.0.0.1:2']);
    expect(publishes.questions.map(({ asked }) => asked)).toEqual([`http://127.0.0.1:1/a ${STREAM}`]);
    publishes.questions[0]!.answer(['127.0.0.1:2', 'rtmp://127.0.0.1:3/live/x?key=abc', '127.0.0.1:3']);
    await publishes.shows(['config 127.0.0.1:2', 'backend rtmp://127.0.0.1:3/live/x?key=***', 'backend 127.0.0.1:3']);
    expect(publishes.log.lines).toEqual([]);
  });

  it('are asked for again when there was no answer, which is told once a minute for all streams', async () => {
    await using publishes = new Publishes(backend('a'));
    publishes.publish(STREAM);
    publishes.publish(OTHER);
    for (const { fail } of publishes.questions) fail(new Error('nobody is there'));
    await eventually(
      () => publishes.questions.length === 4,
      LIMIT_MS,
      () => `${publishes.questions.length} questions`,
    );
    publishes.questions[2]!.answer(['127.0.0.1:3']);
    await publishes.shows(['backend 127.0.0.1:3']);
    expect(publishes.log.lines.map(({ level, text }) => `${level}: ${text}`)).toEqual([
      `warn: forward of ${STREAM}: nobody is there; next try in 1000 ms`,
    ]);
  });

  it('are left out where they are none, and the others count', async () => {
    await using publishes = new Publishes(backend('a'));
    publishes.publish(STREAM);
    publishes.questions[0]!.answer(['rtmp://a/live?key=abc', '127.0.0.1:3', 'x y']);
    await publishes.shows(['backend 127.0.0.1:3']);
    expect(publishes.log.lines.map(({ text }) => text)).toEqual([
      `forward of ${STREAM}: the backend names a destination that cannot be: "rtmp://a/live?key=***" must be ${forwardDestinationAllowed}`,
    ]);
  });

  it('stay through a reload; another backend is asked at once, and what the first has named stays until it answers', async () => {
    await using publishes = new Publishes(backend('a'));
    publishes.publish(STREAM);
    publishes.questions[0]!.answer(['127.0.0.1:3', '127.0.0.1:4']);
    await publishes.shows(['backend 127.0.0.1:3', 'backend 127.0.0.1:4']);
    publishes.reload(backend('a', 'destination 127.0.0.1:2;'));
    expect(publishes.questions).toHaveLength(1);
    publishes.reload(backend('b'));
    expect(publishes.questions.map(({ asked }) => asked)).toEqual([
      `http://127.0.0.1:1/a ${STREAM}`,
      `http://127.0.0.1:1/b ${STREAM}`,
    ]);
    expect(publishes.shown()).toEqual(['backend 127.0.0.1:3', 'backend 127.0.0.1:4']);
    publishes.questions[1]!.answer(['127.0.0.1:4']);
    await publishes.shows(['backend 127.0.0.1:4']);
    publishes.reload('');
    expect(publishes.shown()).toEqual([]);
  });

  it('are not begun when the publish is over before the answer', async () => {
    await using publishes = new Publishes(backend('a'));
    publishes.publish(STREAM);
    await publishes.unpublish(STREAM);
    publishes.publish(STREAM);
    publishes.questions[0]!.answer(['127.0.0.1:3']);
    publishes.questions[1]!.answer(['127.0.0.1:4']);
    await publishes.shows(['backend 127.0.0.1:4']);
  });
});
