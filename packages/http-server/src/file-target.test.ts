import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError } from './api-errors.ts';
import { parseFileTarget } from './file-target.ts';

const latin1 = (text: string): string => Buffer.from(text).toString('latin1');

describe('the target of a request', () => {
  it.each([
    ['/', [], true, ''],
    ['', [], true, ''],
    ['/live/a.ts', ['live', 'a.ts'], false, ''],
    ['//live///a.ts', ['live', 'a.ts'], false, ''],
    ['/live/', ['live'], true, ''],
    ['/live/%2e%2Ehidden', ['live', '..hidden'], false, ''],
    ['/a%20b%25', ['a b%'], false, ''],
    ['/%252e%252e/a', ['%2e%2e', 'a'], false, ''],
    ['/a%2fb', ['a', 'b'], false, ''],
    ['/a?start=1&b=/../c', ['a'], false, 'start=1&b=/../c'],
    ['/a?b#c', ['a'], false, 'b'],
    ['/a#b?c', ['a'], false, ''],
    ['/a%3Fb%23', ['a?b#'], false, ''],
    ['/%E4%B8%AD.ts', ['中.ts'], false, ''],
    [latin1('/中.ts'), ['中.ts'], false, ''],
    ['/-rf', ['-rf'], false, ''],
    ['/a%0ab', ['a\nb'], false, ''],
    ['/\uFF0E\uFF0E/a'.replaceAll('\uFF0E', '%EF%BC%8E'), ['．．', 'a'], false, ''],
    ['/%C0%AE', undefined, false, ''],
    ['/..', undefined, false, ''],
    ['/../a', undefined, false, ''],
    ['/a/../b', undefined, false, ''],
    ['/%2e%2e/a', undefined, false, ''],
    ['/.%2E/a', undefined, false, ''],
    ['/a%2f..%2fb', undefined, false, ''],
    ['/..%2fa', undefined, false, ''],
    ['/a%00.ts', undefined, false, ''],
    ['/a\\b', undefined, false, ''],
    ['/..%5ca', undefined, false, ''],
    ['/%', undefined, false, ''],
    ['/%4', undefined, false, ''],
    ['/%zz', undefined, false, ''],
    ['/%ff', undefined, false, ''],
    ['/\u00ff', undefined, false, ''],
    // A surrogate, which UTF-8 does not have.
    ['/%ED%A0%80', undefined, false, ''],
  ])('%j has the names %j', (url, segments, isDirectory, query) => {
    if (segments === undefined) expect(() => parseFileTarget(url)).toThrow(ApiError);
    else expect(parseFileTarget(url)).toEqual({ segments, isDirectory, query, authority: undefined });
  });

  it('may name the host, as for a proxy', () => {
    expect(parseFileTarget('http://a.com:80/b?c')).toEqual({
      segments: ['b'],
      isDirectory: false,
      query: 'c',
      authority: 'a.com:80',
    });
    expect(parseFileTarget('HTTPS://a.com')).toMatchObject({ segments: [], isDirectory: true, authority: 'a.com' });
    expect(() => parseFileTarget('http://a.com/../b')).toThrow('the path must have no ..');
  });

  it('never has a name that leads elsewhere', () => {
    const piece = fc.constantFrom(
      '.',
      '..',
      '/',
      '%2e',
      '%2F',
      '%5c',
      '\\',
      '%00',
      '%',
      '%25',
      '25',
      'a',
      '?',
      '#',
      '%c3%a9',
      'é',
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        let segments: readonly string[];
        try {
          ({ segments } = parseFileTarget(`/${pieces.join('')}`));
        } catch (error) {
          expect(error).toBeInstanceOf(ApiError);
          expect(error).toMatchObject({ statusCode: 400 });
          return;
        }
        for (const name of segments)
          expect(name).toSatisfy((text: string) => text !== '' && text !== '..' && !/[/\\\0]/.test(text));
      }),
    );
  });
});
