import { describe, expect, it } from 'vitest';
import { BadArguments, commandNames } from './cli-commands.ts';
import { parseApiAddress, parseCliOptions } from './cli-options.ts';

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
      command: { name: 'status' },
      api: { host: '127.0.0.1', port: 33330 },
      isJson: false,
      timeoutMs: 500,
    });
  });

  it('stand before or behind the command', () => {
    const expected = { command: { name: 'clients' }, api: { host: '::1', port: 9 }, isJson: true, timeoutMs: 2000 };
    expect(parseCliOptions(['--json', '--api', '[::1]:9', '--timeout', '2000', 'clients'])).toMatchObject(expected);
    expect(parseCliOptions(['clients', '--timeout=2000', '--api=[::1]:9', '--json'])).toMatchObject(expected);
  });

  it.each([
    [['kick', '203'], { name: 'kick', id: 203 }],
    [['reload'], { name: 'reload', isDryRun: false }],
    [['reload', '--dry-run'], { name: 'reload', isDryRun: true }],
    [['drain', '2'], { name: 'drain', wish: { kind: 'slot', slot: 2 } }],
    [['drain', '--cancel'], { name: 'drain', wish: { kind: 'cancel' } }],
    [['drain', '--all'], { name: 'drain', wish: { kind: 'server', to: undefined, withinSeconds: undefined, isStopping: false } }],
    [
      ['drain', '--all', '--to', 'rtmp://b:1936', '--within', '10m', '--stop'],
      { name: 'drain', wish: { kind: 'server', to: 'rtmp://b:1936', withinSeconds: 600, isStopping: true } },
    ],
    [
      ['drain', '--all', '--now'],
      { name: 'drain', wish: { kind: 'server', to: undefined, withinSeconds: 0, isStopping: false } },
    ],
    [['log-level', 'info'], { name: 'log-level', level: 'info' }],
    [['record', 'live/one', 'on'], { name: 'record', subject: 'live/one', wish: 'on' }],
    [['record', '01', 'auto'], { name: 'record', subject: '01', wish: 'auto' }],
    [['forward', 'list'], { name: 'forward', wish: { action: 'list', subject: undefined } }],
    [['forward', 'list', 'live/one'], { name: 'forward', wish: { action: 'list', subject: 'live/one' } }],
    [['forward', 'add', '01', '10.0.0.7'], { name: 'forward', wish: { action: 'add', subject: '01', destination: '10.0.0.7' } }],
    [
      ['forward', 'remove', 'live/one', '2001'],
      { name: 'forward', wish: { action: 'remove', subject: 'live/one', destination: '2001' } },
    ],
    [['config'], { name: 'config', pattern: undefined }],
    [['config', 'hls'], { name: 'config', pattern: 'hls' }],
    [['top'], { name: 'top', isOnce: false }],
    [['top', '--once'], { name: 'top', isOnce: true }],
    [['explain', '0203'], { name: 'explain', subject: '0203' }],
    [['explain', 'live/one'], { name: 'explain', subject: 'live/one' }],
    [['completion', 'zsh'], { name: 'completion', shell: 'zsh' }],
  ])('%j is a command with its arguments', (args, command) => {
    expect(parseCliOptions(args)).toMatchObject({ kind: 'ask', command });
  });

  it('give more time to what changes something, unless told', () => {
    expect(parseCliOptions(['reload'])).toMatchObject({ timeoutMs: 30_000 });
    expect(parseCliOptions(['reload', '--timeout', '700'])).toMatchObject({ timeoutMs: 700 });
  });

  it('of one command are told by its help', () => {
    expect(parseCliOptions(['reload', '--help'])).toMatchObject({ text: expect.stringContaining('--dry-run') as string });
  });

  it.each([['--help'], ['-h'], ['streams', '--help']])('%j is a call for help', (...args) => {
    const request = parseCliOptions(args);
    expect(request).toMatchObject({ kind: 'help', text: expect.stringContaining('--timeout') as string });
  });

  it.each([
    [[], `a command is missing; there are ${commandNames.join(', ')}`],
    [['stat'], `"stat" is no command; there are ${commandNames.join(', ')}`],
    [['status', 'streams'], '"streams" is too much for status'],
    [['kick', '1', '2'], '"2" is too much for kick <id>'],
    [['kick'], '"kick" lacks its argument: kick <id>'],
    [['explain'], '"explain" lacks its argument: explain <subject>'],
    [['record', 'live/one'], '"record" lacks its argument: record <stream> <wish>'],
    [['record', 'live/one', 'yes'], 'wish "yes" must be one of on, off, auto'],
    [['forward'], '"forward" lacks its argument: forward <action> [stream] [destination]'],
    [['forward', 'show'], 'action "show" must be one of list, add, remove'],
    [['forward', 'add', 'live/one'], '"forward add" lacks its arguments: forward add <stream> <destination>'],
    [['forward', 'remove'], '"forward remove" lacks its arguments: forward remove <stream> <destination>'],
    [['forward', 'list', 'live/one', 'x'], '"x" is too much for forward list [stream]'],
    [['forward', 'add', 'live/one', 'x', 'y'], '"y" is too much for forward <action> [stream] [destination]'],
    [['kick', 'all'], 'client id "all" must be a whole number in 0..4294967295'],
    [['kick', '-1'], 'client id "-1" must be a whole number in 0..4294967295'],
    [['kick', '4294967296'], 'client id "4294967296" must be a whole number in 0..4294967295'],
    [['kick', '0x10'], 'client id "0x10" must be a whole number in 0..4294967295'],
    [['drain'], '"drain" wants one of: the slot of a worker, --all, --cancel'],
    [['drain', '1', '--all'], '"drain" wants one of: the slot of a worker, --all, --cancel'],
    [['drain', '1', '--to', 'rtmp://b'], '--to, --within, --now and --stop go with drain --all'],
    [['drain', '--all', '--now', '--within', '5'], '--now and --within cannot go together'],
    [['drain', '--all', '--within', '2d'], '--within "2d" must be 0..24h, such as 90, 90s, 10m or 2h'],
    [['drain', '--all', '--within', '25h'], '--within "25h" must be 0..24h, such as 90, 90s, 10m or 2h'],
    [['drain', 'one'], 'worker "one" must be a whole number in 0..65535'],
    [['log-level', 'loud'], 'level "loud" must be one of verbose, info, trace, warn, error, off'],
    [['completion', 'fish'], 'shell "fish" must be one of bash, zsh'],
    [['status', '--once'], 'Unknown argument: once'],
    [['reload', '--dry'], 'Unknown argument: dry'],
    [['status', '--xml'], 'Unknown argument: xml'],
    [['status', '--api'], 'Not enough arguments following: api'],
    [['status', '--api', 'x:y'], '--api "x:y" must be ip:port, [ipv6]:port, name:port or port (1..65535)'],
    [['status', '--timeout', 'soon'], '--timeout must be a whole number in 10..600000 (milliseconds)'],
    [['status', '--timeout', '0'], '--timeout must be a whole number in 10..600000 (milliseconds)'],
    [['status', '--timeout', '600001'], '--timeout must be a whole number in 10..600000 (milliseconds)'],
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
