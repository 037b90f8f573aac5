/** What a load test takes of the machine, before it takes it. */
import { totalmem } from 'node:os';
import { SrsError } from '@srs/kernel';
import { openFilesLimit } from '@srs/native';
import { connectionsOf, type LoadPlan, sharesOf } from './load-plan.ts';

/** Descriptors that a process has anyway. */
const OWN_FILES = 64;
/** Of a process without connections, and of one connection with its session while it starts. */
const PROCESS_BYTES = 100 * 1024 * 1024;
const CONNECTION_BYTES = 32 * 1024;

/** @throws SrsError TooManyConnections or SharedMemory, naming what is needed and what there is */
export function assertResources(plan: LoadPlan): void {
  const plans: readonly LoadPlan[] = plan.kind === 'play' && plan.publish !== undefined ? [plan, plan.publish] : [plan];
  for (const each of plans) {
    const processes = sharesOf(each).length;
    const files = Math.ceil(connectionsOf(each) / processes) + OWN_FILES;
    const limit = openFilesLimit();
    if (files > limit) {
      const way = 'raise it (ulimit -n) or use more --processes';
      throw new SrsError('TooManyConnections', `${files} open files are needed in a process and ${limit} are allowed: ${way}`);
    }
  }
  const bytes = plans.reduce(
    (sum, each) => sum + sharesOf(each).length * PROCESS_BYTES + connectionsOf(each) * CONNECTION_BYTES,
    0,
  );
  const constrained = process.constrainedMemory();
  const limitBytes = Math.min(totalmem(), constrained > 0 ? constrained : Number.POSITIVE_INFINITY) / 2;
  if (bytes > limitBytes) {
    const text = `about ${toMiB(bytes)} MiB of memory are needed, must be at most half of the machine's, ${toMiB(limitBytes)} MiB`;
    throw new SrsError('SharedMemory', text);
  }
}

function toMiB(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}
