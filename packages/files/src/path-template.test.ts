import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expandPath, type PathFacts } from './index.ts';

const facts: PathFacts = {
  vhost: 'a.com',
  app: 'live',
  stream: 'show',
  wallMs: Date.UTC(2026, 0, 2, 3, 4, 5, 67),
  isUtc: true,
  seq: 12,
  durationMs: 9600.4,
};

function stream(name: string, template = '/d/[app]/[stream].flv'): string {
  return expandPath(template, { ...facts, stream: name });
}

describe('a path template', () => {
  it.each([
    ['/d/[app]/[stream].[timestamp].flv', '/d/live/show.1767323045067.flv'],
    ['[vhost]/[2006]-[01]-[02]/[15].[04].[05].[999].flv', 'a.com/2026-01-02/03.04.05.067.flv'],
    ['[app]/[stream]-[seq].[duration].ts', 'live/show-12.9600.ts'],
    ['../up/[other]/[].ts', '../up/[other]/[].ts'],
  ])('%s becomes %s', (template, path) => {
    expect(expandPath(template, facts)).toBe(path);
  });

  it('has the date of the place where the server runs, unless told', () => {
    const date = new Date(facts.wallMs!);
    const { isUtc: _, ...local } = facts;
    expect(expandPath('[02] [15]', local)).toBe(
      `${String(date.getDate()).padStart(2, '0')} ${String(date.getHours()).padStart(2, '0')}`,
    );
  });

  it('keeps a placeholder whose fact is not known', () => {
    expect(expandPath('[stream]-[seq].[timestamp].[2006].ts', { vhost: 'v', app: 'a', stream: 's' })).toBe(
      's-[seq].[timestamp].[2006].ts',
    );
  });

  it('is filled once: a name that looks like a placeholder is a name', () => {
    expect(stream('[app][timestamp]')).toBe('/d/live/[app][timestamp].flv');
  });

  it('lets app and stream have parts, and the vhost none', () => {
    expect(expandPath('/[vhost]/[app]/[stream]', { vhost: 'a', app: 'b/c', stream: 'd/e' })).toBe('/a/b/c/d/e');
    expect(expandPath('/[vhost]/x', { vhost: 'a/../b', app: '', stream: '' })).toMatch(/^\/a_\.\._b~[0-9a-f]{12}\/x$/);
  });
});

describe('a hostile name', () => {
  it.each([
    ['..', /^__~/],
    ['../../etc/passwd', /^__~\w+\/__~\w+\/etc\/passwd/],
    ['/etc/passwd', /^_~\w+\/etc\/passwd/],
    ['a//b', /^a\/_~\w+\/b/],
    ['%2e%2e', /^_2e_2e~/],
    ['%252E%252e', /^_252E_252e~/],
    ['a%2fb', /^a_2fb~/],
    ['a%00b', /^a_00b~/],
    ['a%5cb', /^a_5cb~/],
    ['a\0b', /^a_b~/],
    ['a\nb', /^a_b~/],
    ['a\u2028b', /^a_b~/],
    ['a\\b', /^a_b~/],
    ['a\ud800b', /^a_b~/],
    ['.htaccess', /^_htaccess~/],
    ['-rf', /^_rf~/],
    ['', /^_~/],
  ])('%j is made safe', (name, start) => {
    const file = stream(name).slice('/d/live/'.length);
    expect(file).toMatch(start);
    expect(file).toMatch(/\.flv$/);
  });

  it.each(['100%', 'a.b-c', 'a%zz', '日本語', 'a\uff0fb', '\uff0e\uff0e', '~root', '$(x)'])('%j stays', (name) => {
    expect(stream(name)).toBe(`/d/live/${name}.flv`);
  });

  it('is brought to composed Unicode', () => {
    expect(stream('Ame\u0301lie')).toBe(stream('Am\u00e9lie'));
    expect(stream('Ame\u0301lie')).toBe('/d/live/Am\u00e9lie.flv');
  });

  it('of 4 KB is shortened and stays one of its kind', () => {
    const first = stream(`${'é'.repeat(2048)}1`, '/d/[vhost]-[app]-[stream].[timestamp].flv');
    const second = stream(`${'é'.repeat(2048)}2`, '/d/[vhost]-[app]-[stream].[timestamp].flv');
    expect(first).not.toBe(second);
    expect(first).toMatch(/^\/d\/a\.com-live-é+~[0-9a-f]{12}\.1767323045067\.flv$/);
    expect(stream('a/'.repeat(2048))).not.toContain('a/a');
  });

  it('of several long parts in one is shortened with its ending', () => {
    const path = expandPath('[vhost]-[app]-[stream].[timestamp].flv', {
      ...facts,
      vhost: 'v'.repeat(200),
      app: 'a'.repeat(200),
      stream: 's'.repeat(200),
    });
    expect(Buffer.byteLength(path)).toBe(235);
    expect(path).toMatch(/^v+~[0-9a-f]{12}s+\.1767323045067\.flv$/);
  });

  it('cannot pass for another that was changed', () => {
    const changed = stream('a\\').slice('/d/live/'.length, -'.flv'.length);
    expect(stream(changed)).not.toBe(stream('a\\'));
  });

  const nasty = fc.string({ unit: fc.constantFrom(...Array.from('./\\%2ef05c-a\0\n~é')), maxLength: 40 });

  it('never leaves the directory, and two never share a file', () => {
    fc.assert(
      fc.property(fc.oneof(nasty, fc.string({ unit: 'binary' })), nasty, (first, second) => {
        const paths = [first, second].map((name) => expandPath('/d/[app]/x/[stream]', { vhost: name, app: name, stream: name }));
        for (const path of paths) {
          expect(path.startsWith('/d/')).toBe(true);
          expect(path).not.toMatch(/[\p{Cc}\\]/u);
          for (const part of path.split('/').slice(1)) {
            expect(part).toMatch(/^[^.-]/);
            expect(Buffer.byteLength(part)).toBeLessThanOrEqual(235);
            expect(decodeURIComponent(part.replaceAll(/%(?![0-7][0-9a-f])/gi, '%25'))).toMatch(/^[^.-][^/\\\0]*$/s);
          }
        }
        if (first.normalize('NFC') !== second.normalize('NFC')) expect(paths[0]).not.toBe(paths[1]);
      }),
      { numRuns: 500 },
    );
  });

  it('never makes a path the system refuses', () => {
    for (const name of ['.', 'a', '%2e', '\0'].flatMap((part) => [`${part}/`.repeat(256), part.repeat(512), part.repeat(4096)])) {
      const path = expandPath('/[vhost]/[app]/[stream]', { vhost: name, app: name, stream: name });
      expect(Buffer.byteLength(path)).toBeLessThan(4096);
    }
  });
});
