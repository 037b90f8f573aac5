import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import { bodyOf, partOf, sendPieces, sizeOf } from './file-body.ts';
import { FileOpener } from './file-opener.ts';

it('a part is what a slice of the head and the file is', () => {
  const bytes = Buffer.from(Array.from({ length: 60 }, (_, index) => index));
  const upTo = (max: number) => fc.nat({ max });
  fc.assert(
    fc.property(upTo(20), upTo(20), upTo(20), upTo(50), upTo(50), (headBytes, first, length, from, count) => {
      const file = bytes.subarray(20);
      const body = bodyOf(first, first + length, bytes.subarray(0, headBytes));
      const all = Buffer.concat([body.head, file.subarray(first, first + length)]);
      expect(sizeOf(body)).toBe(all.length);
      const range = { first: Math.min(from, all.length), end: Math.min(from + count, all.length) };
      const part = partOf(body, range);
      const got = Buffer.concat([part.head, file.subarray(part.first, part.end)]);
      expect(got.equals(all.subarray(range.first, range.end))).toBe(true);
    }),
  );
});

it('sending ends when the connection does, even before anybody has been told of that', async () => {
  const file = await new FileOpener().open(import.meta.filename);
  const sent = Promise.withResolvers<boolean>();
  const server = createServer((_request, response) => {
    response.socket?.destroy();
    sent.resolve(sendPieces(response, file, bodyOf(0, file.sizeBytes, Buffer.from('head'))));
  });
  server.listen(0, '127.0.0.1');
  onTestFinished(() => {
    file.release();
    server.close();
  });
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.end('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  expect(await sent.promise).toBe(true);
});
