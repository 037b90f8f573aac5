import { readdirSync, readFileSync } from 'node:fs';
import { SrsError } from '@srs/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Directive } from './directive.ts';
import { loadConfig } from './load.ts';
import { ConfigError } from './problem.ts';
import { parseStreamName } from './stream-name.ts';
import { parseTcUrl } from './tc-url.ts';
import { parseTree } from './tree-parser.ts';

const directory = new URL('../../../conf/', import.meta.url);
const files = readdirSync(directory).filter((name) => name.endsWith('.conf') && name !== 'full.conf');
const samples = files.map((name) => readFileSync(new URL(name, directory), 'utf8').replaceAll(/^ *#.*\n/gm, ''));

/** mulberry32 */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const fragments = [
  '{',
  '}',
  ';',
  '"',
  "'",
  '#',
  '\n',
  '\\',
  '\0',
  ' ',
  '""',
  'include a;',
  'include b c;',
  'vhost x {',
  'listen 1;',
  '-1',
  '0',
  '1e999',
  '99999999999999999999',
  'NaN',
  '0x10',
  'on',
  'off',
  '__proto__',
  'constructor',
  'engine {',
  'vparams {',
  'ingest a {',
  '[::]:1',
  '1:2:3',
  '\u202e',
  '\ud800',
  '10ms',
  '1.5',
  '.5',
  '4g',
  'auto',
  'security { allow play ',
  'mode remote;',
  'http_server {',
  'play {',
  'mr { enabled',
  '..',
  '...',
  '%2e',
  '?vhost=',
  '&&',
  '://',
  'x'.repeat(300),
];

function mutate(text: string, random: (below: number) => number): string {
  let mutated = text;
  for (let edits = 1 + random(4); edits > 0; edits--) {
    const at = random(mutated.length + 1);
    const length = random(4) === 0 ? random(60) : random(3);
    const inserted =
      random(3) === 0 ? String.fromCharCode(random(128)) : random(4) === 0 ? '' : fragments[random(fragments.length)]!;
    mutated = mutated.slice(0, at) + inserted + mutated.slice(at + length);
  }
  return mutated;
}

/** Runs `work` on `count` mutated samples; counts what was accepted and refused, and fails on any other exception. */
function fuzz(count: number, texts: readonly string[], work: (text: string) => void): { accepted: number; refused: number } {
  const seed = Number(process.env.FUZZ_SEED ?? Date.now() & 0x7fffffff);
  console.log(`fuzz seed ${seed}`);
  const random = randomFrom(seed);
  const outcome = { accepted: 0, refused: 0 };
  for (let run = 0; run < count; run++) {
    const text = mutate(texts[random(texts.length)]!, random);
    try {
      work(text);
      outcome.accepted++;
    } catch (thrown) {
      if (!(thrown instanceof SrsError)) throw new Error(`seed ${seed}, run ${run}: ${JSON.stringify(text)}`, { cause: thrown });
      outcome.refused++;
    }
  }
  return outcome;
}

describe('any text', () => {
  const includes = new Map([
    ['./a', 'c d;'],
    ['./b', 'include a; include x;'],
    ['./c', '}'],
  ]);
  const readInclude = (path: string) =>
    includes.get(path) ??
    includes.get(`./${path}`) ??
    (() => {
      throw new Error('no such file');
    })();

  it('is parsed or refused with a ConfigError', { timeout: 120_000 }, () => {
    const { accepted, refused } = fuzz(140_000, samples, (text) => parseTree(text, { fileName: 'f', readInclude }));
    expect(accepted).toBeGreaterThan(1000);
    expect(refused).toBeGreaterThan(1000);
  });

  it('cut off anywhere is parsed or refused with a ConfigError', () => {
    for (const text of samples) {
      const outcomes = new Set<string>();
      for (let length = 0; length <= text.length; length++) {
        try {
          parseTree(text.slice(0, length), { fileName: 'f' });
          outcomes.add('accepted');
        } catch (thrown) {
          outcomes.add(thrown instanceof ConfigError ? 'refused' : String(thrown));
        }
      }
      expect([...outcomes].sort()).toEqual(['accepted', 'refused']);
    }
  });

  it('is loaded or refused with a ConfigError, and holds no memory', { timeout: 120_000 }, () => {
    const env = { SRS_VHOST_ATC: 'on', SRS_CHUNK_SIZE: '4096' };
    let longest = 0;
    const work = (text: string) => {
      try {
        const { warnings } = loadConfig(text, {
          fileName: 'f',
          readInclude,
          env,
          openFilesLimit: 2000,
          localAddressCount: 1,
          cpuCount: 2,
        });
        longest = Math.max(longest, warnings.length);
      } catch (thrown) {
        if (thrown instanceof SrsError) longest = Math.max(longest, thrown.message.length / 100);
        throw thrown;
      }
    };
    fuzz(1000, samples, work);
    const before = process.memoryUsage().heapUsed;
    const { accepted, refused } = fuzz(40_000, samples, work);
    expect(accepted).toBeGreaterThan(1000);
    expect(refused).toBeGreaterThan(1000);
    expect(longest).toBeLessThan(500);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(100 * 1024 * 1024);
  });

  it('as tcUrl or stream name is taken apart or refused with an SrsError', { timeout: 60_000 }, () => {
    const urls = ['rtmp://1.2.3.4:1935/live?vhost=a.com&key=b', 'rtmp://h/a/b...vhost...c', 'rtmp://[::1]/live,vhost=x'];
    const isSafe = (name: string) => name !== '' && !/[\\\p{Cc}]|(^|\/)[.-]|^\/|\/$|\/\//u.test(name);
    const { accepted } = fuzz(30_000, urls, (text) => {
      const { app, vhost, host, port } = parseTcUrl(text);
      if (!isSafe(app) || vhost === '' || host === '' || port < 1 || port > 65535)
        throw new Error(`accepted ${JSON.stringify(text)}`);
    });
    expect(accepted).toBeGreaterThan(1000);
    const names = fuzz(30_000, ['livestream?vhost=a.com&token=b', 'a/b/c', '直播?x'], (text) => {
      const { stream, vhost } = parseStreamName(text);
      if (!isSafe(stream) || vhost === '') throw new Error(`accepted ${JSON.stringify(text)}`);
    });
    expect(names.accepted).toBeGreaterThan(1000);
  });
});

/** Directives as text, with every word quoted where it has to be. */
function write(directive: Directive): string {
  const words = [directive.name, ...directive.args].map((word) => {
    if (/^[^\s;{}#"'][^\s;{]*$/.test(word)) return word;
    return word.includes('"') ? `'${word}'` : `"${word}"`;
  });
  return words.join(' ') + (directive.isBlock ? ` {\n${directive.children.map(write).join('')}}\n` : ';\n');
}

type Plain = Pick<Directive, 'name' | 'args' | 'isBlock'> & { readonly children: readonly Plain[] };

function plain(directive: Directive | Plain): Plain {
  return { name: directive.name, args: directive.args, isBlock: directive.isBlock, children: directive.children.map(plain) };
}

describe('a tree', () => {
  // Words with both kinds of quotes that need quoting cannot be written in this language.
  const word = fc
    .oneof(fc.string({ minLength: 1, maxLength: 8 }), fc.constantFrom('a#b', 'a}b', 'x"y', "x'y", ' ', ';', '}', '#'))
    .filter((text) => text !== 'include' && !text.startsWith('\uFEFF') && !(text.includes('"') && text.includes("'")));
  const leaf = fc.record({
    name: word,
    args: fc.array(word, { maxLength: 3 }),
    isBlock: fc.boolean(),
    children: fc.constant<Plain[]>([]),
  });
  const { directive } = fc.letrec<{ directive: Plain }>((tie) => ({
    directive: fc.oneof(
      { maxDepth: 5 },
      leaf,
      fc.record({
        name: word,
        args: fc.array(word, { maxLength: 3 }),
        isBlock: fc.constant(true),
        children: fc.array(tie('directive'), { maxLength: 3 }),
      }),
    ),
  }));

  it('that is written and parsed is the same tree', () => {
    fc.assert(
      fc.property(fc.array(directive, { maxLength: 4 }), (directives) => {
        const text = directives.map((node) => write(node as Directive)).join('');
        const parsed = parseTree(text, { fileName: 'f' }).children.map(plain);
        expect(parsed).toEqual(directives.map(plain));
      }),
      { numRuns: 500 },
    );
  });
});
