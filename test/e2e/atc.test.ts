/** With `atc`, a frame has the time that the encoder gave it, on whichever server and through whatever is lost. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RtmpPlayer } from '@srs/client';
import { FlvReader } from '@srs/flv';
import { TIMESTAMP_MASK } from '@srs/kernel';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../support/deadline.ts';
import { ServerProcess } from '../support/server-process.ts';
import { LivePublisher } from './live-client-test-support.ts';
import { StampedSource } from './stamped-media-test-support.ts';

const LIMIT_MS = 15_000;
const STREAM = 'live/atc';
const PACKET_TYPE = 1;
const PICTURES_LOST = 15;
/** The timestamps of the encoder pass 31 bits in the test. */
const FIRST_MS = 2 ** 31 - 3000;

/** The number of a frame stands in its payload, so that frames with equal bytes are the same frame. */
type Times = Map<string, Set<number>>;

function note(times: Times, timestampMs: number, payload: Buffer): void {
  if (payload[1] !== PACKET_TYPE) return;
  const key = payload.toString('latin1');
  times.set(key, (times.get(key) ?? new Set()).add(timestampMs & TIMESTAMP_MASK));
}

/** What the encoder has made, and when. */
function encoderTimes(pictures: number): ReadonlyMap<string, number> {
  const source = new StampedSource(STREAM, { firstTimestampMs: FIRST_MS });
  const frames = Array.from({ length: pictures }, () => source.nextPicture()).flat();
  return new Map(frames.map(({ payload, timestampMs }) => [payload.toString('latin1'), timestampMs & TIMESTAMP_MASK]));
}

/** A connection of the encoder. @param pictures that it has made before */
async function connectEncoder(server: ServerProcess, pictures: number): Promise<LivePublisher> {
  const publisher = await LivePublisher.open(server, STREAM, { firstTimestampMs: FIRST_MS });
  for (let count = 0; count < pictures; count++) publisher.source.nextPicture();
  publisher.sendHeaders();
  publisher.play();
  return publisher;
}

const picturesOf = ({ source }: LivePublisher): number => source.sequence / 3;

class Viewer {
  readonly times: Times = new Map();
  frames = 0;
  #close: () => unknown = () => {};

  static async rtmp(server: ServerProcess): Promise<Viewer> {
    const viewer = new Viewer();
    const player = await RtmpPlayer.open(server.url(STREAM), {
      onFrame: (type, timestampMs, payload) => type !== 18 && viewer.#note(timestampMs, payload),
    });
    viewer.#close = () => player.close();
    return viewer;
  }

  static async flv({ place }: ServerProcess): Promise<Viewer> {
    const viewer = new Viewer();
    const leaving = new AbortController();
    viewer.#close = () => leaving.abort();
    const reader = new FlvReader({
      onTag: (type, timestampMs, payload) => type !== 18 && viewer.#note(timestampMs, payload),
    });
    const response = await fetch(`http://${place.host}:${place.httpServerPort}/${STREAM}.flv`, { signal: leaving.signal });
    void response
      .body!.pipeTo(new WritableStream<Uint8Array>({ write: (bytes) => reader.receive(Buffer.from(bytes)) }))
      .catch(() => {});
    return viewer;
  }

  async waitForFrames(count: number): Promise<void> {
    const wanted = this.frames + count;
    await eventually(
      () => this.frames >= wanted,
      LIMIT_MS,
      () => `${this.frames} frames of ${wanted}`,
    );
  }

  async close(): Promise<void> {
    await this.#close();
  }

  #note(timestampMs: number, payload: Buffer): void {
    this.frames += 1;
    note(this.times, timestampMs, payload);
  }
}

function recordedTimes({ place }: ServerProcess): Times {
  const times: Times = new Map();
  for (const name of readdirSync(join(place.directory, 'rec/live')).filter((name) => name.endsWith('.flv'))) {
    const reader = new FlvReader({ onTag: (type, timestampMs, payload) => type !== 18 && note(times, timestampMs, payload) });
    reader.receive(readFileSync(join(place.directory, 'rec/live', name)));
  }
  return times;
}

let one: ServerProcess;
let other: ServerProcess;
let edge: ServerProcess;

beforeAll(async () => {
  const origin = {
    workers: 'mode single;',
    top: ({ httpServerPort }: ServerProcess['place']) => `http_server { enabled on; listen ${httpServerPort}; dir ./objs; }`,
    vhost: ({ directory }: ServerProcess['place']) =>
      `atc on; http_remux { enabled on; } dvr { enabled on; dvr_path ${directory}/rec; time_jitter off; }`,
  };
  [one, other] = await Promise.all([ServerProcess.start(origin), ServerProcess.start(origin)]);
  const origins = [one, other].map(({ place }) => `${place.host}:${place.rtmpPort}`).join(' ');
  edge = await ServerProcess.start({ workers: 'mode single;', vhost: `atc on; mode remote; origin ${origins};` });
});

afterAll(async () => {
  for (const server of [edge, one, other]) await server?.stop();
});

it('the same frame has the same time for all viewers and recordings, when connections break, a server dies, and an edge goes to the other', {
  timeout: 40_000,
}, async () => {
  const toOne = await connectEncoder(one, 0);
  let toOther = await connectEncoder(other, 0);
  const viewers = {
    'rtmp of one': await Viewer.rtmp(one),
    'rtmp of the other': await Viewer.rtmp(other),
    'flv of one': await Viewer.flv(one),
    'flv of the other': await Viewer.flv(other),
    edge: await Viewer.rtmp(edge),
  };
  await Promise.all(Object.values(viewers).map((viewer) => viewer.waitForFrames(100)));

  // The encoder's connection to the other one is lost for a while.
  const pictures = picturesOf(toOther);
  toOther.close();
  toOther = await connectEncoder(other, pictures + PICTURES_LOST);
  await Promise.all([viewers['rtmp of the other'].waitForFrames(60), viewers.edge.waitForFrames(30)]);

  // The one dies; the edge goes to the other.
  const before = picturesOf(toOne);
  toOne.close();
  await one.restart('SIGKILL');
  const again = await connectEncoder(one, before + PICTURES_LOST);
  const joined = { ...viewers, 'rtmp of one, started again': await Viewer.rtmp(one) };
  await Promise.all([joined.edge, joined['rtmp of one, started again']].map((viewer) => viewer.waitForFrames(100)));

  const last = Math.max(picturesOf(again), picturesOf(toOther));
  for (const client of [again, toOther]) client.leave();
  for (const viewer of Object.values(joined)) await viewer.close();
  await eventually(
    () => recordedTimes(other).size > 300 && recordedTimes(one).size > 0,
    LIMIT_MS,
    () => 'the recordings are not complete',
  );

  const expected = encoderTimes(last);
  const seen: readonly (readonly [string, Times])[] = [
    ...Object.entries(joined).map(([name, { times }]) => [name, times] as const),
    ['recording of one', recordedTimes(one)],
    ['recording of the other', recordedTimes(other)],
  ];
  for (const [name, times] of seen) {
    const wrong = [...times].filter(([key, all]) => all.size !== 1 || !all.has(expected.get(key) ?? -1));
    expect([name, wrong.map(([, all]) => [...all])]).toEqual([name, []]);
    expect([name, times.size > 90]).toEqual([name, true]);
  }
  const wrapped = [...joined.edge.times.values()].filter((all) => [...all].every((timestampMs) => timestampMs < 60_000));
  expect(wrapped.length).toBeGreaterThan(0);
});
