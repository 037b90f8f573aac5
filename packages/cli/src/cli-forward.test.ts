import type { ForwardOutcome, PushReport } from '@srs/survey';
import { describe, expect, it } from 'vitest';
import { deadPort, json, run, serve, serveBytes, serveMaster, slotOf } from './cli-test-support.ts';
import { directoryStream, push } from './rows-test-support.ts';

const backSource = { role: 'back-source' } as const;
const added: PushReport = {
  ...push,
  source: 'api',
  destination: 'rtmps://a.com/b/c?key=[redacted]',
  state: 'waiting',
  lastError: 'refused',
};

/** A back-source that owns these streams; `told` is what it was told. */
async function owner(
  streams: Readonly<Record<string, readonly PushReport[]>>,
  told: string[] = [],
  outcome: ForwardOutcome = 'added',
): Promise<number> {
  const isHere = (stream: unknown): boolean => Object.hasOwn(streams, String(stream));
  return await serve({
    '/api/v1/streams': () => [
      ...Object.entries(streams).map(([streamId, pushes]) => directoryStream(streamId, { pushes })),
      directoryStream('v/live/played', { publisher: null }),
    ],
    '/api/v1/forwards/add': {
      POST: ({ stream, destination }) => {
        told.push(`add ${String(stream)} ${String(destination)}`);
        return { outcome: isHere(stream) ? outcome : { reason: 'no stream', text: 'not here' } };
      },
    },
    '/api/v1/forwards/remove': {
      POST: ({ stream, destination }) => {
        told.push(`remove ${String(stream)} ${String(destination)}`);
        return { isFound: isHere(stream) && destination === added.destination };
      },
    },
  });
}

describe('srs-cli forward list', () => {
  const streams = { '__defaultVhost__/live/one': [push, added], 'a.com/live/two': [push], 'a.com/live/plain': [] };

  it('has a row for each destination of each stream, or of one', async () => {
    const port = await serveMaster([slotOf(0, await owner(streams), backSource), slotOf(1, await serve({}))]);
    const rows = async (...args: string[]) => {
      const { code, out } = await run(port, ['forward', 'list', ...args]);
      expect(code).toBe(0);
      return out
        .trim()
        .split('\n')
        .map((line) => line.split(/ {2,}/).map((cell) => cell.trim()));
    };
    const first = ['live/one', 'forward', 'config', '10.0.0.7:1935', 'publishing', '1', '250', '122 KiB', '0'];
    const second = ['live/one', 'forward', 'api', added.destination, 'waiting', '1', '250', '122 KiB', '0', 'refused'];
    const third = ['a.com/live/two', ...first.slice(1)];
    expect((await rows()).slice(1)).toEqual([first, second, third]);
    expect((await rows('live/one')).slice(1)).toEqual([first, second]);
    expect(await json(port, 'forward', 'list', 'live/two')).toMatchObject({
      isComplete: true,
      forwards: [{ streamId: 'a.com/live/two', ...push }],
      workers: [{ slot: 0, role: 'back-source' }],
    });
  });

  it('of a stream that nobody publishes ends with status 1', async () => {
    const port = await serveMaster([slotOf(0, await owner(streams), backSource)]);
    expect(await run(port, ['forward', 'list', 'live/on'])).toMatchObject({
      code: 1,
      err: 'srs-cli: nobody publishes live/on; there is live/one\n',
    });
  });

  it('names the back-source that is silent', async () => {
    const port = await serveMaster([slotOf(0, await serveBytes(() => {}), backSource)]);
    const { code, out } = await run(port, ['--timeout', '300', 'forward', 'list']);
    expect(code).toBe(0);
    expect(out).toContain('! back-source worker in slot 0 (pid 1000) is left out: no answer within 300 ms\n');
    expect((await run(await deadPort(), ['forward', 'list'])).err).toMatch(/cannot be reached/);
  });
});

describe('srs-cli forward add and remove', () => {
  const two = async (told: string[], outcome?: ForwardOutcome) =>
    await serveMaster([
      slotOf(0, await owner({ '__defaultVhost__/live/one': [] }, told), backSource),
      slotOf(1, await owner({ 'a.com/live/two': [added] }, told, outcome), backSource),
      slotOf(2, await serve({})),
    ]);

  it('tell the back-sources, and nobody else', async () => {
    const told: string[] = [];
    const port = await two(told);
    const url = 'rtmp://x/live/[stream]?a=1&b=2';
    expect(await run(port, ['forward', 'add', 'live/two', url])).toEqual({
      code: 0,
      out: 'a.com/live/two is pushed there until that is removed or its publish ends\n',
      err: '',
    });
    expect(await run(port, ['forward', 'remove', 'rtmp://server/live/two', added.destination])).toEqual({
      code: 0,
      out: 'a.com/live/two is pushed there no more\n',
      err: '',
    });
    expect(await json(port, 'forward', 'add', 'one', '10.0.0.8')).toMatchObject({
      streamId: '__defaultVhost__/live/one',
      outcome: 'added',
      isComplete: true,
    });
    expect(Array.from(new Set(told))).toEqual([
      `add a.com/live/two ${url}`,
      `remove a.com/live/two ${added.destination}`,
      'add __defaultVhost__/live/one 10.0.0.8',
    ]);
    expect(told).toHaveLength(6);
  });

  it('a destination that is there already is no failure', async () => {
    const port = await two([], 'already');
    expect(await run(port, ['forward', 'add', 'live/two', '10.0.0.7'])).toMatchObject({
      code: 0,
      out: 'a.com/live/two is pushed there already\n',
    });
  });

  it('a destination that is refused ends with status 1 and the words of the back-source', async () => {
    const port = await two([], { reason: 'malformed', text: 'destination "x:y" must be host' });
    expect(await run(port, ['forward', 'add', 'live/two', 'x:y'])).toEqual({
      code: 1,
      out: '',
      err: 'srs-cli: destination "x:y" must be host\n',
    });
    const { code, out } = await run(port, ['--json', 'forward', 'add', 'live/two', 'x:y']);
    expect([code, JSON.parse(out)]).toMatchObject([1, { outcome: 'refused', streamId: 'a.com/live/two' }]);
  });

  it('what was not added cannot be removed', async () => {
    const port = await two([]);
    expect(await run(port, ['forward', 'remove', 'live/two', '10.0.0.7'])).toMatchObject({
      code: 1,
      err: 'srs-cli: a.com/live/two has no such destination that was added; srs-cli forward list shows them\n',
    });
  });

  it('a stream that nobody publishes, or that several are, is told to nobody', async () => {
    const told: string[] = [];
    const port = await serveMaster([slotOf(0, await owner({ 'a/live/one': [], 'b/live/one': [] }, told), backSource)]);
    expect(await run(port, ['forward', 'add', 'live/one', 'x'])).toMatchObject({
      code: 1,
      err: 'srs-cli: "live/one" can be a/live/one, b/live/one\n',
    });
    expect((await run(port, ['forward', 'add', 'v/live/played', 'x'])).err).toMatch(
      /^srs-cli: nobody publishes v\/live\/played; /,
    );
    expect(told).toEqual([]);
  });
});
