import { describe, expect, it } from 'vitest';
import { isReferAllowed } from './refer.ts';

describe('isReferAllowed', () => {
  it.each([
    ['http://github.com/page', ['github.com'], true],
    ['https://www.github.com:8080/page', ['example.com', 'github.com'], true],
    ['http://evilgithub.com', ['github.com'], true],
    ['http://evilgithub.com', ['.github.com'], false],
    ['http://github.com.evil.org/', ['github.com'], false],
    ['http://evil.org/github.com', ['github.com'], false],
    ['', ['github.com'], false],
    ['github.com', ['github.com'], false],
    ['', [], true],
  ] as const)('page %j, list %j: %j', (pageUrl, allowed, expected) => {
    expect(isReferAllowed(pageUrl, allowed)).toBe(expected);
  });
});
