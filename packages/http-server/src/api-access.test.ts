import { expect, it } from 'vitest';
import { streamIdOf } from './api-rows.ts';
import { clientOf, pushOf, streamOf, TestApi } from './api-test-support.ts';

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
const clients = [clientOf(7)];
const streams = [streamOf('v/live/one', { pushes: [pushOf('10.0.0.7', { source: 'api' })] })];
const nothing = { kicked: [], reloads: [], forwards: [], records: [] };
const kick = { method: 'DELETE' } as const;

/** For the one that reads it; the others do not. */
const body = JSON.stringify({ vhost: 'v', app: 'live', stream: 'one', destination: '10.0.0.8' });

/** Everything that changes something. */
const changes = [
  ['DELETE', '/api/v1/clients/7'],
  ['POST', '/api/v1/reload'],
  ['POST', `/api/v1/streams/${streamIdOf('v/live/one')}/record?on=true`],
  ['POST', '/api/v1/forwards'],
  ['DELETE', '/api/v1/forwards?vhost=v&app=live&stream=one&destination=10.0.0.7'],
  ['GET', '/api/v1/raw?rpc=reload'],
] as const;
const rawApi = 'raw_api { enabled on; allow_reload on; }';

it('disconnects a client', async () => {
  await using api = await TestApi.start({ clients });
  expect(await api.ask('/api/v1/clients/7', kick)).toMatchObject({ status: 200, body: { code: 0 } });
  expect(api.deeds.kicked).toEqual([7]);
  expect(await api.ask('/api/v1/clients/8', kick)).toMatchObject({
    status: 404,
    body: { code: 2049, data: { status_code: 404, error: 'client 8 is not there' } },
  });
});

it('records a stream, or not, or as the configuration says', async () => {
  await using api = await TestApi.start({ streams: [...streams, streamOf('v/live/played', { publisher: null })] });
  const record = (id: string, query: string) => api.ask(`/api/v1/streams/${id}/record${query}`, { method: 'POST' });
  const id = streamIdOf('v/live/one');
  for (const on of ['true', 'false', 'auto'])
    expect(await record(id, `?on=${on}`)).toMatchObject({ status: 200, body: { code: 0 } });
  expect(api.deeds.records).toEqual([
    ['v/live/one', true],
    ['v/live/one', false],
    ['v/live/one', undefined],
  ]);
  for (const query of ['', '?on=', '?on=1', '?on=true&on=false']) {
    expect(await record(id, query)).toMatchObject({ status: 400, body: { data: { status_code: 400 } } });
  }
  expect(await record('stream-0', '?on=true')).toMatchObject({
    status: 404,
    body: { code: 2048, data: { error: 'stream "stream-0" is not there' } },
  });
  const played = streamIdOf('v/live/played');
  expect(await record(played, '?on=true')).toMatchObject({
    status: 404,
    body: { code: 2048, data: { error: `publisher of stream "${played}" is not there` } },
  });
  expect(api.deeds.records).toHaveLength(3);
});

it('reloads, or only tells what would change', async () => {
  await using api = await TestApi.start({ httpApi: rawApi });
  expect((await api.ask('/api/v1/reload', { method: 'POST' })).body).toEqual({
    code: 0,
    data: {
      isApplied: true,
      isDryRun: false,
      version: 2,
      file: 'srs.conf',
      changes: [{ kind: 'changed', directive: 'chunk_size', live: 'next use' }],
      problems: [],
      workers: [{ slot: 1, role: 'stream', pid: 1001, isApplied: true, detail: null }],
    },
  });
  expect((await api.ask('/api/v1/reload?dry_run=1', { method: 'POST' })).body).toMatchObject({ data: { isDryRun: true } });
  expect((await api.ask('/api/v1/raw?rpc=reload')).body).toEqual({ code: 0 });
  expect(api.deeds.reloads).toEqual([false, true, false]);
  expect(await api.ask('/api/v1/reload?dry_run=yes', { method: 'POST' })).toMatchObject({ status: 400 });
});

