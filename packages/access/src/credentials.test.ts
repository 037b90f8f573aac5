import { describe, expect, it } from 'vitest';
import { vhostOf } from './access-test-support.ts';
import { type CredentialRequest, checkCredentials } from './credentials.ts';
import { grantParameters, signGrant } from './signature.ts';

const secret = 'correct-horse-battery-staple';
const oldSecret = 'an-older-secret-of-the-same-server';
const key = 'key-of-the-studio';
const now = 1_800_000_000;
const streamId = 'a.com/live/one';

describe('a signature', () => {
  // Made with: printf TEXT | openssl dgst -sha256 -hmac SECRET
  it.each([
    [
      secret,
      { use: 'publish', streamId: '__defaultVhost__/live/livestream', expires: 1_900_000_000 },
      '716d708bb4e384256d20017210413365e72e15003e01715db42b85fc6401b493',
    ],
    [
      secret,
      { use: 'play', streamId: 'a.com/live/s', expires: 1_900_000_000, ip: '2001:db8::1' },
      '263ed9a5f71b238ae6ac1f1a0435874604f752c034fa6472f1905ee6587aa958',
    ],
    [
      's',
      { use: 'play', streamId: 'v/live/ü', expires: 1, ip: '10.0.0.1' },
      '33bf3da1389d44653dc0eb37b2599af9ac01dc1a70ade6d0e9a7998d56935c71',
    ],
  ] as const)('with %s of %j', (given, grant, expected) => {
    expect(signGrant(given, grant).toString('hex')).toBe(expected);
  });
});

