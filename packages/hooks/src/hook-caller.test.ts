import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import { describeError, memoryLog, SrsError } from '@srs/kernel';
import { afterEach, describe, expect, it } from 'vitest';
import { certificate } from '../../../test/support/certificates.ts';
import { eventually } from '../../../test/support/deadline.ts';
import { type HookBehaviour, HookServer } from '../../../test/support/hook-server.ts';
import { HookCaller, type HookNotice, type HookQuestion } from './hook-caller.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function serve(behaviour?: HookBehaviour, options?: Parameters<typeof HookServer.start>[1]): Promise<HookServer> {
  const server = await HookServer.start(behaviour, options);
  closers.push(() => server[Symbol.asyncDispose]());
  return server;
}

function setUp() {
  const log = memoryLog();
  const caller = new HookCaller({ userAgent: 'SRS(Simple RTMP Server)2.0.0', random: () => 1, log });
  closers.push(() => caller.close(0));
  const texts = () => log.lines.map(({ level, text }) => `${level}: ${text}`);
  return { log, texts, caller };
}

type Setup = ReturnType<typeof setUp>;

const question = ({ log }: Setup, urls: readonly string[], more: Partial<HookQuestion> = {}): HookQuestion => ({
  event: 'on_publish',
  urls,
  body: '{"action":"on_publish"}',
  timeoutMs: 2_000,
  clientId: 107,
  ip: '10.0.0.7',
  log,
  ...more,
});

const notice = ({ log }: Setup, urls: readonly string[], more: Partial<HookNotice> = {}): HookNotice => ({
  event: 'on_unpublish',
  urls,
  body: '{"action":"on_unpublish"}',
  timeoutMs: 2_000,
  retries: 2,
  clientId: 107,
  ip: '10.0.0.7',
  log,
  ...more,
});

/** Says yes, but with something else about the answer. */
const answering =
  (change: (response: ServerResponse) => unknown): HookBehaviour =>
  (_, response) => {
    change(response);
    return '0';
  };

/** The error that a question ends with. */
async function refusal(asked: Promise<unknown>): Promise<SrsError> {
  const error = await asked.then(
    () => new Error('that was a yes'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof SrsError)) throw error;
  return error;
}