it('tells why a configuration cannot be applied', async () => {
  const problems = ['srs.conf:1: unknown directive lissten', 'srs.conf:2: port 0 must be 1..65535'];
  await using api = await TestApi.start({
    view: {
      reload: async () => ({
        isApplied: false,
        isDryRun: false,
        version: 1,
        file: 'srs.conf',
        changes: [],
        problems,
        workers: [],
      }),
    },
  });
  expect(await api.ask('/api/v1/reload', { method: 'POST' })).toMatchObject({
    status: 400,
    body: { code: 1023, data: { status_code: 400, error: problems.join('\n') } },
  });
});

it('raw calls are off unless they are switched on', async () => {
  await using off = await TestApi.start();
  expect(await off.ask('/api/v1/raw?rpc=reload')).toMatchObject({
    status: 403,
    body: { data: { error: expect.stringContaining('raw_api / enabled') as string } },
  });
  await using on = await TestApi.start({ httpApi: 'raw_api { enabled on; }' });
  expect((await on.ask('/api/v1/raw?rpc=raw')).body).toEqual({
    code: 0,
    http_api: { enabled: true, listen: '1985', crossdomain: true, raw_api: { enabled: true, allow_reload: false } },
  });
  expect(await on.ask('/api/v1/raw?rpc=reload')).toMatchObject({
    status: 403,
    body: { data: { error: expect.stringContaining('allow_reload') as string } },
  });
  expect(await on.ask('/api/v1/raw?rpc=query')).toMatchObject({
    status: 400,
    body: { data: { error: 'rpc "query" must be raw or reload' } },
  });
  expect([...off.deeds.reloads, ...on.deeds.reloads]).toEqual([]);
});

it.each([
  ['GET', '/api/v1/nothing', 404, undefined],
  ['POST', '/nothing', 404, undefined],
  ['GET', '/api/v1/streams/stream-000000000000', 404, 'stream "stream-000000000000" is not there'],
  ['GET', '/api/v1/vhosts/nothing', 404, 'vhost "nothing" is not there'],
  ['DELETE', '/api/v1/streams', 405, 'method DELETE must be GET, HEAD'],
  ['POST', '/api/v1/clients/7', 405, 'method POST must be DELETE, GET, HEAD'],
  ['GET', '/api/v1/reload', 405, 'method GET must be POST'],
  ['PURGE', '/api/v1/versions', 405, 'method PURGE must be DELETE, GET, HEAD, PATCH, POST, PUT'],
  ['GET', '/api/v1/clients?start=-1', 400, 'start -1 must be >= 0'],
  ['GET', '/api/v1/clients?count=10001', 400, 'count 10001 must be <= 10000'],
  ['GET', '/api/v1/clients?count=ten', 400, 'count "ten" must be integer'],
  ['GET', '/api/v1/clients/abc', 400, 'id "abc" must be integer'],
  ['GET', '/api/v1/%zz', 400, "'/api/v1/%zz' is not a valid url component"],
])('%s %s has status %i and says why', async (method, path, status, error) => {
  await using api = await TestApi.start({ streams: [streamOf('v/a/s')], clients });
  const answer = await api.ask(path, { method, body });
  expect(answer.status).toBe(status);
  expect(answer.headers['content-type']).toBe('application/json;charset=utf-8');
  const { code, data } = answer.body as { code: number; data: Record<string, unknown> };
  expect(code).toBeGreaterThan(0);
  expect(data).toEqual({
    status_code: status,
    reason_phrase: { 400: 'Bad Request', 404: 'Not Found', 405: 'Method Not Allowed' }[status],
    url: path.split('?')[0],
    ...(error === undefined ? {} : { error }),
  });
  if (status === 405) expect(answer.headers.allow).toBe(`${error?.split('must be ')[1]}, OPTIONS`);
});

it('an unknown path is answered as SRS does', async () => {
  await using api = await TestApi.start();
  expect((await api.ask('/nothing?token=secret')).text).toBe(
    '{"code":3011,"data":{"status_code":404,"reason_phrase":"Not Found","url":"/nothing"}}',
  );
});

