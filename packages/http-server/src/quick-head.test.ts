import { createServer, type IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QuickHeadReader } from './quick-head.ts';

const read = (text: string) => new QuickHeadReader().read(Buffer.from(text, 'latin1'));

describe('a head', () => {
  it('that a browser writes is read', () => {
    const text =
      'GET /live/one.m3u8?token=a%20b HTTP/1.1\r\nHost: example.org:8080\r\nConnection: keep-alive\r\n' +
      'If-None-Match: "1-2"\r\nAccept:*/*\r\nX-Empty:\r\nReferer: \thttps://page.test/ \r\n\r\n';
    expect(read(text)).toEqual({
      method: 'GET',
      url: '/live/one.m3u8?token=a%20b',
      host: 'example.org:8080',
      headers: {
        host: 'example.org:8080',
        connection: 'keep-alive',
        'if-none-match': '"1-2"',
        accept: '*/*',
        'x-empty': '',
        referer: 'https://page.test/',
      },
    });
  });

  it('is read anew when it is another one on the same connection', () => {
    const reader = new QuickHeadReader();
    const ask = (text: string) => reader.read(Buffer.from(text))?.headers;
    const plain = 'HEAD /a.ts HTTP/1.1\r\nHost: a\r\n\r\n';
    expect(ask(plain)).toEqual({ host: 'a' });
    expect(ask('GET /a.ts HTTP/1.1\r\nHost: a\r\nRange: bytes=0-\r\n\r\n')).toEqual({ host: 'a', range: 'bytes=0-' });
    expect(ask('GET /a.ts HTTP/1.1\r\nHost: a\r\nRange: bytes=0-\r\nTrailer: x\r\n\r\n')).toBeUndefined();
    expect(ask(plain)).toEqual({ host: 'a' });
  });

  const field = (line: string): string => `GET /a HTTP/1.1\r\nHost: a\r\n${line}\r\n\r\n`;
  it.each([
    ['another method', 'POST /a HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['another version', 'GET /a HTTP/1.0\r\nHost: a\r\n\r\n'],
    ['the form of a proxy', 'GET http://a/b HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a target with a byte that must be escaped', 'GET /\xe4 HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['no host', 'GET /a HTTP/1.1\r\n\r\n'],
    ['no header at all', 'GET /a HTTP/1.1\r\n'],
    ['two hosts', field('host: b')],
    ['a body', field('Content-Length: 1')],
    ['a body in chunks', field('Transfer-Encoding: chunked')],
    ['another protocol', field('Upgrade: websocket')],
    ['the wish to be asked for a body', field('Expect: 100-continue')],
    ['the end of the connection', field('Connection: close')],
    ['options of the connection', field('Connection: keep-alive, x')],
    ['a folded header', field('X: a\r\n b')],
    ['a space before the colon', field('X : a')],
    ['a line feed alone', field('X: a\nY: b')],
    ['a byte that no header may have', field('X: a\0')],
    ['another request behind it', field('X: a') + field('X: a')],
    ['something behind it', `${field('X: a')}x`],
    ['only a part', field('X: a').slice(0, -1)],
    ['more than 4 KiB', field(`X: ${'x'.repeat(4096)}`)],
  ])('with %s is left to others', (_, text) => {
    expect(read(text)).toBeUndefined();
  });
});

/** What the parser of the HTTP server makes of the same bytes. */
async function requestsIn(bytes: Buffer): Promise<IncomingMessage[]> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request) => void requests.push(request));
  server.on('clientError', () => {});
  const socket = new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() });
  server.emit('connection', socket);
  socket.push(bytes);
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  socket.destroy();
  return requests;
}

it('whatever it takes for one request is exactly that to the HTTP server too', async () => {
  const lines = fc.constantFrom(
    'Host: a',
    'host:b',
    'Connection: keep-alive',
    'Content-Length: 3',
    'X: y',
    'Range: bytes=0-',
    ' folded',
  );
  const odd = fc.constantFrom(
    '\r',
    '\n',
    '\0',
    ' ',
    ':',
    '\t',
    '\r\n',
    '\r\n\r\n',
    '\xe4',
    'GET /x HTTP/1.1',
    'Transfer-Encoding: chunked',
  );
  const edit = fc.record({ at: fc.nat(120), removed: fc.nat(3), text: odd });
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('GET', 'HEAD'),
      fc.array(lines, { maxLength: 4 }),
      fc.array(edit, { maxLength: 2 }),
      async (method, fields, edits) => {
        let text = `${method} /live/one.ts?a=b HTTP/1.1\r\n${['Host: c', ...fields].join('\r\n')}\r\n\r\n`;
        for (const { at, removed, text: added } of edits) text = text.slice(0, at) + added + text.slice(at + removed);
        const found = read(text);
        if (found === undefined) return;
        taken += 1;
        const requests = await requestsIn(Buffer.from(text, 'latin1'));
        expect(requests).toHaveLength(1);
        const [{ method: seen, url, headers, httpVersion }] = requests as [IncomingMessage];
        expect([seen, url, httpVersion, { ...headers }]).toEqual([found.method, found.url, '1.1', found.headers]);
      },
    ),
    { numRuns: 2_000 },
  );
  expect(taken).toBeGreaterThan(100);
});
