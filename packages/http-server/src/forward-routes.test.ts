import { expect, it } from 'vitest';
import { streamIdOf } from './api-rows.ts';
import { type Answer, pushOf, streamOf, TestApi } from './api-test-support.ts';
import type { ForwardOutcome } from './server-view.ts';

const streams = [
  streamOf('__defaultVhost__/live/one', {
    pushes: [pushOf('10.0.0.7:1935', { state: 'waiting', lastError: 'refused' }), pushOf('10.0.0.8:1935', { source: 'api' })],
  }),
  streamOf('a.com/live/one', { pushes: [pushOf('10.0.0.9:1935', { kind: 'edge push' })] }),
  streamOf('a.com/live/two', { pushes: [pushOf('10.0.0.9:1935')] }),
  streamOf('a.com/live/plain'),
  streamOf('a.com/live/played', { publisher: null }),
];

const post = (body: unknown) => ({ method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) });
const one = { app: 'live', stream: 'one' };
const places = ({ body }: Answer) =>
  (body as { forwards: { url: string; destination: string }[] }).forwards.map(({ url, destination }) => `${url} ${destination}`);

it('tells every destination of every stream, or of those that are asked for', async () => {
  await using api = await TestApi.start({ streams });
  const asked = async (query: string) => places(await api.ask(`/api/v1/forwards${query}`));
  const ofDefault = ['/live/one 10.0.0.7:1935', '/live/one 10.0.0.8:1935'];
  const ofOther = ['a.com/live/one 10.0.0.9:1935', 'a.com/live/two 10.0.0.9:1935'];
  expect(await asked('')).toEqual([...ofDefault, ...ofOther]);
  expect(await asked('?vhost=a.com')).toEqual(ofOther);
  expect(await asked('?stream=one')).toEqual([...ofDefault, ofOther[0]]);
  expect(await asked('?vhost=a.com&stream=two')).toEqual([ofOther[1]]);
  expect(await asked(`?stream=${streamIdOf('a.com/live/one')}`)).toEqual([ofOther[0]]);
  const { body } = await api.ask('/api/v1/forwards?vhost=a.com');
  const { vhost } = (body as { forwards: { vhost: string }[] }).forwards[0]!;
  expect(await asked(`?vhost=${vhost}`)).toEqual(ofOther);
  expect(await asked('?vhost=nothing')).toEqual([]);
  expect((await api.ask('/api/v1/forwards?start=3')).body).toMatchObject({
    total: 4,
    start: 3,
    count: 1,
    forwards: { length: 1 },
  });
  expect((await api.ask('/api/v1/forwards')).body).toMatchObject({
    forwards: [
      {
        stream: streamIdOf('__defaultVhost__/live/one'),
        kind: 'forward',
        source: 'config',
        state: 'waiting',
        connects: 2,
        sent_frames: 3,
        sent_bytes: 4,
        dropped_frames: 5,
        last_error: 'refused',
      },
      { source: 'api' },
      { kind: 'edge push' },
      {},
    ],
  });
});

it('adds a destination, and says when it is there already', async () => {
  await using api = await TestApi.start({ streams });
  const add = (body: unknown) => api.ask('/api/v1/forwards', post(body));
  expect(await add({ ...one, destination: 'rtmp://x/y/z?key=k' })).toMatchObject({ status: 200, body: { code: 0, added: true } });
  expect(await add({ ...one, vhost: 'a.com', destination: '10.0.0.1' })).toMatchObject({ status: 200, body: { added: true } });
  expect(await add({ ...one, destination: '10.0.0.8:1935' })).toMatchObject({ status: 200, body: { added: false } });
  expect(api.deeds.forwards).toEqual([
    ['add', '__defaultVhost__/live/one', 'rtmp://x/y/z?key=k'],
    ['add', 'a.com/live/one', '10.0.0.1'],
  ]);
  expect(api.log.lines.map(({ text }) => text).join()).not.toContain('key=k');
});

it('removes what was added, and nothing else', async () => {
  await using api = await TestApi.start({ streams });
  const remove = (destination: string, more = '') =>
    api.ask(`/api/v1/forwards?app=live&stream=one${more}&destination=${destination}`, { method: 'DELETE' });
  expect(await remove('10.0.0.8:1935')).toMatchObject({ status: 200, body: { code: 0 } });
  for (const refused of [await remove('10.0.0.7:1935'), await remove('10.0.0.8:1935', '&vhost=a.com')]) {
    expect(refused).toMatchObject({ status: 404, body: { code: 2048 } });
  }
  expect((await remove('10.0.0.7:1935')).body).toMatchObject({
    data: { error: 'added destination of stream "__defaultVhost__/live/one" is not there' },
  });
  expect(api.deeds.forwards).toEqual([['remove', '__defaultVhost__/live/one', '10.0.0.8:1935']]);
});

it.each([
  ['no stream', 404, 2048, 'publisher of stream "__defaultVhost__/live/one" is not there'],
  ['malformed', 400, 3011, 'the reason'],
  ['own server', 400, 3011, 'the reason'],
  ['too many', 409, 3011, 'the reason'],
] as const)('a destination that is refused because of %s has status %d', async (reason, status, code, error) => {
  const found: ForwardOutcome = { reason, text: 'the reason' };
  await using api = await TestApi.start({ view: { addForward: async () => ({ found, silent: [] }) } });
  expect(await api.ask('/api/v1/forwards', post({ ...one, destination: 'x' }))).toMatchObject({
    status,
    body: { code, data: { error } },
  });
});

it('a stream that may be on a silent worker is told to be missing as far as can be told', async () => {
  const silent = [{ slot: 0, role: 'back-source', pid: 1000, problem: 'no answer within 5000 ms' }];
  const found: ForwardOutcome = { reason: 'no stream', text: '' };
  await using api = await TestApi.start({ view: { addForward: async () => ({ found, silent }) } });
  expect((await api.ask('/api/v1/forwards', post({ ...one, destination: 'x' }))).body).toMatchObject({
    data: { error: expect.stringContaining('without worker 0, which does not answer') as string },
  });
});

it.each([
  ['', 'the body must be object'],
  ['{ no json', 'the body must be JSON'],
  ['[]', 'the body must be object'],
  ['null', 'the body must be object'],
  [{}, 'the body must have required property'],
  [{ ...one }, "the body must have required property 'destination'"],
  [{ ...one, destination: '' }, 'destination "" must NOT have fewer than 1 characters'],
  [{ ...one, destination: { a: 1 } }, 'destination {"a":1} must be string'],
  [{ ...one, app: 'x'.repeat(1025), destination: 'x' }, 'app "xxx'],
])('a body of %j is refused: %s', async (body, error) => {
  await using api = await TestApi.start({ streams });
  expect(await api.ask('/api/v1/forwards', post(body))).toMatchObject({
    status: 400,
    body: { code: 3011, data: { error: expect.stringContaining(error) as string } },
  });
  expect(api.deeds.forwards).toEqual([]);
});

it('a query that names no destination is refused', async () => {
  await using api = await TestApi.start({ streams });
  const { status, body } = await api.ask('/api/v1/forwards?app=live&stream=one', { method: 'DELETE' });
  expect([status, body]).toMatchObject([400, { data: { error: "the query must have required property 'destination'" } }]);
});
