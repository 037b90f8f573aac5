import type { ReloadReport } from '@srs/survey';
import { describe, expect, it } from 'vitest';
import { cellsOf, deadPort, json, run, serveMaster } from './cli-test-support.ts';

const report: ReloadReport = {
  isApplied: true,
  isDryRun: false,
  version: 3,
  file: 'conf/srs.conf',
  changes: [
    { kind: 'changed', directive: 'srs_log_level', live: 'at once' },
    { kind: 'added', directive: 'vhost demo', live: 'next use' },
    { kind: 'removed', directive: 'vhost old', live: 'restart' },
  ],
  problems: [],
  workers: [
    { slot: 0, role: 'back-source', pid: 1000, isApplied: true, detail: null },
    { slot: 1, role: 'stream', pid: 1001, isApplied: true, detail: '3 sessions go on with the old chunk size' },
  ],
};

const serveReload = async (answer: (query: Readonly<Record<string, unknown>>) => unknown): Promise<number> =>
  await serveMaster([], { '/api/v1/reload': { POST: answer } });

describe('srs-cli reload', () => {
  it('tells what has changed, when it counts, and who has applied it', async () => {
    const port = await serveReload(() => report);
    const { code, out, err } = await run(port, ['reload']);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^conf\/srs\.conf is in force as version 3: 3 changes\n/);
    expect(cellsOf(out, '~')).toEqual(['~', 'srs_log_level', 'at once']);
    expect(cellsOf(out, '+')).toEqual(['+', 'vhost demo', 'for new sessions']);
    expect(cellsOf(out, '-')).toEqual(['-', 'vhost old', 'after a restart']);
    expect(cellsOf(out, '1 ')).toEqual(['1', 'stream', '1001', 'yes', '3 sessions go on with the old chunk size']);
    expect(await json(port, 'reload')).toEqual(report);
  });

  it('asks for a dry run when told to', async () => {
    const port = await serveReload((query) => ({
      ...report,
      isApplied: false,
      isDryRun: true,
      version: query.dry_run === '1' ? 2 : -1,
      workers: [],
    }));
    const { code, out } = await run(port, ['reload', '--dry-run']);
    expect(code).toBe(0);
    expect(out).toMatch(/^conf\/srs\.conf can be applied: 3 changes; nothing was done\n/);
    expect(out).not.toContain('Slot');
    expect(await json(port, 'reload', '--dry-run')).toMatchObject({ version: 2 });
  });

  it('ends with status 1 and every problem when the file is refused', async () => {
    const problems = ['conf/srs.conf:3: chunk_size 1 must be 128..65536 bytes', 'listen 1935: address in use'];
    const port = await serveReload(() => ({ ...report, isApplied: false, changes: [], workers: [], problems }));
    expect(await run(port, ['reload'])).toEqual({
      code: 1,
      out: '! conf/srs.conf:3: chunk_size 1 must be 128..65536 bytes\n! listen 1935: address in use\n',
      err: 'srs-cli: conf/srs.conf cannot be applied, nothing has changed: 2 problems\n',
    });
  });

  it('ends with status 1 when a worker has not applied it', async () => {
    const workers = [{ slot: 1, role: 'stream', pid: 1001, isApplied: false, detail: 'no answer within 5 s' }] as const;
    const port = await serveReload(() => ({ ...report, workers }));
    const { code, out, err } = await run(port, ['reload']);
    expect([code, err]).toEqual([1, 'srs-cli: not applied everywhere: stream worker in slot 1 (pid 1001)\n']);
    expect(cellsOf(out, '1 ')).toEqual(['1', 'stream', '1001', 'no', 'no answer within 5 s']);
  });

  it('says so when nothing has changed', async () => {
    const port = await serveReload(() => ({ ...report, isApplied: false, changes: [], workers: [] }));
    expect(await run(port, ['reload'])).toEqual({
      code: 0,
      out: 'conf/srs.conf: nothing has changed, version 3 stays in force\n',
      err: '',
    });
  });

  it('ends with status 1 when there is no master, or something else', async () => {
    expect((await run(await deadPort(), ['reload'])).code).toBe(1);
    expect(await run(await serveReload(() => 'hello'), ['reload'])).toEqual({
      code: 1,
      out: '',
      err: 'srs-cli: what the master answered is not the report of a reload\n',
    });
  });
});