describe('keys and signed addresses', () => {
  const both = vhostOf(`publish_auth { enabled on; key other-key-1 ${key}; secret ${secret} ${oldSecret}; }`).publishAuth;
  const keysOnly = vhostOf(`publish_auth { enabled on; key ${key}; }`).publishAuth;
  const secretsOnly = vhostOf(`publish_auth { enabled on; secret ${secret}; }`).publishAuth;
  const off = vhostOf(`publish_auth { enabled off; secret ${secret}; }`).publishAuth;

  const ask = (auth: typeof both, parameters: readonly string[], change: Partial<CredentialRequest> = {}): string | undefined =>
    checkCredentials(auth, { use: 'publish', streamId, ip: '10.0.0.1', parameters, unixSeconds: now, ...change })?.text;
  const signed = (change: Partial<Parameters<typeof grantParameters>[1]> = {}, by = secret): string =>
    `?${grantParameters(by, { use: 'publish', streamId, expires: now + 60, ...change })}`;

  it.each([
    ['off, nothing is asked for', off, []],
    ['the key behind the stream', both, [`?key=${key}`]],
    ['the key in the tcUrl', both, ['', `?key=${key}`]],
    ['the key among others', both, [`?a=1&key=${key}&b=2`]],
    ['the key behind a comma, as encoders write it', both, [`?vhost=x,key=${key}`]],
    ['a signature', both, [signed()]],
    ['a signature, upper case', both, [signed().replace(/[0-9a-f]{64}/, (hex) => hex.toUpperCase())]],
    ['a signature in the tcUrl', secretsOnly, ['', signed()]],
    ['a signature made with the other secret', both, [signed({}, oldSecret)]],
    ['a signature for this client', both, [signed({ ip: '10.0.0.1' })]],
    ['in its last second', both, [signed({ expires: now })]],
    ['a wrong key beside a right signature', both, [`?key=wrong&${signed().slice(1)}`]],
    ['a key that nobody asked for', secretsOnly, [`?key=x&${signed().slice(1)}`]],
  ] as const)('%s: let in', (_name, auth, parameters) => {
    expect(ask(auth, parameters)).toBeUndefined();
  });

  it('a client with IPv6 is who it is, however its address was written', () => {
    const parameters = [signed({ ip: '2001:db8::1' })];
    expect(ask(both, parameters, { ip: '2001:0db8:0:0:0:0:0:1' })).toBeUndefined();
    expect(ask(both, parameters, { ip: '2001:db8::2' })).toMatch(/sign is not right/);
    expect(ask(both, [signed({ ip: '10.0.0.1' })], { ip: '::ffff:10.0.0.1' })).toBeUndefined();
  });

  const wrongSign = 'publish of a.com/live/one refused: sign is not right for this use, stream, time and client';

  it.each([
    [
      'nothing, a key would do',
      keysOnly,
      [],
      'publish of a.com/live/one refused: the parameter key must stand behind the stream name',
    ],
    [
      'nothing, a signature would do',
      secretsOnly,
      [],
      'publish of a.com/live/one refused: the parameters expires and sign must stand behind the stream name',
    ],
    [
      'nothing, either would do',
      both,
      ['?vhost=a.com'],
      'publish of a.com/live/one refused: the parameters key, or expires and sign must stand behind the stream name',
    ],
    ['a wrong key', both, ['?key=hunter2hunter2'], 'publish of a.com/live/one refused: its key is not right'],
    ['an empty key', both, ['?key='], 'publish of a.com/live/one refused: its key is not right'],
    ['the beginning of a key', keysOnly, [`?key=${key.slice(0, -1)}`], 'publish of a.com/live/one refused: its key is not right'],
    [
      'a key in the wrong case',
      keysOnly,
      [`?key=${key.toUpperCase()}`],
      'publish of a.com/live/one refused: its key is not right',
    ],
    [
      'a signature where only keys are known',
      keysOnly,
      [signed()],
      'publish of a.com/live/one refused: the parameter key must stand behind the stream name',
    ],
    [
      'no expires',
      secretsOnly,
      [`?sign=${'0'.repeat(64)}`],
      'publish of a.com/live/one refused: it has no expires, the parameters expires and sign must stand behind the stream name',
    ],
    [
      'no sign',
      secretsOnly,
      ['?expires=1900000000'],
      'publish of a.com/live/one refused: it has no sign, the parameters expires and sign must stand behind the stream name',
    ],
    [
      'an expires that is no number',
      secretsOnly,
      [signed().replace(/expires=\d+/, 'expires=1e99')],
      'publish of a.com/live/one refused: expires must be seconds since 1970, 1..12 digits',
    ],
    [
      'a short sign',
      secretsOnly,
      [signed().slice(0, -1)],
      'publish of a.com/live/one refused: sign has 63 characters, must have 64 hexadecimal digits',
    ],
    ['too late', secretsOnly, [signed({ expires: now - 35 })], 'publish of a.com/live/one refused: its address expired 35 s ago'],
    ['one digit changed', secretsOnly, [signed().replace(/.$/, (last) => (last === '0' ? '1' : '0'))], wrongSign],
    ['expires put off', secretsOnly, [signed().replace(/expires=\d+/, `expires=${now + 3600}`)], wrongSign],
    ['a signature for playing', secretsOnly, [signed({ use: 'play' })], wrongSign],
    ['a signature for another stream', secretsOnly, [signed({ streamId: 'a.com/live/two' })], wrongSign],
    ['a signature for another vhost', secretsOnly, [signed({ streamId: 'b.com/live/one' })], wrongSign],
    ['a signature for another client', secretsOnly, [signed({ ip: '10.0.0.2' })], wrongSign],
    ['a secret that is no more', secretsOnly, [signed({}, oldSecret)], wrongSign],
  ] as const)('%s: refused', (_name, auth, parameters, text) => {
    expect(ask(auth, parameters)).toBe(text);
  });

  it('no refusal holds a key, a secret, or the signature that would have been right', () => {
    const right = signed();
    const hex = /[0-9a-f]{64}/.exec(right)![0];
    const attempts = [
      [],
      ['?key=x'],
      [`?expires=${now + 60}`],
      [`?expires=${now + 60}&sign=${'0'.repeat(64)}`],
      ['?sign=1&expires=1'],
    ];
    for (const parameters of attempts) {
      const text = ask(both, parameters) ?? '';
      expect(text).not.toBe('');
      for (const hidden of [key, secret, oldSecret, hex, 'other-key-1']) expect(text).not.toContain(hidden);
    }
  });
});
