/** `srs-cli drain --all`: lets the clients of the whole server go, and tells how far it is until nobody is left. */
import { setTimeout as delay } from 'node:timers/promises';
import { formatAddress, type ServerAddress } from '@srs/config';
import { SrsError } from '@srs/kernel';
import type { DrainSummary } from '@srs/survey';
import type { DrainWish } from './cli-commands.ts';
import { askMasterFor } from './cli-master.ts';
import type { Report } from './cli-report.ts';

const LOOK_EVERY_MS = 300;

/**
 * Begins it, and waits until the server is empty; who breaks off leaves it going on.
 * @param tell a line for people, whenever something has changed
 */
export async function drainServer(
  api: ServerAddress,
  wish: DrainWish & { readonly kind: 'server' },
  timeoutMs: number,
  tell: (line: string) => void,
): Promise<Report<DrainSummary>> {
  const query = new URLSearchParams({ all: '1', ...(wish.isStopping ? { stop: '1' } : {}) });
  if (wish.to !== undefined) query.set('to', wish.to);
  if (wish.withinSeconds !== undefined) query.set('within', String(wish.withinSeconds));
  let summary = summaryIn(await askMasterFor(api, `/api/v1/drain?${query.toString()}`, timeoutMs, 'POST'));
  let told = '';
  while (summary.state !== 'empty') {
    const line = progressText(summary);
    if (line !== told) tell(`${line}, ${restText(summary)}`);
    told = line;
    await delay(LOOK_EVERY_MS);
    const next = await askMasterFor(api, '/api/v1/drain', timeoutMs);
    if (next === null) return { document: summary, text: () => '', failure: 'the drain was cancelled' };
    summary = summaryIn(next);
  }
  const text = `${finalText(summary)}${summary.isStopping ? ', the server ends' : '; srs-cli drain --cancel takes clients again'}\n`;
  return { document: summary, text: () => text };
}

export async function cancelDrain(api: ServerAddress, timeoutMs: number): Promise<Report<DrainSummary>> {
  const document = summaryIn(await askMasterFor(api, '/api/v1/drain?cancel=1', timeoutMs, 'POST'));
  return { document, text: () => `${formatAddress(api)} takes clients again\n` };
}

/** For `status`: `drained: 3 of 6 clients are left`. */
export function drainText(summary: DrainSummary): string {
  return summary.state === 'empty' ? `drained: ${finalText(summary)}` : `drained: ${progressText(summary)}, ${restText(summary)}`;
}

const progressText = ({ clients, clientsBefore }: DrainSummary): string => `${clients} of ${clientsBefore} clients are left`;

function restText({ state, remainingSeconds, to }: DrainSummary): string {
  if (state === 'leaving') return 'all have been told to go';
  const how = to === null ? 'dismissed' : `sent to ${to}`;
  return `who stays is ${how} in ${remainingSeconds} s`;
}

function finalText({ elapsedSeconds, left, redirected, dismissed }: DrainSummary): string {
  return `empty after ${elapsedSeconds} s: ${left} left by themselves, ${redirected} redirected, ${dismissed} dismissed`;
}

/** @throws SrsError when it is none */
function summaryIn(data: unknown): DrainSummary {
  if (typeof data === 'object' && data !== null && 'state' in data && 'clientsBefore' in data) return data as DrainSummary;
  throw new SrsError('HttpAnswer', 'what the master answered does not tell of a drain');
}