it('a failure inside is told and logged', async () => {
  await using api = await TestApi.start({ view: { streams: () => Promise.reject(new Error('it broke')) } });
  expect(await api.ask('/api/v1/streams')).toMatchObject({
    status: 500,
    body: { code: 3011, data: { status_code: 500, error: 'it broke' } },
  });
  expect(api.log.lines.map(({ level, text }) => [level, text])).toContainEqual(['error', 'HTTP GET /api/v1/streams: it broke']);
});

it('a body that is too large is refused', async () => {
  await using api = await TestApi.start();
  const body = 'x'.repeat(70_000);
  expect(await api.ask('/api/v1/versions', { method: 'POST', body })).toMatchObject({
    status: 413,
    body: { data: { status_code: 413 } },
  });
});

it('every answer lets pages of other sites read it, and none lets them in with credentials', async () => {
  await using api = await TestApi.start();
  const preflight = await api.ask('/api/v1/clients/7', {
    method: 'OPTIONS',
    headers: { origin: 'http://other.example', 'access-control-request-method': 'DELETE' },
  });
  expect([preflight.status, preflight.text]).toEqual([200, '']);
  for (const { headers } of [
    preflight,
    await api.ask('/api/v1/versions'),
    await api.ask('/nothing'),
    await api.ask('/', { method: 'OPTIONS' }),
  ]) {
    expect(headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET, POST, HEAD, PUT, DELETE',
      'access-control-allow-headers': expect.stringContaining(
        'Cache-Control,X-Proxy-Authorization,X-Requested-With,Content-Type',
      ) as string,
    });
    expect(headers).not.toHaveProperty('access-control-allow-credentials');
  }
});

it('without crossdomain no page of another site may read, nor one that has made its name point here', async () => {
  await using api = await TestApi.start({ httpApi: 'crossdomain off;' });
  const { status, headers } = await api.ask('/api/v1/versions', { headers: { origin: 'http://other.example' } });
  expect([status, headers['access-control-allow-origin']]).toEqual([200, undefined]);
  expect(await api.ask('/api/v1/versions', { headers: { host: 'evil.example' } })).toMatchObject({ status: 403 });
  expect((await api.ask('/api/v1/versions', { method: 'OPTIONS' })).status).toBe(405);
});

it('HEAD has the head of GET and no body', async () => {
  await using api = await TestApi.start();
  const { status, text, headers } = await api.ask('/api/v1/streams', { method: 'HEAD' });
  expect([status, text]).toEqual([200, '']);
  expect(Number(headers['content-length'])).toBeGreaterThan(0);
});

it.each(changes)('%s %s is for this machine only, without credentials', async (method, path) => {
  await using api = await TestApi.start({ clients, streams, httpApi: rawApi });
  for (const header of ['x-forwarded-for', 'forwarded', 'x-real-ip']) {
    expect(await api.ask(path, { method, body, headers: { [header]: '1.2.3.4' } })).toMatchObject({
      status: 403,
      body: { data: { error: expect.stringContaining('behind a proxy') as string } },
    });
  }
  expect(api.deeds).toEqual(nothing);
});

it.each(changes)('%s %s is for no page that has made its name point here', async (method, path) => {
  await using api = await TestApi.start({ clients, streams, httpApi: rawApi });
  for (const host of ['evil.example', 'evil.example:1985', 'localhost.evil.example', '127.0.0.1.evil.example', 'x y']) {
    expect((await api.ask(path, { method, body, headers: { host } })).status).toBeGreaterThanOrEqual(400);
  }
  expect(api.deeds).toEqual(nothing);
  for (const host of ['localhost', 'LOCALHOST:1985', '127.0.0.1:1985', '[::1]:1985']) {
    expect((await api.ask(path, { method, body, headers: { host } })).status).toBe(200);
  }
});

