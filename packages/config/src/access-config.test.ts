import { describe, expect, it } from 'vitest';
import { configFromEnv, loadConfig } from './load.ts';
import { formatProblem } from './problem.ts';

const load = (text: string) => loadConfig(`listen 1935; ${text}`, { fileName: 'srs.conf' });
const warningsOf = (text: string) => load(text).warnings.map(formatProblem);

describe('who may come in, as it is configured', () => {
  it('is everybody by default', () => {
    const vhost = load('vhost a.com { }').config.vhosts.get('a.com')!;
    expect(vhost.security).toEqual({ enabled: false, rules: [] });
    expect(vhost.publishAuth).toEqual({ enabled: false, keys: [], secrets: [] });
    expect(vhost.playAuth).toEqual({ enabled: false, keys: [], secrets: [] });
    expect(load('vhost a.com { }').config.limits).toEqual({
      connectionsPerIp: 0,
      publishersPerIp: 0,
      playersPerIp: 0,
      connectsPerSecondPerIp: 0,
      exempt: ['127.0.0.0/8', '::1'],
    });
  });

  it('has several keys and secrets in one line', () => {
    const { publishAuth } = load(
      'vhost a.com { publish_auth { enabled on; key first-key second-key; secret secret-number-0001 secret-number-0002; } }',
    ).config.vhosts.get('a.com')!;
    expect(publishAuth).toEqual({
      enabled: true,
      keys: ['first-key', 'second-key'],
      secrets: ['secret-number-0001', 'secret-number-0002'],
    });
  });

  it('takes secrets from the environment', () => {
    const env = {
      SRS_LISTEN: '1935',
      SRS_VHOST_PUBLISH_AUTH_ENABLED: 'on',
      SRS_VHOST_PUBLISH_AUTH_SECRET: 'secret-number-0001 secret-number-0002',
      SRS_LIMITS_PLAYERS_PER_IP: '7',
      SRS_LIMITS_EXEMPT: 'none',
    };
    const { config } = configFromEnv(env);
    expect(config.vhosts.get('__defaultVhost__')?.publishAuth.secrets).toEqual(['secret-number-0001', 'secret-number-0002']);
    expect(config.limits).toMatchObject({ playersPerIp: 7, exempt: [] });
  });

  it.each([
    [
      'nobody may publish',
      'vhost a.com { security { enabled on; allow play all; deny publish 10.0.0.1; } }',
      ['srs.conf:1: security of vhost a.com has no allow publish, nobody may publish'],
    ],
    [
      'nobody may do anything',
      'vhost a.com { security { enabled on; } }',
      [
        'srs.conf:1: security of vhost a.com has no allow publish, nobody may publish',
        'srs.conf:1: security of vhost a.com has no allow play, nobody may play',
      ],
    ],
    ['all right', 'vhost a.com { security { enabled on; allow play all; allow publish ::1; } }', []],
    ['security is off', 'vhost a.com { security { enabled off; } }', []],
    ['the vhost is off', 'vhost a.com { enabled off; security { enabled on; } }', []],
  ])('warns: %s', (_name, text, warnings) => {
    expect(warningsOf(text)).toEqual(warnings);
  });

  it('a second line of keys does not count, which is said without showing it', () => {
    const text = 'vhost a.com { publish_auth { enabled on; key first-key-1; key second-key-2; } }';
    expect(warningsOf(text)).toEqual(['srs.conf:1: key is given twice, the one in line 1 counts']);
  });

  it('too many keys are not shown', () => {
    const keys = Array.from({ length: 17 }, (_, index) => `key-number-${index}`).join(' ');
    expect(() => load(`vhost a.com { play_auth { key ${keys}; } }`)).toThrow(
      /^(?!.*key-number).*key \*\*\* must be 1\.\.16 words/s,
    );
  });
});
