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

/** Back-sources come first, so that a stream worker's number is stable when their number is. @throws SrsError ConfigInvalid */
export function planSlots(config: Config): SlotPlan {
  const isSingle = config.workers.mode === 'single';
  const backSourceCount = isSingle ? 1 : config.workers.backSource;
  const streamCount = isSingle ? 1 : config.workers.stream;
  const count = backSourceCount + streamCount;
  if (count > MAX_SLOTS) {
    throw new SrsError(
      'ConfigInvalid',
      `workers: ${backSourceCount} back_source and ${streamCount} stream must be at most ${MAX_SLOTS} together`,
    );
  }
  const slots = Array.from({ length: count }, (_, slot): SlotDefinition => {
    const isBackSource = slot < backSourceCount;
    return { slot, role: isBackSource ? 'back-source' : 'stream', index: isBackSource ? slot : slot - backSourceCount };
  });
  return { slots, backSourceCount };
}
