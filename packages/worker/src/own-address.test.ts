import { loadConfig } from '@srs/config';
import { localAddresses } from '@srs/native';
import { describe, expect, it } from 'vitest';
import { isOwnAddress } from './own-address.ts';

const configOf = (listen: string) => loadConfig(`listen ${listen};`, { fileName: 'test.conf', env: {} }).config;

describe('an address', () => {
  it.each([
    ['19350', '127.0.0.1', 19350, true],
    ['19350', '127.8.0.1', 19350, true],
    ['19350', 'localhost', 19350, true],
    ['19350', '127.0.0.1', 1935, false],
    ['19350', '192.0.2.1', 19350, false],
    ['19350', 'example.com', 19350, false],
    ['1935 19350', '127.0.0.1', 19350, true],
    ['127.0.0.1:19350', '127.0.0.1', 19350, true],
    ['127.0.0.2:19350', '127.0.0.1', 19350, false],
  ])('with listen %s, %s:%i is this server: %s', (listen, host, port, isOwn) => {
    expect(isOwnAddress(configOf(listen), { host, port })).toBe(isOwn);
  });

  it('of its HTTP server is this server, when that is enabled', () => {
    const address = { host: '127.0.0.1', port: 8081 };
    const textOf = (enabled: string): string => `1935; http_server { enabled ${enabled}; listen 8081; }`;
    const ofText = (text: string) => loadConfig(`listen ${text}`, { fileName: 'test.conf', env: {} }).config;
    expect(isOwnAddress(ofText(textOf('on')), address)).toBe(true);
    expect(isOwnAddress(ofText(textOf('off')), address)).toBe(false);
  });

  it('of a network interface is this server where it listens on all', () => {
    for (const host of localAddresses()) {
      expect(isOwnAddress(configOf('19350'), { host, port: 19350 })).toBe(true);
      expect(isOwnAddress(configOf('127.0.0.1:19350'), { host, port: 19350 })).toBe(false);
    }
  });
});
