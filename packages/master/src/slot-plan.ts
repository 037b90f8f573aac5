/** Which slots a server has: each is a place for one worker process, for as long as the server lives. */
import type { Config } from '@srs/config';
import type { WorkerRole } from '@srs/control';
import { SrsError } from '@srs/kernel';
import { MAX_SLOTS } from '@srs/worker';

export interface SlotDefinition {
  readonly slot: number;
  readonly role: WorkerRole;
  /** The number among the slots of its role. */
  readonly index: number;
}

export interface SlotPlan {
  readonly slots: readonly SlotDefinition[];
  readonly backSourceCount: number;
}

/**
 * Back-sources come first, then the workers with RTMP clients, so that a slot keeps its number when what follows comes or goes: those for
 * HTTP exist only while something has to do with HTTP.
 * @throws SrsError ConfigInvalid
 */
export function planSlots(config: Config): SlotPlan {
  const counts = countsOf(config);
  const slots: SlotDefinition[] = [];
  for (const role of ['back-source', 'stream', 'http'] as const) {
    for (let index = 0; index < counts[role]; index += 1) slots.push({ slot: slots.length, role, index });
  }
  if (slots.length > MAX_SLOTS) {
    const http = counts.http === 0 ? '' : ` and ${counts.http} http`;
    throw new SrsError(
      'ConfigInvalid',
      `workers: ${counts['back-source']} back_source and ${counts.stream} stream${http} must be at most ${MAX_SLOTS} together`,
    );
  }
  return { slots, backSourceCount: counts['back-source'] };
}

function countsOf({ workers, httpApi, httpStream, exporter, heartbeat }: Config): Readonly<Record<WorkerRole, number>> {
  const isSingle = workers.mode === 'single';
  const isServingHttp = [httpApi, httpStream, exporter, heartbeat].some(({ enabled }) => enabled);
  return {
    'back-source': isSingle ? 1 : workers.backSource,
    stream: isSingle ? 1 : workers.stream,
    http: isServingHttp ? (isSingle ? 1 : workers.http) : 0,
  };
}
