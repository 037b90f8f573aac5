import { describe, expect, it } from 'vitest';
import { decodeIdentityHeader, encodeIdentityHeader } from './identity-header.ts';

const info = { version: '2.0.0', serverIp: '10.0.0.9', pid: 902, id: 133 };

describe('the identity of a server over HTTP', () => {
  it('is read as it was written', () => {
    expect(encodeIdentityHeader(info)).toBe('version=2.0.0; ip=10.0.0.9; pid=902; id=133');
    expect(decodeIdentityHeader(encodeIdentityHeader(info))).toMatchObject(info);
    expect(decodeIdentityHeader(encodeIdentityHeader({ ...info, serverIp: 'fe80::1' }))).toMatchObject({ serverIp: 'fe80::1' });
  });

  it.each([
    undefined,
    ['pid=1'],
    '',
    'pid=0; id=1',
    'pid=-1',
    'pid=1.5',
    'pid=x',
    'version=2',
    `pid=1; version=${'x'.repeat(300)}`,
  ])('%j is none', (text) => {
    expect(decodeIdentityHeader(text)).toBeUndefined();
  });

  it('leaves out what would forge a line of the log', () => {
    expect(decodeIdentityHeader('pid=1; id=2; version=2.0\n[error]; ip=a b')).toMatchObject({ version: '', serverIp: '' });
  });
});
