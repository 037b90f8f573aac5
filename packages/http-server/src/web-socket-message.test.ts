import { SrsError } from '@srs/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { acceptKey, binaryMessage, MessageReader, opcodes } from './web-socket-message.ts';

/** A message as a client sends it. */
function masked(opcode: number, payload: Buffer, mask = Buffer.from([1, 2, 3, 4])): Buffer {
  const plain = binaryMessage(payload, opcode);
  const headBytes = plain.length - payload.length;
  const head = Buffer.from(plain.subarray(0, headBytes));
  head[1] = head[1]! | 0x80;
  return Buffer.concat([head, mask, payload.map((byte, index) => byte ^ mask[index % 4]!)]);
}

function read(pieces: readonly Buffer[]): readonly string[] {
  const told: string[] = [];
  const reader = new MessageReader({
    onPing: (payload) => told.push(`ping ${payload.toString()}`),
    onClose: () => told.push('close'),
  });
  for (const piece of pieces) reader.receive(piece);
  return told;
}

it('the answer to a key is that of the example in RFC 6455', () => {
  expect(acceptKey('dGhlIHNhbXBsZSBub25jZQ==')).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
});

it.each([
  [0, '8200'],
  [125, '827d'],
  [126, '827e007e'],
  [65_535, '827effff'],
  [65_536, '827f0000000000010000'],
])('a message of %i bytes has the head %s', (length, head) => {
  const message = binaryMessage(Buffer.alloc(length, 7));
  expect(message.toString('hex', 0, head.length / 2)).toBe(head);
  expect(message.length).toBe(head.length / 2 + length);
});

describe('what a client sends', () => {
  const dialogue = Buffer.concat([
    masked(opcodes.text, Buffer.from('hello')),
    masked(opcodes.ping, Buffer.from('are you there')),
    masked(opcodes.binary, Buffer.alloc(300, 1)),
    masked(opcodes.binary, Buffer.alloc(65_536, 1)),
    masked(opcodes.ping, Buffer.alloc(0)),
    masked(opcodes.close, Buffer.from([3, 232])),
  ]);
  const expected = ['ping are you there', 'ping ', 'close'];

  it('is read at every split point', () => {
    for (let at = 0; at <= dialogue.length; at += at < 400 || at > dialogue.length - 40 ? 1 : 997)
      expect(read([dialogue.subarray(0, at), dialogue.subarray(at)])).toEqual(expected);
  });

  it('is read byte by byte', () => {
    expect(read(Array.from(dialogue, (byte) => Buffer.from([byte])))).toEqual(expected);
  });

  it.each([
    ['without a mask', Buffer.from([0x81, 0x01, 0x61]), 'websocket message of a client must be masked'],
    ['with reserved bits', Buffer.from([0xc1, 0x81]), 'websocket message with reserved bits set'],
    ['a ping of 126 bytes', Buffer.from([0x89, 0xfe]), 'websocket control message must be whole and have at most 125 bytes'],
    ['a ping in parts', Buffer.from([0x09, 0x81]), 'websocket control message must be whole and have at most 125 bytes'],
    [
      'a message of 65537 bytes',
      Buffer.from('82ff0000000000010001', 'hex'),
      'websocket message of 65537 bytes must have at most 65536',
    ],
    [
      'a message of 2^32 bytes',
      Buffer.from('82ff0000000100000000', 'hex'),
      'websocket message of 4294967296 bytes must have at most 65536',
    ],
  ])('is refused when it is %s', (_, bytes, message) => {
    expect(() => read([bytes])).toThrow(new SrsError('PacketInvalid', message));
  });

  it('never costs more than an error, whatever it is', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }), (pieces) => {
        try {
          read(pieces.map((piece) => Buffer.from(piece)));
        } catch (error) {
          expect(error).toBeInstanceOf(SrsError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