it.each(changes)('%s %s is for no page of another site', async (method, path) => {
  await using api = await TestApi.start({ clients, streams, httpApi: rawApi });
  const host = 'localhost:1985';
  for (const origin of [
    'http://evil.example',
    'null',
    'http://localhost:8080',
    'http://localhost:1985.evil.example',
    'file://',
  ]) {
    const answer = await api.ask(path, { method, body, headers: { host, origin, 'content-type': 'text/plain' } });
    expect(answer.status).toBe(403);
  }
  for (const site of ['cross-site', 'same-site']) {
    expect((await api.ask(path, { method, body, headers: { host, 'sec-fetch-site': site } })).status).toBe(403);
  }
  expect(api.deeds).toEqual(nothing);
  expect(
    (await api.ask(path, { method, body, headers: { host, origin: 'http://localhost:1985', 'sec-fetch-site': 'same-origin' } }))
      .status,
  ).toBe(200);
});

const auth = 'auth { enabled on; username admin; password pass:word; token some-token; }';

it.each([
  ['nothing', undefined],
  ['a wrong password', basic('admin:pass')],
  ['a wrong name', basic('root:pass:word')],
  ['the password alone', basic(':pass:word')],
  ['no base64', 'Basic %%%'],
  ['a wrong token', 'Bearer some-tokem'],
  ['an empty token', 'Bearer '],
  ['the token as a password', basic('some-token')],
  ['another scheme', 'Digest x'],
])('who shows %s is not let in', async (_, authorization) => {
  await using api = await TestApi.start({ clients, httpApi: auth });
  const headers = authorization === undefined ? {} : { authorization };
  for (const [method, path] of [
    ['GET', '/api/v1/versions'],
    ['GET', '/nothing'],
    ['DELETE', '/api/v1/clients/7'],
  ] as const) {
    const answer = await api.ask(path, { method, body, headers });
    expect(answer).toMatchObject({
      status: 401,
      body: { code: 3011, data: { status_code: 401, reason_phrase: 'Unauthorized' } },
    });
    expect(answer.headers['www-authenticate']).toBe('Basic realm="SRS", charset="UTF-8", Bearer realm="SRS"');
    expect(answer.text + JSON.stringify(api.log.lines)).not.toContain('pass:word');
    expect(api.log.lines.at(-1)).toMatchObject({
      level: 'warn',
      text: expect.stringContaining(`HTTP ${method} ${path} from 127.0.0.1 is refused`) as string,
    });
  }
  expect(api.deeds.kicked).toEqual([]);
});

it.each([
  ['name and password', basic('admin:pass:word')],
  ['the token', 'Bearer some-token'],
  ['the token, in other letters', 'bEaReR some-token'],
])('who shows %s may read and change, from anywhere and under any name', async (_, authorization) => {
  await using api = await TestApi.start({ clients, httpApi: auth });
  const headers = { authorization, host: 'media.example', 'x-forwarded-for': '1.2.3.4' };
  expect((await api.ask('/api/v1/versions', { headers })).status).toBe(200);
  expect((await api.ask('/api/v1/clients/7', { ...kick, headers })).status).toBe(200);
});

it('what a browser sends by itself does not let a page of another site in; a token does', async () => {
  await using api = await TestApi.start({ clients, httpApi: auth });
  const origin = 'http://console.example';
  expect(
    (await api.ask('/api/v1/clients/7', { ...kick, headers: { authorization: basic('admin:pass:word'), origin } })).status,
  ).toBe(403);
  expect((await api.ask('/api/v1/clients/7', { ...kick, headers: { authorization: 'Bearer some-token', origin } })).status).toBe(
    200,
  );
});

it('a browser may ask beforehand without credentials', async () => {
  await using api = await TestApi.start({ httpApi: auth });
  expect((await api.ask('/api/v1/versions', { method: 'OPTIONS' })).status).toBe(200);
});

it.each([
  ['a password only', 'username admin; password x;', 'Bearer '],
  ['a token only', 'token x;', basic(':')],
])('with %s configured, nothing empty opens', async (_, settings, authorization) => {
  await using api = await TestApi.start({ httpApi: `auth { enabled on; ${settings} }` });
  expect((await api.ask('/api/v1/versions', { headers: { authorization } })).status).toBe(401);
});
