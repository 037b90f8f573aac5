import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isSameConfig } from './config.ts';
import { findPath } from './directive.ts';
import type { Fields } from './field.ts';
import { loadConfig } from './load.ts';
import { formatProblem, ProblemList } from './problem.ts';
import { schema } from './schema/root.ts';
import { SettingsReader } from './settings-reader.ts';
import { parseTree } from './tree-parser.ts';

const directory = new URL('../../../conf/', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, directory), 'utf8');
const files = readdirSync(directory).filter((name) => name.endsWith('.conf'));

describe('conf/', () => {
  it('has the examples that users of SRS know', () => {
    const known = `srs rtmp full console hls http.hls transcode2hls.audio.only ffmpeg.transcode ingest dvr.session dvr.segment
      forward.master forward.slave origin edge edge.token.traverse realtime http.hooks.callback http.heartbeat bandwidth demo
      demo.19350 http.flv.live`.split(/\s+/);
    expect(files).toEqual(expect.arrayContaining(known.map((name) => `${name}.conf`)));
  });

  it.each(files)('%s loads, with no warning but for features that are not built', (name) => {
    const { warnings } = loadConfig(read(name), { fileName: name });
    expect(warnings.map(formatProblem).filter((text) => !text.includes('not built yet'))).toEqual([]);
  });

  it('forward, edge and demo pairs can run on one machine', () => {
    for (const pair of [
      ['forward.master', 'forward.slave'],
      ['forward.backend', 'forward.slave'],
      ['edge', 'origin'],
      ['edge.token.traverse', 'origin'],
      ['demo', 'demo.19350'],
      ['origin', 'edge.region'],
      ['edge.region', 'edge.leaf'],
      ['origin.backup.a', 'origin.backup.b'],
    ]) {
      const [one, two] = pair.map((name) => loadConfig(read(`${name}.conf`), { fileName: name }).config);
      expect(one?.pid).not.toBe(two?.pid);
      expect(one?.log.file).not.toBe(two?.log.file);
      expect(one?.listen[0]?.port).not.toBe(two?.listen[0]?.port);
      expect(Math.abs(one!.privateApi.listen.port - two!.privateApi.listen.port)).toBeGreaterThanOrEqual(100);
    }
  });
});

/** Each path of names that leads to a row. */
function rowPaths(fields: Fields, path: readonly string[] = []): readonly (readonly string[])[] {
  return Object.values(fields).flatMap((field) => {
    if (field.kind === 'row') return [[...path, field.type.repeats?.[0] ?? field.name]];
    return rowPaths(field.fields, field.kind === 'group' ? path : [...path, field.name]);
  });
}

describe('conf/full.conf', () => {
  const text = read('full.conf');
  const withExamples = text.replaceAll(/^(\s*)#(?=\S)/gm, '$1');

  it('says exactly the built-in defaults', () => {
    const full = loadConfig(text, { fileName: 'full.conf', cpuCount: 4 });
    const least = loadConfig('listen 1935; vhost __defaultVhost__ {}', { fileName: 'least.conf', cpuCount: 4 });
    expect(full.warnings).toEqual([]);
    expect(full.config).toEqual(least.config);
    expect(isSameConfig(full.config, least.config)).toBe(true);
  });

  it('mentions every directive of the schema in its block', () => {
    const root = parseTree(withExamples, { fileName: 'full.conf' });
    const paths = rowPaths(schema);
    expect(paths.length).toBeGreaterThan(120);
    for (const path of paths) {
      const found = findPath(root, path);
      expect(found, path.join(' / ')).toBeDefined();
    }
  });

  it('loads with all of its examples too', () => {
    const { config, warnings } = loadConfig(withExamples, { fileName: 'full.conf' });
    expect(warnings).toEqual([]);
    const vhost = config.vhosts.get('__defaultVhost__')!;
    expect(vhost.ingests.length + vhost.transcodes.length).toBe(2);
    expect(vhost.ingests[0]?.engines[0]?.videoFilters).toHaveLength(2);
  });
});

describe('schema', () => {
  it('every default is a value that its own row accepts without a word', () => {
    const problems = new ProblemList();
    const reader = new SettingsReader({ errors: problems, warnings: problems, cpuCount: 4, knownNames: new Set() });
    const visit = (fields: Fields): void => {
      for (const field of Object.values(fields)) {
        if (field.kind !== 'row') visit(field.fields);
        else if (field.inherits === undefined) expect(reader.defaultOf(field), field.name).toBeDefined();
      }
    };
    visit(schema);
    expect(problems.toArray()).toEqual([]);
  });

  it('every row has a sentence, and a default or an example', () => {
    const visit = (fields: Fields): void => {
      for (const field of Object.values(fields)) {
        if (field.kind !== 'row') visit(field.fields);
        else {
          expect(field.doc, field.name).toMatch(/^\S.*\.$/);
          expect(field.defaultText ?? field.example, field.name).toBeDefined();
        }
      }
    };
    visit(schema);
  });

  it('a row stands in one place only, apart from those of the engines', () => {
    const seen = new Map<unknown, string>();
    const visit = (fields: Fields, path: string): void => {
      for (const field of Object.values(fields)) {
        if (field.kind !== 'row')
          visit(field.fields, field.kind === 'group' ? path : field.kind === 'many' ? field.name : `${path}/${field.name}`);
        else {
          expect(seen.get(field) ?? path, field.name).toBe(path);
          seen.set(field, path);
        }
      }
    };
    visit(schema, '');
  });
});
