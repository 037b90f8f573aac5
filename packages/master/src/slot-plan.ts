/** Which slots a server has: each is a place for one worker process, for as long as the server lives. */
import type { Config } from '@srs/config';
import type { WorkerRole } from '@srs/control';
import { SrsError } from '@srs/kernel';
import { MAX_SLOTS } from '@srs/worker';
import { listenAddresses } from './listen-addresses.ts';

export interface SlotDefinition {
  readonly slot: number;
  readonly role: WorkerRole;
  /** The number among the slots of its role. */
  readonly index: number;
}

export interface SlotPlan {
  /** All that there shall be, in the order of their numbers. */
  readonly slots: readonly SlotDefinition[];
  readonly backSourceCount: number;
  /** Those of `slots` that are new, and those that shall not be any more. */
  readonly added: readonly SlotDefinition[];
  readonly removed: readonly SlotDefinition[];
}

/**
 * Back-sources come first, then the workers with RTMP clients, then those for HTTP, which exist only while something has to do with HTTP.
 * That is how a server starts; later a slot keeps its number, and new ones take the lowest that are free.
 * @param current slots that exist already
 * @param taken numbers that are still in use by slots which are on their way out
 * @throws SrsError ConfigInvalid
 */
export function planSlots(
  config: Config,
  current: readonly SlotDefinition[] = [],
  taken: readonly SlotDefinition[] = [],
): SlotPlan {
  const counts = countsOf(config);
  const kept: SlotDefinition[] = [];
  const added: SlotDefinition[] = [];
  const used = new Set([...current, ...taken].map(({ slot }) => slot));
  for (const role of ['back-source', 'stream', 'http'] as const) {
    const ofRole = current.filter((definition) => definition.role === role).slice(0, counts[role]);
    kept.push(...ofRole);
    for (let index = ofRole.length; index < counts[role]; index += 1) {
      const slot = lowestFree(used);
      used.add(slot);
      added.push({ slot, role, index });
    }
  }
  if (used.size > MAX_SLOTS) {
    const http = counts.http === 0 ? '' : ` and ${counts.http} http`;
    const leaving = used.size - kept.length - added.length;
    const others = leaving === 0 ? '' : ` and ${leaving} that finish with their clients`;
    throw new SrsError(
      'ConfigInvalid',
      `workers: ${counts['back-source']} back_source and ${counts.stream} stream${http}${others} must be at most ${MAX_SLOTS} together`,
    );
  }
  const slots = [...kept, ...added].sort((one, other) => one.slot - other.slot);
  const removed = current.filter((definition) => !kept.includes(definition));
  return { slots, backSourceCount: counts['back-source'], added, removed };
}

function lowestFree(used: ReadonlySet<number>): number {
  let slot = 0;
  while (used.has(slot)) slot += 1;
  return slot;
}

function countsOf(config: Config): Readonly<Record<WorkerRole, number>> {
  const { workers, heartbeat } = config;
  const isSingle = workers.mode === 'single';
  const isServingHttp = heartbeat.enabled || listenAddresses(config, 'http').length > 0;
  return {
    'back-source': isSingle ? 1 : workers.backSource,
    stream: isSingle ? 1 : workers.stream,
    http: isServingHttp ? (isSingle ? 1 : workers.http) : 0,
  };
}
