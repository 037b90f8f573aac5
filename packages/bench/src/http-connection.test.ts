import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { type HttpAnswer, HttpConnection } from './http-connection.ts';

/** What a server does with the request number `request` of its connection number `connection`, both from 1 on. */
type Script = (socket: Socket, connection: number, request: number) => void;

const body = (text: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`;

let server: Server;
let client: HttpConnection;
let connections: number;
let answers: ((answer: HttpAnswer) => void)[];

async function start(script: Script): Promise<void> {
  connections = 0;
  answers = [];
  server = createServer((socket) => {
    const connection = ++connections;
    let requests = 0;
    socket.on('error', () => {});
    socket.on('data', () => script(socket, connection, ++requests));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  client = new HttpConnection({
    target: { scheme: 'http', host: '127.0.0.1', port, authority: `127.0.0.1:${port}`, path: '/' },
    onBytes: () => {},
    onAnswer: (answer) => answers.shift()?.(answer),
  });
}

function get(isKept = true): Promise<HttpAnswer> {
  const { promise, resolve } = Promise.withResolvers<HttpAnswer>();
  answers.push(resolve);
  client.get('/file', isKept);
  return promise;
}

afterEach(() => {
  client.close();
  server.close();
});

it('requests follow each other on one connection', async () => {
  await start((socket, _connection, request) => socket.write(body(`number ${request}`)));
  expect(await get()).toEqual({ status: 200, statusText: '200 OK', bodyBytes: 8, body: 'number 1', fault: undefined });
  expect(await get(false)).toMatchObject({ bodyBytes: 8, body: undefined });
  expect(connections).toBe(1);
});

it('a server that ends the connection after its answer gets a new one', async () => {
  await start((socket, connection) => socket.end(`HTTP/1.1 200 OK\r\nConnection: close\r\n\r\non ${connection}`));
  expect(await get()).toMatchObject({ body: 'on 1', fault: undefined });
  expect(await get()).toMatchObject({ body: 'on 2', fault: undefined });
});

it('a connection that the server has called its last is not used again', async () => {
  await start((socket, connection, request) => {
    if (request === 1) socket.write(body(`on ${connection}`).replace('\r\n', '\r\nConnection: close\r\n'));
  });
  expect(await get()).toMatchObject({ body: 'on 1' });
  expect(await get()).toMatchObject({ body: 'on 2', fault: undefined });
});

it('a connection that was given up while the next request was on its way is replaced, without a fault', async () => {
  await start((socket, connection, request) => {
    if (connection === 1 && request === 2) socket.destroy();
    else socket.write(body(`on ${connection}`));
  });
  expect(await get()).toMatchObject({ body: 'on 1' });
  expect(await get()).toMatchObject({ body: 'on 2', fault: undefined });
});

it('a connection that never answers is not tried twice', async () => {
  await start((socket) => socket.end());
  expect(await get()).toMatchObject({ status: 0, bodyBytes: 0, fault: 'the server closed the connection' });
  expect(connections).toBe(1);
});

it('an answer that is cut is told with what there was, and the next request is answered', async () => {
  await start((socket, connection) => {
    if (connection === 1) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc');
    else socket.write(body('whole'));
  });
  expect(await get()).toMatchObject({ status: 200, bodyBytes: 3, fault: 'answer was cut after 3 of 10 bytes of its body' });
  expect(await get()).toMatchObject({ body: 'whole', fault: undefined });
});

it('what is no answer is a fault', async () => {
  await start((socket) => socket.write('SSH-2.0-OpenSSH\r\n\r\n'));
  expect(await get()).toMatchObject({ status: 0, fault: 'answer "SSH-2.0-OpenSSH" must begin with HTTP/1.x' });
});

it('where nobody listens there is a reason', async () => {
  await start(() => {});
  const { port } = server.address() as { readonly port: number };
  server.close();
  await once(server, 'close');
  expect(await get()).toMatchObject({ status: 0, fault: `connect ECONNREFUSED 127.0.0.1:${port}` });
});

it('a playlist above the limit is not kept', async () => {
  await start((socket) => socket.write(body('#'.repeat(4 * 1024 * 1024 + 1))));
  expect(await get()).toMatchObject({ body: undefined, fault: 'answer has more than 4194304 bytes' });
});
