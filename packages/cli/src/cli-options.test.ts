import { describe, expect, it } from 'vitest';
import { BadArguments, parseApiAddress, parseCliOptions } from './cli-options.ts';

function faultOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof BadArguments) return error.message;
    throw error;
  }
  throw new Error('nothing was wrong');
}

describe('the options of srs-cli', () => {
  it('are few: a command alone asks the default address', () => {
    expect(parseCliOptions(['status'])).toEqual({
      kind: 'ask',
      question: 'status',
      api: { host: '127.0.0.1', port: 33330 },
      isJson: false,
      timeoutMs: 500,
    });
  });

  it('stand before or behind the command', () => {
    const expected = { question: 'clients', api: { host: '::1', port: 9 }, isJson: true, timeoutMs: 2000 };
    expect(parseCliOptions(['--json', '--api', '[::1]:9', '--timeout', '2000', 'clients'])).toMatchObject(expected);
    expect(parseCliOptions(['clients', '--timeout=2000', '--api=[::1]:9', '--json'])).toMatchObject(expected);
  });

  it.each([['--help'], ['-h'], ['streams', '--help']])('%j is a call for help', (...args) => {
    const request = parseCliOptions(args);
    expect(request).toMatchObject({ kind: 'help', text: expect.stringContaining('--timeout') as string });
  });

  it.each([
    [[], 'a command is missing; there are status, workers, streams, clients'],
    [['stat'], '"stat" is no command; there are status, workers, streams, clients'],
    [['status', 'streams'], '"status streams" is no command; there are status, workers, streams, clients'],
    [['status', 'again'], '"status again" is no command; there are status, workers, streams, clients'],
    [['status', '--xml'], 'Unknown argument: xml'],
    [['status', '--api'], 'Not enough arguments following: api'],
    [['status', '--api', 'x:y'], '--api "x:y" must be ip:port, [ipv6]:port, name:port or port (1..65535)'],
    [['status', '--timeout', 'soon'], '--timeout must be a whole number in 10..60000 (milliseconds)'],
    [['status', '--timeout', '0'], '--timeout must be a whole number in 10..60000 (milliseconds)'],
    [['status', '--timeout', '60001'], '--timeout must be a whole number in 10..60000 (milliseconds)'],
  ])('%j is refused: %s', (args, message) => {
    expect(faultOf(() => parseCliOptions(args))).toBe(message);
  });

  it.each([
    ['33330', '127.0.0.1', 33330],
    ['10.0.0.1:1', '10.0.0.1', 1],
    ['[fe80::1]:65535', 'fe80::1', 65535],
    ['media-server:33330', 'media-server', 33330],
  ])('the address %s is host %s, port %i', (text, host, port) => {
    expect(parseApiAddress(text)).toEqual({ host, port });
  });

  it.each(['', '0', '65536', '127.0.0.1', '::1:33330', '[::1]', 'http://127.0.0.1:33330', 'a b:1', 'user@host:1', ':1', '1:'])(
    '%j is no address',
    (text) => {
      expect(faultOf(() => parseApiAddress(text))).toMatch(/^--api .* must be/);
    },
  );
});
