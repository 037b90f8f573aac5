import { describe, expect, it } from 'vitest';
import { deadPort, run, serve, serveBytes, summaryOf } from './cli-test-support.ts';

describe('srs-cli without a master', () => {
  it.each([
    ['nobody listens', deadPort, 'connection refused'],
    ['it hangs', () => serveBytes(() => {}), 'no answer within 1000 ms'],
    ['it closes', () => serveBytes((socket) => socket.destroy()), expect.stringMatching(/connection reset|socket hang up/)],
    [
      'it is something else',
      () => serve({ '/api/v1/summary': () => 'hello', '/api/v1/workers': () => [] }),
      'what answers there is not a master',
    ],
    [
      'it is a worker',
      () => serve({ '/api/v1/summary': () => summaryOf(1) }),
      expect.stringMatching(/^it answered with status 404: /),
    ],
  ])('ends with status 1 and says why: %s', async (_, open, reason) => {
    const port = await open();
    const { code, out, err } = await run(port, ['--timeout', '1000', 'status']);
    expect([code, out]).toEqual([1, '']);
    const [, text] = /^srs-cli: the master's private API at 127\.0\.0\.1:\d+ cannot be reached: (.*)\n$/.exec(err) ?? [];
    expect(text).toEqual(reason);
    expect(err).toContain(`127.0.0.1:${port}`);
  });

  it('ends with status 2 when its arguments are wrong', async () => {
    expect(await run(1, ['kick'])).toEqual({
      code: 2,
      out: '',
      err: 'srs-cli: "kick" lacks its argument: kick <id>\nTry srs-cli --help\n',
    });
  });

  it('helps without one', async () => {
    const { code, out, err } = await run(1, ['--help']);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^Usage: srs-cli \[options\] COMMAND\n/);
  });
});
