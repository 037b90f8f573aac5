import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { type BenchDocument, type BenchProgram, readNumber, readNumbers, readWords, runBenchProgram } from './bench-program.ts';
import { peersDocument, run } from './peers-test-support.ts';

const out = mkdtempSync(join(tmpdir(), 'bench-program-'));
const { environment } = peersDocument([run('srs', 1, 1)]);

interface Settings {
  readonly players: readonly number[];
  readonly rounds: number;
}

function program(changes: Partial<BenchProgram<Settings, BenchDocument>> = {}): BenchProgram<Settings, BenchDocument> {
  return {
    name: 'nothing',
    purpose: 'Does nothing.',
    options: {
      players: { type: 'string', default: '1,2', requiresArg: true },
      rounds: { type: 'number', default: 2, requiresArg: true },
      servers: { type: 'string', default: 'srs', requiresArg: true },
    },
    read: (parsed) => {
      readWords(parsed, 'servers', ['srs', 'nginx']);
      return { players: readNumbers(parsed, 'players', 1, 100), rounds: readNumber(parsed, 'rounds', 1, 5) };
    },
    run: async (_bench, { players, rounds }) => ({ kind: `${players.join('+')} x ${rounds}`, environment, figures: [] }),
    write: ({ kind }) => ({ md: `# ${kind}\n` }),
    isComplete: () => true,
    ...changes,
  };
}

/** What the program printed on standard error, and its exit status. */
async function runWith(args: readonly string[], changes: Parameters<typeof program>[0] = {}) {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const status = await runBenchProgram(program(changes), ['--out', out, ...args]);
  return { status, text: write.mock.calls.map(([text]) => String(text)).join('') };
}

afterEach(() => {
  vi.restoreAllMocks();
});

afterAll(() => {
  rmSync(out, { recursive: true, force: true });
});

describe('a benchmark', () => {
  it('writes its documents where it is told', async () => {
    const { status } = await runWith(['--players', '30,90']);
    expect(status).toBe(0);
    expect(readFileSync(join(out, 'nothing.md'), 'utf8')).toBe('# 30+90 x 2\n');
    expect(JSON.parse(readFileSync(join(out, 'nothing.json'), 'utf8'))).toMatchObject({ kind: '30+90 x 2' });
  });

  it('ends with status 1 when something could not be measured', async () => {
    expect((await runWith([], { isComplete: () => false })).status).toBe(1);
  });

  it('ends with status 1 and the reason when it broke off', async () => {
    const broken = await runWith([], { run: () => Promise.reject(new Error('no such thing')) });
    expect(broken).toEqual({ status: 1, text: 'bench:nothing: no such thing\n' });
  });

  it('is told of an interruption, and ends with status 130', async () => {
    const { status, text } = await runWith([], {
      run: async (bench) => {
        process.emit('SIGINT');
        bench.signal.throwIfAborted();
        throw new Error('not interrupted');
      },
    });
    expect([status, text]).toEqual([130, 'bench:nothing: interrupted\n']);
  });

  it.each([
    [['--players', '300,x'], '--players 300,x must be whole numbers in 1..100 with commas between them'],
    [['--players', '0'], '--players 0 must be whole numbers in 1..100 with commas between them'],
    [['--rounds', '6'], '--rounds 6 must be a whole number in 1..5'],
    [['--rounds', '1.5'], '--rounds 1.5 must be a whole number in 1..5'],
    [['--servers', 'srs,apache'], '--servers "apache" is not known; there are srs, nginx'],
    [['more'], '"more" is no option; see --help'],
    [['--unknown'], 'Unknown argument: unknown'],
  ])('refuses %j', async (args, why) => {
    expect(await runWith(args)).toEqual({ status: 2, text: `bench:nothing: ${why}\n` });
  });
});
