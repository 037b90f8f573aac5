import { type Config, ConfigError, type LoadResult, loadConfig } from '@srs/config';
import { memoryLog, SrsError } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { Reloader, type ReloadPart } from './reload.ts';

const load = (text: string): LoadResult => loadConfig(text, { fileName: 'srs.conf' });

/** A part that writes down what is asked of it. */
class TestPart implements ReloadPart {
  readonly steps: string[];
  readonly #name: string;
  fault: string | undefined;
  applied = Promise.resolve();

  constructor(name: string, steps: string[]) {
    this.#name = name;
    this.steps = steps;
  }

  prepare(previous: Config, next: Config) {
    if (this.fault !== undefined) throw new SrsError('SocketBind', this.fault);
    this.steps.push(`${this.#name} prepares ${previous.maxConnections}->${next.maxConnections}`);
    return {
      undo: () => void this.steps.push(`${this.#name} undoes`),
      apply: async () => {
        await this.applied;
        this.steps.push(`${this.#name} applies`);
        return [{ slot: 1, role: 'stream' as const, pid: 7, isApplied: this.#name === 'one', detail: 'why' }];
      },
    };
  }
}

function setUp(first = 'listen 1; max_connections 1; vhost a {}') {
  const steps: string[] = [];
  const log = memoryLog();
  const parts = { one: new TestPart('one', steps), other: new TestPart('other', steps) };
  const file = { text: first, loads: 0 };
  const reloader = new Reloader({
    loaded: load(first),
    load: () => {
      file.loads += 1;
      return load(file.text);
    },
    source: 'srs.conf',
    parts: [parts.one, parts.other],
    log,
    onBegin: () => void steps.push('begins'),
    onEnd: () => void steps.push('ends'),
    onLoaded: () => {},
  });
  const lines = () => log.lines.map(({ level, text }) => `${level}: ${text}`);
  return { reloader, file, parts, steps, lines };
}

describe('Reloader', () => {
  it('prepares all parts before one of them changes, and tells who has', async () => {
    const { reloader, file, steps, lines } = setUp();
    file.text = 'listen 1; max_connections 2; vhost a {}';
    const report = await reloader.reload(false);
    expect(steps).toEqual(['begins', 'one prepares 1->2', 'other prepares 1->2', 'one applies', 'other applies', 'ends']);
    expect(report).toMatchObject({ isApplied: true, version: 2, file: 'srs.conf', problems: [] });
    expect(report.changes).toEqual([{ kind: 'changed', directive: 'max_connections', live: 'next use' }]);
    expect(report.workers).toHaveLength(2);
    expect(reloader.config.maxConnections).toBe(2);
    expect(lines()).toEqual([
      'warn: reload: stream worker in slot 1 (pid=7): why',
      'trace: reload config success. version=2, workers=1/2, changed max_connections',
    ]);
  });

  it('undoes everything when one part cannot have what it needs', async () => {
    const { reloader, file, parts, steps, lines } = setUp();
    file.text = 'listen 1; max_connections 2; vhost a {}';
    parts.other.fault = 'bind 0.0.0.0:1: EADDRINUSE';
    const report = await reloader.reload(false);
    expect(steps).toEqual(['begins', 'one prepares 1->2', 'one undoes', 'ends']);
    expect(report).toMatchObject({ isApplied: false, version: 1, problems: ['bind 0.0.0.0:1: EADDRINUSE'], workers: [] });
    expect(reloader.config.maxConnections).toBe(1);
    expect(lines()).toEqual([
      'error: reload: bind 0.0.0.0:1: EADDRINUSE',
      'error: reload config failed, nothing has changed. file=srs.conf',
    ]);
    parts.other.fault = undefined;
    expect((await reloader.reload(false)).version).toBe(2);
  });

  it('lists every problem of a file', async () => {
    const { reloader, file, steps } = setUp();
    file.text = 'listen 1;\nchunk_size 1;\nvhots a {}';
    const { problems } = await reloader.reload(false);
    expect(problems).toEqual([
      'srs.conf:3: unknown directive vhots; did you mean vhost?',
      'srs.conf:2: chunk_size 1 must be 128..65536 bytes',
    ]);
    expect(steps).toEqual(['begins', 'ends']);
    expect(() => load(file.text)).toThrow(ConfigError);
  });

  it('asks no part when nothing has changed, or only what counts from the start on', async () => {
    const { reloader, file, steps, lines } = setUp();
    file.text = '# said otherwise\nlisten 0.0.0.0:1; max_connections 1; daemon off; vhost a { gop_cache on; }';
    expect(await reloader.reload(false)).toMatchObject({ isApplied: true, version: 1, workers: [] });
    expect(steps).toEqual(['begins', 'ends']);
    expect(reloader.config.daemon).toBe(true);
    expect(lines()).toEqual([
      'trace: reload config success. version=1, nothing changed',
      'warn: reload: restart the server for changed daemon',
    ]);
    const daemon = () => reloader.document().directives.find(({ directive }) => directive === 'daemon');
    expect(daemon()).toEqual({ directive: 'daemon', value: 'on', origin: 'default' });
    // Also when it is read once more, and until it is taken back.
    await reloader.reload(false);
    expect(daemon()?.value).toBe('on');
    file.text = 'listen 1; daemon on; vhost a {}';
    await reloader.reload(false);
    expect(daemon()).toEqual({ directive: 'daemon', value: 'on', origin: 'file srs.conf:1' });
  });

  it('a dry run prepares and undoes', async () => {
    const { reloader, file, steps, lines } = setUp();
    file.text = 'listen 1; max_connections 2; vhost a {}';
    expect(await reloader.reload(true)).toMatchObject({ isApplied: false, isDryRun: true, version: 1, problems: [] });
    expect(steps).toEqual(['one prepares 1->2', 'other prepares 1->2', 'other undoes', 'one undoes']);
    expect([reloader.config.maxConnections, lines()]).toEqual([1, []]);
  });

  it('one at a time; those that are asked for meanwhile are one more', async () => {
    const { reloader, file, parts, steps } = setUp();
    const held = Promise.withResolvers<void>();
    parts.one.applied = held.promise;
    file.text = 'listen 1; max_connections 2; vhost a {}';
    const first = reloader.reload(false);
    while (file.loads === 0) await Promise.resolve();
    file.text = 'listen 1; max_connections 3; vhost a {}';
    const others = [reloader.reload(false), reloader.reload(false), reloader.reload(true), reloader.reload(false)];
    expect(file.loads).toBe(1);
    held.resolve();
    expect((await first).version).toBe(2);
    const reports = await Promise.all(others);
    expect(file.loads).toBe(3);
    expect(reports.map(({ version }) => version)).toEqual([3, 3, 3, 3]);
    expect(steps.filter((step) => step === 'begins')).toHaveLength(2);
    expect(reloader.config.maxConnections).toBe(3);
  });
});
