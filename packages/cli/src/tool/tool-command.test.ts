import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runTool } from './tool-command.ts';

const secret = 'correct-horse-battery-staple';
let directory = '';
let secretFile = '';

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'srs-tool-'));
  secretFile = join(directory, 'secret');
  writeFileSync(secretFile, `${secret}\n`);
});

afterAll(() => rmSync(directory, { recursive: true }));

function run(args: readonly string[], env: Record<string, string> = {}) {
  let out = '';
  let err = '';
  const code = runTool(args, {
    stdout: {
      write: (text: string) => {
        out += text;
      },
    },
    stderr: {
      write: (text: string) => {
        err += text;
      },
    },
    env,
  });
  return { code, out, err };
}

const signArgs = (...more: string[]) => [
  'sign',
  '--use',
  'publish',
  '--stream',
  'livestream',
  '--expires',
  '1900000000',
  ...more,
];

describe('srs-tool sign', () => {
  // The same as: printf 'publish:__defaultVhost__/live/livestream:1900000000' | openssl dgst -sha256 -hmac SECRET
  const parameters = 'expires=1900000000&sign=716d708bb4e384256d20017210413365e72e15003e01715db42b85fc6401b493';

  it('prints the address and nothing else where programs read', () => {
    const { code, out, err } = run(signArgs('--secret-file', secretFile));
    expect(code).toBe(0);
    expect(out).toBe(`rtmp://127.0.0.1/live/livestream?${parameters}\n`);
    expect(err).toMatch(/^publish __defaultVhost__\/live\/livestream until 2030-03-17T17:46:40Z \(\d+ d( \d+ h)?\)\n/);
    expect(err).toContain(`OBS: server rtmp://127.0.0.1/live, stream key livestream?${parameters}\n`);
  });

  it('takes the secret from a file, from the environment, or with a warning from the command line', () => {
    const expected = run(signArgs('--secret-file', secretFile)).out;
    expect(run(signArgs('--secret-env', 'S'), { S: secret })).toMatchObject({ code: 0, out: expected });
    const exposed = run(signArgs('--secret', secret));
    expect(exposed).toMatchObject({ code: 0, out: expected });
    expect(exposed.err).toMatch(/^srs-tool: warning: --secret can be seen/);
    for (const { err, out } of [exposed, run(signArgs('--secret-file', secretFile))]) expect(err + out).not.toContain(secret);
  });

  it('names the vhost where the host does not, and a port that is not usual', () => {
    const urlOf = (...more: string[]) => run(signArgs('--secret-file', secretFile, ...more)).out;
    expect(urlOf('--vhost', 'a.com', '--host', 'a.com')).toMatch(/^rtmp:\/\/a\.com\/live\/livestream\?expires=/);
    expect(urlOf('--vhost', 'a.com', '--host', 'b.com:1936')).toMatch(
      /^rtmp:\/\/b\.com:1936\/live\?vhost=a\.com\/livestream\?expires=/,
    );
    expect(urlOf('--host', '[::1]:1935')).toMatch(/^rtmp:\/\/\[::1\]\/live\//);
  });

  it('one JSON document with all parts', () => {
    const { out } = run(signArgs('--secret-file', secretFile, '--ip', '::ffff:10.0.0.1', '--json'));
    expect(JSON.parse(out)).toEqual({
      use: 'publish',
      streamId: '__defaultVhost__/live/livestream',
      url: expect.stringMatching(/^rtmp:\/\/127\.0\.0\.1\/live\/livestream\?expires=1900000000&sign=[0-9a-f]{64}$/) as string,
      server: 'rtmp://127.0.0.1/live',
      streamKey: expect.stringMatching(/^livestream\?expires=1900000000&sign=/) as string,
      parameters: expect.stringMatching(/^expires=1900000000&sign=/) as string,
      expires: 1_900_000_000,
      expiresAt: '2030-03-17T17:46:40Z',
      ip: '10.0.0.1',
    });
  });

  it.each([
    ['90s', 90, '1 min 30 s'],
    ['30m', 1800, '30 min'],
    ['2h', 7200, '2 h'],
    ['7d', 604_800, '7 d'],
  ])('expires in %s', (text, seconds, said) => {
    const fromSeconds = Math.floor(Date.now() / 1000);
    const { out, err } = run(['sign', '--use', 'play', '--stream', 's', '--secret-file', secretFile, '--expires', text]);
    const expires = Number(/expires=(\d+)/.exec(out)?.[1]);
    expect(expires).toBeGreaterThanOrEqual(fromSeconds + seconds);
    expect(expires).toBeLessThanOrEqual(Math.floor(Date.now() / 1000) + seconds);
    expect(err).toContain(`(${said})\n`);
  });

  it('a time with a zone, and a stream whose name is a number', () => {
    const { out } = run([
      'sign',
      '--use',
      'play',
      '--stream',
      '007',
      '--secret-file',
      secretFile,
      '--expires',
      '2030-01-31T12:00:00+01:00',
    ]);
    expect(out).toContain('/live/007?expires=1896087600&');
  });

  it.each([
    [[], 'a command is missing; there is sign'],
    [['sing'], '"sing" is no command; there is sign'],
    [['sign', '--stream', 's'], '--use is missing and must be publish or play'],
    [['sign', '--use', 'watch', '--stream', 's'], '--use "watch" must be publish or play'],
    [['sign', '--use', 'play'], '--stream is missing and must be a name: stream name "" is empty'],
    [
      ['sign', '--use', 'play', '--stream', 's?key=1'],
      '--stream "s?key=1" must be a name without blanks, parameters and needless slashes',
    ],
    [['sign', '--use', 'play', '--stream', '../s'], /--stream "\.\.\/s" must be a name: .* begins with a dot/],
    [['sign', '--use', 'play', '--stream', 's', '--app', 'a//b'], /--app "a\/\/b" must be a name without/],
    [['sign', '--use', 'play', '--stream', 's', '--vhost', 'a/b'], '--vhost "a/b" must be the name of a vhost'],
    [['sign', '--use', 'play', '--stream', 's', '--ip', '10.0.0'], '--ip "10.0.0" must be an IPv4 or IPv6 address'],
    [['sign', '--use', 'play', '--stream', 's', '--expires', 'soon'], /--expires "soon" must be a duration/],
    [['sign', '--use', 'play', '--stream', 's', '--expires', '0s'], /--expires "0s" is 0 s from now, must be 1\.\./],
    [['sign', '--use', 'play', '--stream', 's', '--expires', '2001-01-01T00:00:00Z'], /is -\d+ s from now, must be/],
    [['sign', '--use', 'play', '--stream', 's'], 'one of --secret-file, --secret-env and --secret must say what to sign with'],
    [['sign', '--use', 'play', '--stream', 's', '--secret', secret, '--secret-env', 'S'], /^one of --secret-file/],
    [['sign', '--use', 'play', '--stream', 's', '--secret-env', 'S'], '--secret-env "S" must be a variable that is set'],
    [['sign', '--use', 'play', '--stream', 's', '--secret-file', '/nowhere'], /--secret-file "\/nowhere" cannot be read: ENOENT/],
    [
      ['sign', '--use', 'play', '--stream', 's', '--secret', 'hunter2/hunter2/hunter2'],
      'the value of --secret must be 16..256 letters, digits, _ and -, as secret in publish_auth and play_auth; it has 23 characters',
    ],
    [['sign', '--use', 'play', '--stream', 's', '--secret', secret, '--host', 'a b'], /--host "a b" must be host/],
    [['sign', '--use', 'play', '--stream', 's', '--secrets', 'x'], 'Unknown argument: secrets'],
  ])('%j is refused', (args, message) => {
    const { code, out, err } = run(args);
    expect(code).toBe(2);
    expect(out).toBe('');
    const said = /^srs-tool: (.*)\nTry srs-tool sign --help\n$/s.exec(err)?.[1] ?? '';
    if (typeof message === 'string') expect(said).toBe(message);
    else expect(said).toMatch(message);
    expect(err).not.toContain('hunter2');
  });

  it.each([[['--help']], [['sign', '-h']]])('%j is a call for help', (args) => {
    const { code, out } = run(args);
    expect(code).toBe(0);
    expect(out).toContain('--secret-file');
  });
});
