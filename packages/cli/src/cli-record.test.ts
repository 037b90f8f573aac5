import { describe, expect, it } from 'vitest';
import { deadPort, json, run, serve, serveBytes, serveMaster, slotOf } from './cli-test-support.ts';

const publisher = { slot: 3, pid: 1003, cid: 200, ip: '10.0.0.1' };
const backSource = { role: 'back-source' } as const;

describe('srs-cli record', () => {
  /** A back-source that owns these streams; `told` is what it was told. */
  async function owner(streamIds: readonly string[], told: string[] = [], more: readonly string[] = []): Promise<number> {
    const row = (streamId: string, isPublished: boolean) => ({
      streamId,
      publisher: isPublished ? publisher : null,
      subscribers: 1,
      ring: null,
    });
    return await serve({
      '/api/v1/streams': () => [...streamIds.map((each) => row(each, true)), ...more.map((each) => row(each, false))],
      '/api/v1/record': {
        POST: ({ stream, on }) => {
          told.push(`${String(stream)} ${String(on)}`);
          return { isFound: streamIds.includes(String(stream)) };
        },
      },
    });
  }

  it('tells the back-sources, and nobody else', async () => {
    const told: string[] = [];
    const port = await serveMaster([
      slotOf(0, await owner(['__defaultVhost__/live/one'], told)),
      slotOf(1, await owner(['a.com/live/two'], told), backSource),
      slotOf(2, await serve({})),
    ]);
    expect(await run(port, ['record', 'live/two', 'on'])).toEqual({
      code: 0,
      out: 'a.com/live/two is recorded until its publish ends\n',
      err: '',
    });
    expect((await run(port, ['record', 'rtmp://server/live/one', 'off'])).out).toBe(
      'live/one is not recorded until its publish ends\n',
    );
    expect(await json(port, 'record', 'one', 'auto')).toMatchObject({
      streamId: '__defaultVhost__/live/one',
      wish: 'auto',
      isFound: true,
      isComplete: true,
    });
    expect(told.filter((_, index) => index % 2 === 0)).toEqual([
      'a.com/live/two true',
      '__defaultVhost__/live/one false',
      '__defaultVhost__/live/one auto',
    ]);
  });

  it('ends with status 1 when nobody publishes it', async () => {
    const port = await serveMaster([slotOf(0, await owner(['v/live/one'], [], ['v/live/played']))]);
    expect(await run(port, ['record', 'v/live/on', 'on'])).toEqual({
      code: 1,
      out: '',
      err: 'srs-cli: nobody publishes v/live/on; there is v/live/one\n',
    });
    expect((await run(port, ['record', 'v/live/played', 'on'])).err).toMatch(/^srs-cli: nobody publishes v\/live\/played; /);
    const document = await run(port, ['--json', 'record', 'x/y', 'on']);
    expect([document.code, JSON.parse(document.out)]).toMatchObject([1, { isFound: false, wish: 'on' }]);
  });

  it('asks which one, when several have that name', async () => {
    const told: string[] = [];
    const port = await serveMaster([slotOf(0, await owner(['a/live/one', 'b/live/one'], told))]);
    expect(await run(port, ['record', 'live/one', 'on'])).toMatchObject({
      code: 1,
      err: 'srs-cli: "live/one" can be a/live/one, b/live/one\n',
    });
    expect(told).toEqual([]);
  });

  it('names the back-source that is silent', async () => {
    const port = await serveMaster([slotOf(0, await serveBytes(() => {}))]);
    const { code, out } = await run(port, ['--timeout', '300', 'record', 'live/one', 'on']);
    expect([code, out]).toEqual([1, '! back-source worker in slot 0 (pid 1000) is left out: no answer within 300 ms\n']);
    expect((await run(await deadPort(), ['record', 'live/one', 'on'])).err).toMatch(/cannot be reached/);
  });
});
