import { SrsError } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { fuzz } from '../../../test/support/fuzz.ts';
import { everyCut, feed, hex } from './pieces-test-support.ts';
import { clientMessage, opcodes, WebSocketReader } from './web-socket-reader.ts';

/** The payload of all binary messages, then pings and closes, then the message of the error if there is one. */
function read(bytes: Buffer, cuts: readonly number[] = []): string[] {
  let payload = '';
  const seen: string[] = [];
  const reader = new WebSocketReader({
    onPayload: (piece, start, end) => {
      payload += piece.toString('hex', start, end);
    },
    onPing: (ping) => seen.push(`ping ${ping.toString('hex')}`),
    onClose: () => seen.push('close'),
  });
  try {
    feed((piece, start, end) => reader.receive(piece, start, end), bytes, cuts);
  } catch (thrown) {
    if (!(thrown instanceof SrsError)) throw thrown;
    seen.push(thrown.message);
  }
  return [payload, ...seen];
}

const messages: readonly (readonly [string, Buffer, readonly string[]])[] = [
  ['a short message', hex('82 03 010203'), ['010203']],
  ['an empty message', hex('82 00 82 01 aa'), ['aa']],
  ['a message of 126 bytes', hex('82 7e 007e 55*126'), ['55'.repeat(126)]],
  ['a message with a length of 64 bits', hex('82 7f 0000000000000003 010203'), ['010203']],
  ['a message in parts', hex('02 01 01 80 02 0203'), ['010203']],
  ['a ping between parts', hex('02 01 01 89 02 cafe 80 01 02'), ['0102', 'ping cafe']],
  ['a ping without payload', hex('89 00'), ['', 'ping ']],
  ['a pong, which nobody has asked for', hex('8a 01 aa 82 01 bb'), ['bb']],
  ['a close', hex('88 02 03e8'), ['', 'close']],
  ['a text', hex('81 01 61'), ['', 'websocket message of opcode 1 must be a binary one']],
  ['a mask', hex('82 81 00000000 61'), ['', 'websocket message of a server must have no reserved bits and no mask']],
  ['compression', hex('c2 01 61'), ['', 'websocket message of a server must have no reserved bits and no mask']],
  ['a long ping', hex('89 7e 007e'), ['', 'websocket message of 126 bytes must have at most 125']],
  [
    'a message without end',
    hex('82 7f 0000000004000001'),
    ['', 'websocket message of 67108865 bytes must have at most 67108864'],
  ],
];

describe('messages of a server, whatever the pieces', () => {
  it.each(messages)('%s', (_name, bytes, expected) => {
    for (const cuts of everyCut(bytes)) expect([cuts, read(bytes, cuts)]).toEqual([cuts, expected]);
  });

  it('any bytes end in messages or an error', () => {
    const samples = messages.map(([, bytes]) => Buffer.concat([bytes, hex('82 02 0102')]));
    fuzz({ samples, count: 20_000, timeBoxMs: 15_000, maxGrowthBytes: 8 * 1024 * 1024 }, (input, random) => {
      const cut = random.below(input.length + 1);
      expect(read(input, [cut])).toEqual(read(input));
    });
  });
});

it('a client masks what it says', () => {
  expect(clientMessage(opcodes.pong, hex('cafe')).toString('hex')).toBe('8a8200000000cafe');
});
