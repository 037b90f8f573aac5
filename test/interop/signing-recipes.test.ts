/** The recipes for signed addresses in docs/security.md, run as they stand there. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { grantParameters } from '@srs/access';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChildProgram } from '../support/child-program.ts';
import { requires } from '../support/requires.ts';
import { repositoryRoot } from '../support/server-process.ts';

const secret = 'recipe-secret-4f0c2d9a61b24c7e';
const page = readFileSync(join(repositoryRoot, 'docs/security.md'), 'utf8');

/** The block of code in that language which has the text. */
function recipe(language: string, text: string): string {
  const blocks = [...page.matchAll(/^```(\w*)\n(.*?)^```$/gms)];
  const found = blocks.find(([, name, code]) => name === language && code!.includes(text));
  if (found === undefined) throw new Error(`docs/security.md has no ${language} with ${text}`);
  return found[2]!;
}

describe('a recipe of docs/security.md signs as the server checks', () => {
  requires('openssl', 'python3');
  let directory = '';

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'srs-recipes-'));
    writeFileSync(join(directory, 'publish.secret'), `${secret}\n`);
  });

  afterAll(() => rmSync(directory, { recursive: true }));

  const file = (name: string, code: string): string => {
    const path = join(directory, name);
    writeFileSync(path, code);
    return path;
  };

  it.each([
    [
      'srs-tool',
      () => ['/bin/sh', '-c', recipe('sh', 'bin/srs-tool').replace('bin/srs-tool', join(repositoryRoot, 'bin/srs-tool'))],
    ],
    ['a shell with openssl', () => ['/bin/sh', '-c', recipe('sh', 'openssl')]],
    ['Node.js', () => [process.execPath, file('sign.mjs', recipe('js', 'createHmac'))]],
    ['Python', () => ['/usr/bin/env', 'python3', file('sign.py', recipe('python', 'hmac'))]],
  ] as const)('%s', async (_name, command) => {
    const fromSeconds = Math.floor(Date.now() / 1000);
    const [program, ...args] = command();
    const { code, stdout, stderr } = await ChildProgram.run(program!, args, { cwd: directory, limitMs: 20_000 });
    expect(code, stderr).toBe(0);
    const expires = Number(/expires=(\d+)/.exec(stdout)?.[1]);
    expect(expires - fromSeconds).toBeGreaterThanOrEqual(7200);
    expect(expires - fromSeconds).toBeLessThan(7220);
    const grant = { use: 'publish', streamId: '__defaultVhost__/live/livestream', expires } as const;
    expect(stdout.trim()).toBe(`rtmp://example.com/live/livestream?${grantParameters(secret, grant)}`);
  });
});
