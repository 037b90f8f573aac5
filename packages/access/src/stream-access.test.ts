import { describe, expect, it } from 'vitest';
import { vhostOf } from './access-test-support.ts';
import { grantParameters } from './signature.ts';
import { checkStreamAccess } from './stream-access.ts';

const secret = 'correct-horse-battery-staple';
const vhost = vhostOf(`
  security { enabled on; allow publish 10.0.0.0/8; allow play all; }
  refer a.org b.org; refer_publish a.org; refer_play b.org;
  publish_auth { enabled on; key key-of-the-studio; }
  play_auth { enabled on; secret ${secret}; }
`);

describe('access to a stream', () => {
  const base = { vhost, streamId: 'a.com/live/one', unixSeconds: 1000 };
  const playGrant = `?${grantParameters(secret, { use: 'play', streamId: 'a.com/live/one', expires: 2000 })}`;

  it.each([
    ['publish, all right', 'publish', '10.0.0.1', 'http://a.org', '?key=key-of-the-studio', undefined],
    ['publish, address', 'publish', '11.0.0.1', 'http://a.org', '?key=key-of-the-studio', 'address-not-allowed'],
    ['publish, page of another site', 'publish', '10.0.0.1', 'http://c.org', '?key=key-of-the-studio', 'page'],
    ['publish, page for players', 'publish', '10.0.0.1', 'http://b.org', '?key=key-of-the-studio', 'page'],
    ['publish, no key', 'publish', '10.0.0.1', 'http://a.org', '', 'credentials'],
    ['play, all right', 'play', '11.0.0.1', 'http://b.org', playGrant, undefined],
    ['play, page for publishers', 'play', '11.0.0.1', 'http://a.org', playGrant, 'page'],
    ['play with the key for publishing', 'play', '11.0.0.1', 'http://b.org', '?key=key-of-the-studio', 'credentials'],
    ['an address that is not allowed is not told about the key', 'publish', '11.0.0.1', '', '', 'address-not-allowed'],
  ] as const)('%s', (_name, use, ip, pageUrl, parameters, kind) => {
    expect(checkStreamAccess({ ...base, use, ip, pageUrl, parameters: [parameters] })?.kind).toBe(kind);
  });
});