describe('a question', () => {
  it('is a POST of the body with the headers of SRS, in their order; the query is kept', async () => {
    const server = await serve();
    const setup = setUp();
    await setup.caller.ask(question(setup, [server.url('/hooks?token=t&x=1')], { body: '{"stream":"ü"}' }));
    const [request] = server.requests;
    expect(request).toMatchObject({ method: 'POST', path: '/hooks?token=t&x=1', text: '{"stream":"ü"}' });
    expect(request?.rawHeaders).toEqual([
      ...Object.entries({ Host: '127.0.0.1', Connection: 'Keep-Alive', 'Content-Length': '15' }).flat(),
      ...Object.entries({ 'User-Agent': 'SRS(Simple RTMP Server)2.0.0', 'Content-Type': 'application/json' }).flat(),
    ]);
    expect(setup.texts()).toEqual([`trace: http hook on_publish ok. client_id=107, url=${server.url('/hooks?token=***&x=1')}`]);
  });

  it('takes user and password from the URL, and keeps the password out of the log', async () => {
    const server = await serve();
    const setup = setUp();
    await setup.caller.ask(question(setup, [server.url().replace('//', '//user:pa55@')]));
    expect(server.requests[0]?.rawHeaders.join(' ')).toContain(`Authorization Basic ${btoa('user:pa55')}`);
    expect(setup.texts().join()).toContain('//user:***@127.0.0.1');
  });

  it('goes to one URL after another, and ends at the first no', async () => {
    const server = await serve(({ path }) => (path === '/no' ? '{"code":7}' : '0'));
    const setup = setUp();
    const error = await refusal(
      setup.caller.ask(
        question(
          setup,
          ['/a', '/no', '/b'].map((path) => server.url(path)),
        ),
      ),
    );
    expect(server.requests.map(({ path }) => path)).toEqual(['/a', '/no']);
    expect(error).toMatchObject({ code: 3008, message: 'refused by the on_publish hook' });
    expect(describeError(error)).toBe(`refused by the on_publish hook: hook ${server.url('/no')} answered code 7, must be 0`);
  });

  it.each<[string, HookBehaviour, RegExp]>([
    ['status 500', answering((response) => response.writeHead(500)), /answered status 500, must be 200$/],
    ['invalid JSON', () => '{"code"', /answered invalid JSON: /],
    [
      'a redirect',
      answering((response) => response.writeHead(307, { location: '/other' })),
      /status 307 to "\/other": redirects are/,
    ],
    ['a closed connection', (_, response) => void response.destroy(), /closed the connection without an answer$/],
    [
      'half an answer',
      (_, response) => void response.write('{', () => response.destroy()),
      /closed the connection in its answer$/,
    ],
    ['no answer', () => undefined, /gave no whole answer within 0.3 s \(http_hooks timeout\)$/],
    [
      'a head and then silence',
      (_, response) => {
        response.flushHeaders();
        return undefined;
      },
      /gave no whole answer within 0.3 s/,
    ],
    [
      'huge headers',
      answering((response) => response.setHeader('x', 'y'.repeat(20_000))),
      /answered no valid HTTP \(HPE_HEADER_OVERFLOW\)/,
    ],
  ])('that meets %s says so, to the log with the URL, to the client without', async (_name, behaviour, reason) => {
    const server = await serve(behaviour);
    const setup = setUp();
    const error = await refusal(setup.caller.ask(question(setup, [server.url()], { timeoutMs: 300 })));
    expect(error.message).toBe('the on_publish hook gave no valid answer');
    expect(describeError(error)).toMatch(reason);
    expect(describeError(error)).toContain(server.url());
    expect(server.requests).toHaveLength(1);
  });

  it('that meets one byte every 20 ms ends at the time limit', async () => {
    const server = await serve((_, response) => {
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(timer));
      return undefined;
    });
    const setup = setUp();
    const error = await refusal(setup.caller.ask(question(setup, [server.url()], { timeoutMs: 300 })));
    expect(describeError(error)).toContain('gave no whole answer within 0.3 s');
  });

  it('that meets an answer of 100 MB reads 64 KiB of it and closes', async () => {
    const closed = Promise.withResolvers<number>();
    const server = await serve((_, response) => {
      const part = Buffer.alloc(64 * 1024, ' ');
      let sent = 0;
      const more = (): void => {
        while (sent < 100 * 1024 * 1024 && response.write(part)) sent += part.length;
        response.once('drain', more);
      };
      response.on('close', () => closed.resolve(sent));
      more();
      return undefined;
    });
    const setup = setUp();
    const error = await refusal(setup.caller.ask(question(setup, [server.url()])));
    expect(describeError(error)).toContain('answered more than 65536 bytes');
    expect(await closed.promise).toBeLessThan(20 * 1024 * 1024);
  });

  it('to a port where nobody listens, and to one that speaks no HTTP', async () => {
    const server = await serve();
    const url = server.url();
    await server.close();
    const setup = setUp();
    expect(describeError(await refusal(setup.caller.ask(question(setup, [url]))))).toContain(
      `hook ${url} cannot be reached: ECONNREFUSED`,
    );

    const plain = createServer((socket) => socket.on('error', () => {}).end('SSH-2.0-x\r\n'));
    plain.listen(0, '127.0.0.1');
    await once(plain, 'listening');
    const { port } = plain.address() as { port: number };
    const error = await refusal(setup.caller.ask(question(setup, [`http://127.0.0.1:${port}/`])));
    expect(describeError(error)).toContain('answered no valid HTTP (HPE_');
    plain.close();
  });

  it('to an https server whose certificate nobody vouches for is refused with a clear text', async () => {
    const server = await serve(() => '0', { tls: certificate });
    const setup = setUp();
    const error = await refusal(setup.caller.ask(question(setup, [server.url()])));
    expect(describeError(error)).toContain(
      'has a certificate that is not trusted: self-signed certificate (DEPTH_ZERO_SELF_SIGNED_CERT)',
    );
    expect(server.requests).toEqual([]);

    const plain = await serve();
    const other = await refusal(setup.caller.ask(question(setup, [plain.url().replace('http:', 'https:')])));
    expect(describeError(other)).toContain('speaks no TLS that fits');
  });

  it('uses a connection again, and another one when the server has closed it meanwhile', async () => {
    const server = await serve();
    const setup = setUp();
    const ask = () => setup.caller.ask(question(setup, [server.url()]));
    await ask();
    await ask();
    expect(server.connections).toBe(1);
    // The next request on the kept connection is the one that finds it closing.
    server.behaviour = (_, response) => {
      server.behaviour = () => '0';
      response.socket?.destroy();
      return undefined;
    };
    await ask();
    expect(server.connections).toBe(2);
  });

  it('that hangs holds up neither other clients nor other servers; its own waits no longer than its time', async () => {
    const hanging: string[] = [];
    const server = await serve(({ body }) => {
      if (body.ip === 'bad') hanging.push('one');
      return body.ip === 'bad' ? undefined : '0';
    });
    const other = await serve();
    const setup = setUp();
    const ask = (ip: string, clientId: number, url: string) =>
      setup.caller.ask(
        question(setup, [url], { ip, clientId, body: JSON.stringify({ ip }), timeoutMs: ip === 'bad' ? 1_500 : 1_000 }),
      );
    const bad = Array.from({ length: 80 }, (_, index) => refusal(ask('bad', index, server.url())));
    // Half of the places is what one address gets.
    await eventually(
      () => hanging.length === 50,
      2_000,
      () => `${hanging.length} calls hang`,
    );
    await Promise.all(Array.from({ length: 60 }, (_, index) => ask(`10.0.0.${index}`, 1_000 + index, server.url())));
    await ask('bad', 2_000, other.url());
    const texts = (await Promise.all(bad)).map(describeError);
    const isLate = /gave no whole answer within 1.5 s|was not asked within 1.5 s \(http_hooks timeout\): too many calls/;
    expect(texts.filter((text) => !isLate.test(text))).toEqual([]);
  });
});

