import { describe, expect, it } from 'vitest';
import { checkRefer } from './refer.ts';

describe('refer', () => {
  it.each([
    ['http://github.com/page', ['github.com'], true],
    ['https://www.github.com:8080/page', ['example.com', 'github.com'], true],
    ['https://WWW.GitHub.com/', ['github.com'], true],
    ['https://www.github.com/', ['GitHub.com'], true],
    ['http://evilgithub.com', ['github.com'], true],
    ['http://evilgithub.com', ['.github.com'], false],
    ['http://github.com.evil.org/', ['github.com'], false],
    ['http://evil.org/github.com', ['github.com'], false],
    ['http://evil.org?github.com', ['github.com'], false],
    ['http://evil.org#github.com', ['github.com'], false],
    ['http://github.com:x@evil.org/', ['github.com'], false],
    ['http://x@github.com/', ['github.com'], true],
    ['', ['github.com'], false],
    ['github.com', ['github.com'], false],
    ['', [], true],
  ] as const)('page %j, list %j: %j', (pageUrl, allowed, expected) => {
    expect(checkRefer(pageUrl, allowed) === undefined).toBe(expected);
  });

  it('says what the page must end with', () => {
    expect(checkRefer('http://a.org/', ['b.org', 'c.org'])).toEqual({
      kind: 'page',
      text: 'page "http://a.org/" must end with one of: b.org c.org',
    });
  });
});
