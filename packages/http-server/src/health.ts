/** Whether the server is alive, and whether it can be given clients: for load balancers and service managers. */
import type { DrainSummary, WorkerAnswer, WorkerSummary } from './server-documents.ts';

export interface HealthDocument {
  readonly code: 0;
  readonly status: 'alive';
  /** Of the process that answers. */
  readonly pid: number;
  readonly uptime_seconds: number;
}

export interface ReadinessDocument {
  /** 0, or 503 as the status of the answer. */
  readonly code: 0 | 503;
  readonly status: 'ready' | 'not ready';
  /** How many slots there are, and how many of them serve. */
  readonly workers: number;
  readonly ready: number;
  /** One when the server is drained, and one for each slot that does not serve: `stream worker in slot 2 (pid 4711) died of signal SIGKILL, ...`. */
  readonly reasons: readonly string[];
}

/** This process answers, and that is all it says. */
export function healthDocument(process: { readonly pid: number; uptime(): number }): HealthDocument {
  return { code: 0, status: 'alive', pid: process.pid, uptime_seconds: Math.round(process.uptime()) };
}

/** Ready is a server all of whose workers serve and answer, and which is not drained. */
export function readinessDocument(
  workers: readonly WorkerAnswer<WorkerSummary>[],
  drain?: Pick<DrainSummary, 'clients'>,
): ReadinessDocument {
  const reasons = workers.flatMap(({ worker, data, problem }) => {
    if (worker.state === 'ready' && data !== null) return [];
    const pid = worker.pid > 0 ? ` (pid ${worker.pid})` : '';
    return [`${worker.role} worker in slot ${worker.slot}${pid}: ${problem ?? `is ${worker.state}`}`];
  });
  if (workers.length === 0) return unreadyDocument('the server has no workers');
  const ready = workers.length - reasons.length;
  if (drain !== undefined) reasons.unshift(`the server is drained: ${drain.clients} clients are left`);
  const isReady = reasons.length === 0;
  return { code: isReady ? 0 : 503, status: isReady ? 'ready' : 'not ready', workers: workers.length, ready, reasons };
}

/** Nobody can be asked. */
export function unreadyDocument(reason: string): ReadinessDocument {
  return { code: 503, status: 'not ready', workers: 0, ready: 0, reasons: [reason] };
}
