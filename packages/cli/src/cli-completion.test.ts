import { describe, expect, it } from 'vitest';
import { runCli } from './cli-command.ts';
import { commandNames } from './cli-commands.ts';
import { COMPLETION_FLAG, candidatesFor, completionScript } from './cli-completion.ts';
import { deadPort, FakeProcess, serve, serveMaster, slotOf } from './cli-test-support.ts';
import { clientOf, directoryStream, push, workerStream } from './rows-test-support.ts';

const wordsAfter = async (line: string): Promise<string[]> => {
  const words = line.split(' ');
  return (await candidatesFor(words.slice(0, -1), words.at(-1) ?? '')).map(({ word }) => word);
};

async function serveSome(): Promise<number> {
  const worker = await serve({
    '/api/v1/streams': () => [workerStream('__defaultVhost__/live/one'), workerStream('demo/live/two')],
    '/api/v1/clients': () => [clientOf(203), clientOf(211)],
  });
  return await serveMaster([slotOf(1, worker)]);
}

describe('completion', () => {
  it.each([
    ['', [...commandNames]],
    ['st', ['status', 'streams']],
    ['status ', []],
    ['--', ['--api', '--json', '--timeout', '--help']],
    ['--json --', ['--api', '--timeout', '--help']],
    ['reload --d', ['--dry-run']],
    ['top --o', ['--once']],
    ['--api ', []],
    ['--timeout 5 rel', ['reload']],
    ['log-level t', ['trace']],
    ['log-level trace ', []],
    ['completion ', ['bash', 'zsh']],
    ['nonsense ', []],
  ])('of %j offers %j', async (line, expected) => {
    expect(await wordsAfter(line)).toEqual(expected);
  });

  it('asks the server for its streams, clients and workers', async () => {
    const port = await serveSome();
    expect(await wordsAfter(`--api ${port} kick 20`)).toEqual(['203']);
    expect(await wordsAfter(`--api=127.0.0.1:${port} explain `)).toEqual(['live/one', 'demo/live/two', '203', '211']);
    expect(await wordsAfter(`--api ${port} record demo`)).toEqual(['demo/live/two']);
    expect(await wordsAfter(`--api ${port} record live/one o`)).toEqual(['on', 'off']);
    expect(await wordsAfter(`--api ${port} drain `)).toEqual(['1']);
  });

  it('asks the server for what can be taken away from a stream', async () => {
    const pushes = [push, { ...push, source: 'api', destination: '10.0.0.8' } as const];
    const backSource = await serve({ '/api/v1/streams': () => [directoryStream('demo/live/two', { pushes })] });
    const port = await serveMaster([slotOf(0, backSource, { role: 'back-source' })]);
    expect(await wordsAfter(`--api ${port} forward a`)).toEqual(['add']);
    expect(await wordsAfter(`--api ${port} forward add dem`)).toEqual(['demo/live/two']);
    expect(await wordsAfter(`--api ${port} forward add demo/live/two `)).toEqual([]);
    expect(await wordsAfter(`--api ${port} forward remove demo/live/two `)).toEqual(['10.0.0.8']);
    expect(await wordsAfter(`--api ${port} forward remove demo/live/two 10.0.0.8 `)).toEqual([]);
  });

  it('offers nothing when there is no server', async () => {
    expect(await wordsAfter(`--api ${await deadPort()} kick `)).toEqual([]);
    expect(await wordsAfter('--api nonsense:x status ')).toEqual([]);
  });

  it('is printed a line each, for zsh with what it means', async () => {
    const port = await serveSome();
    const lines = async (shell: string): Promise<string> => {
      const process = new FakeProcess({ env: { SHELL: shell } });
      const code = await runCli([COMPLETION_FLAG, 'srs-cli', '--api', String(port), 'drain', ''], process);
      expect(code).toBe(0);
      return process.stdout.text;
    };
    expect(await lines('/bin/bash')).toBe('1\n');
    expect(await lines('/usr/bin/zsh')).toBe('1:stream worker, pid 1001\n');
  });

  it('has a script for each shell that calls the command by its place', () => {
    const bash = completionScript('/opt/srs/bin/srs-cli', 'bash');
    expect(bash).toContain(`/opt/srs/bin/srs-cli ${COMPLETION_FLAG}`);
    expect(bash).toContain('complete -o bashdefault');
    expect(completionScript('/opt/srs/bin/srs-cli', 'zsh')).toContain('#compdef srs-cli');
  });
});
