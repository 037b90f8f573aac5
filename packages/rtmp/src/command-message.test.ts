import { AmfObject } from '@srs/amf';
import { describe, expect, it } from 'vitest';
import { fuzz } from '../../../test/support/fuzz.ts';
import { decodeCommand, encodeCommand, MAX_COMMAND_BYTES } from './command-message.ts';

const AMF0_COMMAND = 20;
const AMF3_COMMAND = 17;

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}

const commands: readonly [string, Parameters<typeof encodeCommand>][] = [
  ['02 000c 63726561746553747265616d 00 4000000000000000 05', ['createStream', 2, null]],
  ['02 0007 5f726573756c74 00 4000000000000000 05 06', ['_result', 2, null, undefined]],
  ['02 0005 7061757365 00 0000000000000000 05 01 01 00 4059000000000000', ['pause', 0, null, true, 100]],
];

describe('a command', () => {
  it.each(commands)('%s is read and written', (bytes, [name, transactionId, object, ...args]) => {
    expect(encodeCommand(name, transactionId, object, ...args)).toEqual(hex(bytes));
    expect(decodeCommand(AMF0_COMMAND, hex(bytes))).toEqual({ name, transactionId, object, args });
  });

  it('of type 17 has one byte more in front', () => {
    const command = { name: 'createStream', transactionId: 2, object: null, args: [] };
    expect(decodeCommand(AMF3_COMMAND, hex(`00 ${commands[0]![0]}`))).toEqual(command);
  });

  it('of type 17 may hold AMF3 values', () => {
    const { args } = decodeCommand(AMF3_COMMAND, hex('00 02 0004 706c6179 00 0000000000000000 05 11 06 09 73686f77'));
    expect(args).toEqual(['show']);
  });

  it('may end after its name', () => {
    expect(decodeCommand(AMF0_COMMAND, hex('02 0001 78'))).toEqual({ name: 'x', transactionId: 0, object: null, args: [] });
  });

  it('with a transaction id that is no number has 0', () => {
    expect(decodeCommand(AMF0_COMMAND, encodeCommand('x', 0, null)).transactionId).toBe(0);
    expect(decodeCommand(AMF0_COMMAND, hex('02 0001 78 05 05')).transactionId).toBe(0);
  });

  it('is read up to 16 arguments, whatever is behind them', () => {
    const args = Array.from({ length: 16 }, (_, index) => index);
    const bytes = Buffer.concat([encodeCommand('x', 0, null, ...args), hex('ff ff ff')]);
    expect(decodeCommand(AMF0_COMMAND, bytes).args).toEqual(args);
  });

  it.each([
    ['nothing', '', 'command name must be a string, not undefined'],
    ['a number for a name', '00 0000000000000000', 'command name must be a string, not number'],
    ['null for a name', '05', 'command name must be a string, not null'],
  ])('of %s is refused', (_name, bytes, text) => {
    expect(() => decodeCommand(AMF0_COMMAND, hex(bytes))).toThrow(text);
    expect(() => decodeCommand(AMF3_COMMAND, hex(`00 ${bytes}`))).toThrow(text);
  });

  it('of more than a megabyte is refused unread', () => {
    expect(() => decodeCommand(AMF0_COMMAND, Buffer.alloc(MAX_COMMAND_BYTES + 1))).toThrow(
      'command of 1048577 bytes exceeds the limit 1048576',
    );
  });

  it('bears 200,000 mutated inputs', () => {
    const object = AmfObject.object({ app: 'live', nested: AmfObject.ecmaArray({ a: [1, 'b', null] }), srs_pid: 5 });
    const samples = [
      encodeCommand('connect', 1, object, object),
      encodeCommand('play', 4, null, 'show', -2, -1, true),
      hex('00 02 0004 706c6179 00 0000000000000000 05 11 0a 0b 01 03 61 04 01 01'),
    ];
    const result = fuzz({ samples, count: 200_000, timeBoxMs: 8000, maxGrowthBytes: 4_000_000 }, (input, random) => {
      decodeCommand(random.below(2) === 0 ? AMF0_COMMAND : AMF3_COMMAND, input);
    });
    expect(result.accepted).toBeGreaterThan(1000);
    expect(result.refused).toBeGreaterThan(1000);
  });
});