describe('a notice', () => {
  it('goes to every URL, and again to one that could not answer', async () => {
    let failures = 1;
    const server = await serve(({ path }, response) => {
      if (path === '/b' && failures-- > 0) response.writeHead(503);
      return '0';
    });
    const setup = setUp();
    expect(
      await setup.caller.tell(
        notice(
          setup,
          ['/a', '/b', '/c'].map((path) => server.url(path)),
        ),
      ),
    ).toBe(true);
    expect(server.requests.map(({ path }) => path)).toEqual(['/a', '/b', '/b', '/c']);
    expect(setup.texts().filter((text) => text.startsWith('warn'))).toEqual([
      `warn: http hook on_unpublish failed, again in 750 ms. client_id=107: hook ${server.url('/b')} answered status 503, must be 200`,
    ]);
  });

  it('is given up after its retries, or at once when another answer is not to be expected', async () => {
    const server = await serve(({ path }, response) => {
      if (path === '/away') response.writeHead(500);
      return '{"code":3}';
    });
    const setup = setUp();
    const onSettled = () => setup.log.trace('settled');
    expect(await setup.caller.tell(notice(setup, [server.url('/away'), server.url('/no')], { retries: 1, onSettled }))).toBe(
      true,
    );
    expect(server.requests.map(({ path }) => path)).toEqual(['/away', '/away', '/no']);
    // Whoever reads of it may rely on it.
    expect(setup.texts().slice(1)).toEqual([
      'trace: settled',
      `error: http hook on_unpublish failed after 2 tries. client_id=107: hook ${server.url('/away')} answered status 500, must be 200`,
      `error: http hook on_unpublish failed after 1 tries. client_id=107: hook ${server.url('/no')} answered code 3, must be 0`,
    ]);
  });

  it('comes after the earlier ones of the same client, and before its next question', async () => {
    let failures = 1;
    const server = await serve(({ path }, response) => {
      if (path === '/unpublish' && failures-- > 0) response.writeHead(500);
      return '0';
    });
    const setup = setUp();
    const told = [
      setup.caller.tell(notice(setup, [server.url('/unpublish')])),
      setup.caller.tell(notice(setup, [server.url('/close')])),
    ];
    const asked = setup.caller.ask(question(setup, [server.url('/publish')]));
    await setup.caller.tell(notice(setup, [server.url('/other')], { clientId: 108 }));
    await Promise.all([...told, asked]);
    expect(server.requests.map(({ path }) => path)).toEqual(['/unpublish', '/other', '/unpublish', '/close', '/publish']);
  });

  it('that is under way or waits when the caller closes is finished within the grace, or reported as not done', async () => {
    const server = await serve(({ path }) => (path === '/hang' ? undefined : '0'));
    const quick = setUp();
    const done = quick.caller.tell(notice(quick, [server.url('/fine')]));
    await quick.caller.close(1_000);
    expect(await done).toBe(true);

    const slow = setUp();
    const onSettled = () => expect.unreachable('nothing is settled');
    const told = [1, 2].map(() => slow.caller.tell(notice(slow, [server.url('/hang')], { onSettled })));
    const asked = refusal(slow.caller.ask(question(slow, [server.url('/hang')], { clientId: 9 })));
    await server.waitFor(({ path }) => path === '/hang', 2);
    await slow.caller.close(0);
    expect(await Promise.all(told)).toEqual([false, false]);
    expect(describeError(await asked)).toContain('was not waited for: the server stops');
    expect(await slow.caller.tell(notice(slow, [server.url('/fine')]))).toBe(false);
  });
});
