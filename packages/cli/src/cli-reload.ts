/** `srs-cli reload`: what has changed, when it counts, and who has applied it. */
import type { ServerAddress } from '@srs/config';
import { SrsError } from '@srs/kernel';
import type { ReloadedWorker, ReloadReport } from '@srs/survey';
import { askMasterFor } from './cli-master.ts';
import { type Report, workerName } from './cli-report.ts';
import { type Cell, type Colors, type Column, emphasize, tableText } from './cli-table.ts';
import { printable } from './cli-text.ts';

export async function reload(api: ServerAddress, isDryRun: boolean, timeoutMs: number): Promise<Report<ReloadReport>> {
  const data = await askMasterFor(api, `/api/v1/reload${isDryRun ? '?dry_run=1' : ''}`, timeoutMs, 'POST');
  if (!isReloadReport(data)) throw new SrsError('HttpAnswer', 'what the master answered is not the report of a reload');
  return reloadReport(data);
}

function isReloadReport(data: unknown): data is ReloadReport {
  return typeof data === 'object' && data !== null && 'isApplied' in data && 'changes' in data && Array.isArray(data.changes);
}

function reloadReport(document: ReloadReport): Report<ReloadReport> {
  const { file, problems, workers } = document;
  const failed = workers.filter(({ isApplied }) => !isApplied);
  const failure =
    problems.length > 0
      ? `${file} cannot be applied, nothing has changed: ${countText(problems.length, 'problem')}`
      : failed.length > 0
        ? `not applied everywhere: ${failed.map(workerName).join(', ')}`
        : undefined;
  return { document, text: (colors) => reloadText(document, colors), failure };
}

function reloadText(document: ReloadReport, colors: Colors): string {
  const { changes, problems, workers } = document;
  if (problems.length > 0) {
    return problems.map((problem) => `${emphasize(printable(`! ${problem}`), 'bad', colors)}\n`).join('');
  }
  const parts = [`${printable(headline(document))}\n`];
  if (changes.length > 0) parts.push(tableText(changeColumns, changes, colors));
  if (workers.length > 0) parts.push(tableText(workerColumns, workers, colors));
  return parts.join('\n');
}

function headline({ isDryRun, file, version, changes }: ReloadReport): string {
  if (changes.length === 0) return `${file}: nothing has changed, version ${version} stays in force`;
  const what = countText(changes.length, 'change');
  if (isDryRun) return `${file} can be applied: ${what}; nothing was done`;
  return `${file} is in force as version ${version}: ${what}`;
}

const countText = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

type Change = ReloadReport['changes'][number];

const kinds: Readonly<Record<Change['kind'], string>> = { added: '+', removed: '-', changed: '~' };

const times: Readonly<Record<Change['live'], Cell>> = {
  'at once': { text: 'at once', emphasis: 'good' },
  'next use': { text: 'for new sessions', emphasis: 'plain' },
  restart: { text: 'after a restart', emphasis: 'warning' },
};

const changeColumns: readonly Column<Change>[] = [
  { head: '', value: ({ kind }) => kinds[kind] },
  { head: 'Changed', value: ({ directive }) => directive },
  { head: 'Counts', value: ({ live }) => times[live] },
];

const workerColumns: readonly Column<ReloadedWorker>[] = [
  { head: 'Slot', isRight: true, value: ({ slot }) => slot },
  { head: 'Role', value: ({ role }) => role },
  { head: 'Pid', isRight: true, value: ({ pid }) => (pid === 0 ? undefined : pid) },
  {
    head: 'Applied',
    value: ({ isApplied }) => (isApplied ? { text: 'yes', emphasis: 'good' } : { text: 'no', emphasis: 'bad' }),
  },
  { head: 'Detail', value: ({ detail }) => detail ?? '' },
];
