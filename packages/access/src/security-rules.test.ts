import { describe, expect, it } from 'vitest';
import { vhostOf } from './access-test-support.ts';
import { checkSecurity } from './security-rules.ts';

const allowAll = 'allow publish all; allow play all;';

describe('security', () => {
  it.each([
    ['off, nobody is asked', 'enabled off; deny play all;', 'play', '1.2.3.4', undefined],
    ['on without rules, nobody may', 'enabled on;', 'play', '127.0.0.1', 'play from 127.0.0.1 is allowed by no rule of security'],
    ['allow all', `enabled on; ${allowAll}`, 'publish', '1.2.3.4', undefined],
    ['rules of the other use do not count', 'enabled on; allow play all;', 'publish', '1.2.3.4', /allowed by no rule/],
    ['an address', 'enabled on; allow publish 10.0.0.1;', 'publish', '10.0.0.1', undefined],
    ['another address', 'enabled on; allow publish 10.0.0.1;', 'publish', '10.0.0.2', /^publish from 10.0.0.2 is allowed by no/],
    ['an address that only begins alike', 'enabled on; allow publish 10.0.0.1;', 'publish', '10.0.0.10', /allowed by no rule/],
    ['a network', 'enabled on; allow publish 10.0.0.0/8;', 'publish', '10.200.0.1', undefined],
    ['mapped into IPv6', 'enabled on; allow publish 10.0.0.0/8;', 'publish', '::ffff:10.200.0.1', undefined],
    ['IPv6', 'enabled on; allow play 2001:db8::/32;', 'play', '2001:db8::7', undefined],
    ['IPv6 is not IPv4', 'enabled on; allow play ::/0;', 'play', '10.0.0.1', /allowed by no rule/],
    [
      'deny after allow',
      `enabled on; ${allowAll} deny play 10.0.0.0/8;`,
      'play',
      '10.0.0.1',
      'play from 10.0.0.1 is denied by the rule: deny play 10.0.0.0/8',
    ],
    ['deny before allow counts as much', `enabled on; deny play 10.0.0.0/8; ${allowAll}`, 'play', '10.0.0.1', /is denied by/],
    [
      'a narrow allow does not beat a wide deny',
      'enabled on; deny play all; allow play 10.0.0.1;',
      'play',
      '10.0.0.1',
      /deny play all/,
    ],
    ['deny alone allows nobody', 'enabled on; deny play 10.0.0.0/8;', 'play', '11.0.0.1', /allowed by no rule/],
    ['an address that cannot be read: all', `enabled on; ${allowAll}`, 'play', 'unknown', undefined],
    ['an address that cannot be read: a network', 'enabled on; allow play 0.0.0.0/0;', 'play', 'unknown', /allowed by no rule/],
    ['an address that cannot be read: deny all', `enabled on; ${allowAll} deny play all;`, 'play', 'unknown', /is denied by/],
  ] as const)('%s', (_name, rules, use, ip, expected) => {
    const refusal = checkSecurity(vhostOf(`security { ${rules} }`).security, use, ip);
    if (expected === undefined) expect(refusal).toBeUndefined();
    else expect(refusal?.text).toMatch(expected);
  });

  it('tells apart who is denied and who is not allowed', () => {
    const { security } = vhostOf('security { enabled on; allow play 10.0.0.0/8; deny play 10.0.0.1; }');
    expect(checkSecurity(security, 'play', '10.0.0.1')?.kind).toBe('address-denied');
    expect(checkSecurity(security, 'play', '11.0.0.1')?.kind).toBe('address-not-allowed');
    expect(checkSecurity(security, 'play', '10.0.0.2')).toBeUndefined();
  });
});
