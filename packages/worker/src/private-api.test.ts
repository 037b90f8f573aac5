import { type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { describeError, SrsError } from '@srs/kernel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Page } from './page.ts';
import { type PrivateApi, startPrivateApi } from './private-api.ts';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

let api: PrivateApi;

interface Question {
  readonly method?: string;
  readonly host?: string;
  readonly body?: string;
  readonly type?: string;
}

function ask(path: string, options: Question = {}): Promise<Answer> {
  const { method = 'GET', host = 'localhost', body, type = body === undefined ? undefined : 'application/json' } = options;
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: api.port, path, method, agent: false, headers: { host } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString() });
      });
    });
    asked.on('error', reject);
    if (type !== undefined) asked.setHeader('content-type', type);
    asked.end(body);
  });
}

beforeAll(async () => {
  api = await startPrivateApi({
    host: '127.0.0.1',
    port: 0,
    isPortFixed: false,
    routes: {
      '/plain': () => ({ a: 1 }),
      '/later': async () => 'done',
      '/page': (query) => new Page(30, 10, [query.x]),
      '/refuses': () => {
        throw new SrsError('RequestUri', 'count 0 must be 1..9');
      },
      '/fails': () => {
        throw new Error('broken inside');
      },
      '/change': { POST: (query) => ({ changed: query.x }) },
      '/both': { GET: () => 'told', POST: () => 'done' },
    },
  });
});
afterAll(() => api.close());

describe('the private API', () => {
  it('wraps a document, at once or later', async () => {
    const answer = await ask('/plain');
    expect(answer).toMatchObject({ status: 200, text: '{"code":0,"data":{"a":1}}' });
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect((await ask('/later')).text).toBe('{"code":0,"data":"done"}');
  });

  it('tells the place of a page, and passes the query on', async () => {
    expect((await ask('/page?x=y')).text).toBe('{"code":0,"total":30,"start":10,"count":1,"data":["y"]}');
  });

  it.each(['localhost', 'localhost:33331', '127.0.0.1', '127.0.0.1:33331', '10.1.2.3:80', '[::1]', '[::1]:33331'])(
    'answers to the host %s',
    async (host) => {
      expect((await ask('/plain', { host })).status).toBe(200);
    },
  );

  it.each([
    'evil.example',
    'evil.example:33331',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'evil.example#127.0.0.1',
    'localhost:x',
    '[evil.example]',
    '127.0.0.1:1:2',
  ])('refuses the host %s, whatever the path', async (host) => {
    for (const path of ['/plain', '/nothing']) {
      const answer = await ask(path, { host });
      expect(answer.status).toBe(403);
      expect(JSON.parse(answer.text)).toEqual({ code: 403, error: `host "${host}" must be localhost or an address` });
      expect(answer.text).not.toContain('data');
    }
  });

  it('refuses a request that names no host', async () => {
    const socket = connect(api.port, '127.0.0.1');
    socket.write('GET /plain HTTP/1.0\r\n\r\n');
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    expect(text).toMatch(/^HTTP\/1\.1 403 /);
  });

  it('tells what there is when a path is wrong', async () => {
    const answer = await ask('/nothing?secret=1');
    expect(answer.status).toBe(404);
    expect(JSON.parse(answer.text)).toEqual({
      code: 404,
      error: 'no such path: /nothing; there are /plain /later /page /refuses /fails /change /both',
    });
  });

  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('can only be read: %s is no method', async (method) => {
    const answer = await ask('/plain?x=1', { method });
    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toBe('GET, HEAD');
    expect(JSON.parse(answer.text)).toEqual({ code: 405, error: `method ${method} of /plain must be GET or HEAD` });
  });

  it('is told what to do by POST', async () => {
    for (const body of [undefined, '', '{}']) {
      const answer = await ask('/change?x=1', {
        method: 'POST',
        type: 'application/json; charset=utf-8',
        ...(body === undefined ? {} : { body }),
      });
      expect(answer).toMatchObject({ status: 200, text: '{"code":0,"data":{"changed":"1"}}' });
    }
    expect((await ask('/both', { method: 'POST', type: 'application/json' })).text).toBe('{"code":0,"data":"done"}');
    expect((await ask('/both')).text).toBe('{"code":0,"data":"told"}');
  });

  it.each([undefined, '', 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'application/jsonx'])(
    'changes nothing for the content-type %j, which any web page can send',
    async (type) => {
      const answer = await ask('/change?x=1', { method: 'POST', ...(type === undefined ? {} : { type }) });
      expect(answer.status).toBe(415);
      expect(JSON.parse(answer.text)).toEqual({
        code: 415,
        error: `content-type ${JSON.stringify(type ?? '')} of a POST must be application/json`,
      });
    },
  );

  it.each([
    ['/change', 'GET', 'POST'],
    ['/both', 'PUT', 'GET, HEAD, POST'],
  ])('%s has no %s, and says what it has', async (path, method, allow) => {
    const answer = await ask(path, { method });
    expect([answer.status, answer.headers.allow]).toEqual([405, allow]);
  });

  it('answers HEAD without a body', async () => {
    expect(await ask('/plain', { method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
  });

  it.each([
    ['/refuses', {}, 400, 'count 0 must be 1..9'],
    ['/fails', {}, 500, 'broken inside'],
    ['/%zz', {}, 404, expect.stringContaining('no such path: /%zz;') as string],
    ['/change', { method: 'POST', body: 'x'.repeat(70_000) }, 413, 'the body of a request must be at most 65536 bytes'],
  ])('%s %o has status %i and says why', async (path, options, code, error) => {
    const answer = await ask(path, options);
    expect(answer.status).toBe(code);
    expect(JSON.parse(answer.text)).toEqual({ code, error });
  });

  it('takes another port when its own is taken, unless it must not', async () => {
    const options = { host: '127.0.0.1', port: api.port, routes: {} };
    const second = await startPrivateApi({ ...options, isPortFixed: false });
    expect(second.port).not.toBe(api.port);
    await second.close();
    const failure: unknown = await startPrivateApi({ ...options, isPortFixed: true }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ errorName: 'SocketBind' });
    expect(describeError(failure)).toMatch(/^private_api listen 127\.0\.0\.1:\d+: .*EADDRINUSE/);
  });
});
