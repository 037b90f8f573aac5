import type { OutputAnswer, OutputRequest } from '@srs/stream';
import { expect, it } from 'vitest';
import { OutputCache } from './output-cache.ts';

const answerOf = (bytes: number, maxAgeSeconds: number): OutputAnswer => ({
  status: 200,
  contentType: 'video/mp2t',
  body: Buffer.alloc(bytes, 1),
  maxAgeSeconds,
});

function setUp(maxBytes = 1000) {
  const asked: OutputRequest[] = [];
  const open = new Map<string, PromiseWithResolvers<OutputAnswer>>();
  let nowMs = 0;
  const cache = new OutputCache({
    ask: (request) => {
      asked.push(request);
      const deferred = Promise.withResolvers<OutputAnswer>();
      open.set(request.path, deferred);
      return deferred.promise;
    },
    nowMs: () => nowMs,
    maxBytes,
  });
  const get = (path: string, signal = new AbortController().signal): Promise<OutputAnswer> =>
    cache.get({ vhost: 'v', path, query: '', signal });
  return {
    asked,
    cache,
    get,
    answer: (path: string, answer: OutputAnswer) => open.get(path)?.resolve(answer),
    fail: (path: string) => open.get(path)?.reject(new Error('gone')),
    advance: (ms: number) => {
      nowMs += ms;
    },
  };
}

it('those who ask the same are one question, and get the same bytes', async () => {
  const { asked, get, answer } = setUp();
  const all = Array.from({ length: 100 }, () => get('a.ts'));
  answer('a.ts', answerOf(10, 60));
  const answers = await Promise.all(all);
  expect(asked).toHaveLength(1);
  expect(new Set(answers).size).toBe(1);
  expect(await get('a.ts')).toBe(answers[0]);
  expect(asked).toHaveLength(1);
});

it('what may change is asked for again, and what has become old', async () => {
  const { asked, get, answer, advance } = setUp();
  for (const age of [0, 2]) {
    const path = `${age}.m3u8`;
    const first = get(path);
    answer(path, answerOf(10, age));
    await first;
    advance(age * 1000);
    const second = get(path);
    answer(path, answerOf(11, age));
    expect(await second).toMatchObject({ body: Buffer.alloc(11, 1) });
  }
  expect(asked).toHaveLength(4);
});

it('keeps no more bytes than it may, and lets go of what was used longest ago', async () => {
  const { asked, cache, get, answer } = setUp(1000);
  const fetch = async (path: string, bytes = 400): Promise<void> => {
    const got = get(path);
    answer(path, answerOf(bytes, 60));
    await got;
  };
  await fetch('a');
  await fetch('b');
  await get('a');
  await fetch('c');
  expect(cache.keptBytes).toBe(800);
  await get('a');
  expect(asked.map(({ path }) => path)).toEqual(['a', 'b', 'c']);
  await fetch('b');
  expect(asked.map(({ path }) => path)).toEqual(['a', 'b', 'c', 'b']);
  await fetch('larger than all', 1001);
  expect(cache.keptBytes).toBeLessThanOrEqual(1000);
  await fetch('larger than all', 1001);
  expect(asked).toHaveLength(6);
});

it('a question is given up when the last who waits for it has gone, and not before', async () => {
  const { asked, get } = setUp();
  const [one, other] = [new AbortController(), new AbortController()];
  const waiting = [get('a', one.signal), get('a', other.signal)].map((each) => each.catch((error: Error) => error.message));
  one.abort();
  expect(await waiting[0]).toBe('the viewer has gone');
  expect(asked[0]?.signal.aborted).toBe(false);
  other.abort();
  expect(await waiting[1]).toBe('the viewer has gone');
  expect(asked[0]?.signal.aborted).toBe(true);
});

it('who comes after that asks anew', async () => {
  const { asked, get, answer } = setUp();
  const gone = new AbortController();
  gone.abort();
  await expect(get('a', gone.signal)).rejects.toThrow('the viewer has gone');
  const later = get('a');
  answer('a', answerOf(1, 1));
  expect(await later).toMatchObject({ status: 200 });
  expect(asked).toHaveLength(2);
});

it('a refusal and a failure are told to all who wait, and forgotten', async () => {
  const { asked, get, answer, fail } = setUp();
  const refused = [get('a'), get('a')];
  answer('a', { status: 404, reason: 'none' });
  expect(await Promise.all(refused)).toMatchObject([{ status: 404 }, { status: 404 }]);
  const failed = [get('a'), get('a')];
  fail('a');
  for (const each of failed) await expect(each).rejects.toThrow('gone');
  void get('a').catch(() => {});
  expect(asked).toHaveLength(3);
});
