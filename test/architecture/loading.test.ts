/** What a process loads before it serves: half of the time of a start goes there. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { repositoryRoot } from './source-tree.ts';

const LIST_FILES = `
import { registerHooks } from 'node:module';
const files = [];
registerHooks({
  load(url, context, next) {
    files.push(url);
    return next(url, context);
  },
});
await import(process.env.TESTED_MODULE);
process.stdout.write(JSON.stringify(files));
process.exit();
`;

/** The packages whose files are loaded with a module, ours by their short names. */
function packagesLoadedWith(path: string): Set<string> {
  const env = { ...process.env, TESTED_MODULE: pathToFileURL(join(repositoryRoot, path)).href };
  const list = execFileSync(process.execPath, ['--input-type=module', '--eval', LIST_FILES], { cwd: repositoryRoot, env });
  const urls = JSON.parse(list.toString()) as string[];
  return new Set(urls.flatMap((url) => /\/(?:packages|node_modules)\/(?:@srs\/)?([^/]+)\//.exec(url)?.[1] ?? []));
}

const optional = [
  'http-server',
  'fastify',
  'prom-client',
  'caster',
  'vod',
  'hls',
  'dvr',
  'forward',
  'edge',
  'mp4',
  'mpegts',
  'hls-parser',
  'piscina',
];

it.each(['packages/worker/src/stream-worker.ts', 'packages/worker/src/back-source.ts', 'packages/master/src/index.ts'])(
  '%s loads nothing of what it may never need',
  (path) => {
    const loaded = packagesLoadedWith(path);
    expect(loaded).toContain('kernel');
    expect(optional.filter((name) => loaded.has(name))).toEqual([]);
  },
);
