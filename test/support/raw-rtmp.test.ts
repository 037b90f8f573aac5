import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { messageTypes, nodeRtmpCrypto, ServerSession } from '@srs/rtmp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loopbackInfo } from './loopback-server.ts';
import { RawRtmp } from './raw-rtmp.ts';

/** Bytes of the media that the server was given. */
const published: number[] = [];
let server: Server;
let port = 0;

beforeAll(async () => {
  server = createServer((socket) => {
    const session: ServerSession = new ServerSession(
      {
        onSend: (bytes) => void socket.write(bytes),
        onConnect: () => session.acceptConnect(loopbackInfo),
        onPublish: (request) =>
          request.streamName === 'taken' ? session.reject('NetStream.Publish.BadName', 'is taken') : session.acceptPublish(),
        onPlay: () => session.acceptPlay(),
        onMedia: (_type, _timestampMs, payload) => void published.push(payload.length),
        onUnpublish: () => {},
        onPause: () => {},
        onStop: () => {},
      },
      { crypto: nodeRtmpCrypto, unixSeconds: () => 0 },
    );
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      try {
        session.receive(bytes);
      } catch {
        socket.destroy();
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});

afterAll(() => {
  server.close();
});

it('connects, publishes and sends frames', async () => {
  using client = await RawRtmp.connect(port);
  expect(await client.connectApp('live')).toMatchObject({ name: '_result', transactionId: 1 });
  expect(client.messages.map((message) => message.type)).toContain(messageTypes.windowAckSize);
  expect((await client.publish('one')).name).toBe('onStatus');
  client.sendFrame(messageTypes.video, 40, Buffer.alloc(1000, 0x17));
  await client.waitForAnswer(client.sendCommand('ask'));
  expect(published).toContain(1000);
});

it('plays', async () => {
  using client = await RawRtmp.connect(port);
  await client.connectApp('live');
  expect((await client.play('one')).name).toBe('onStatus');
});

it('sees a refusal', async () => {
  using client = await RawRtmp.connect(port);
  await client.connectApp('live');
  const status = await client.publish('taken');
  expect(JSON.stringify(status.args)).toContain('BadName');
});

it('sees the connection closed after bad bytes', async () => {
  using client = await RawRtmp.connect(port);
  client.send(Buffer.alloc(2000, 0xee));
  await client.waitForClose();
  expect(client.isOpen).toBe(false);
  expect(client.received).toHaveLength(0);
});

it('a wait that is in vain tells what came instead', async () => {
  using client = await RawRtmp.connect(port);
  await client.connectApp('live');
  await expect(client.waitForCommand('onFCPublish', { limitMs: 100 })).rejects.toThrow(
    /no command onFCPublish from the server; it sent .*_result\(.* within 100 ms/,
  );
  await expect(client.waitForClose(100)).rejects.toThrow(/did not close/);
  client.sendMessage(messageTypes.setChunkSize, Buffer.alloc(4));
  await expect(client.waitForCommand('onFCPublish')).rejects.toThrow(/the server closed without command onFCPublish/);
});

it('sends slowly until the server closes', async () => {
  using client = await RawRtmp.connect(port);
  await client.sendSlowly(Buffer.from([0x03, 0, 0, 0]), 1, 1);
  expect(client.isOpen).toBe(true);
  expect(client.socket.bytesWritten).toBe(4);
});
