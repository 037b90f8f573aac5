/** What a load test takes of the machine, before it takes it. */
import { totalmem } from 'node:os';
import { readClip } from '@srs/client';
import { SrsError } from '@srs/kernel';
import { openFilesLimit } from '@srs/native';
import { connectionsOf, type LoadPlan, type PublishPlan, sharesOf } from './load-plan.ts';
import { StampedClip } from './stamped-clip.ts';

/** Descriptors that a process has anyway. */
const OWN_FILES = 64;
/** Of a process without connections, and of one connection with its session while it starts. */
const PROCESS_BYTES = 100 * 1024 * 1024;
const CONNECTION_BYTES = 32 * 1024;

/**
 * Better now and once than later in every process.
 *
 * @throws SrsError TooManyConnections or SharedMemory, naming what is needed and what there is; what `readClip` and `StampedClip`
 *   throw when the clip cannot be used
 */
export function assertFeasible(plan: LoadPlan): void {
  const publish = publishPlanOf(plan);
  const plans: readonly LoadPlan[] = plan.kind === 'play' && publish !== undefined ? [plan, publish] : [plan];
  for (const each of plans) assertOpenFiles(each);
  assertMemory(plans);
  if (publish !== undefined) assertClip(publish);
  else if (plan.kind === 'play' && plan.checked > 0) readClip(plan.file);
}

function publishPlanOf(plan: LoadPlan): PublishPlan | undefined {
  if (plan.kind === 'hls') return undefined;
  return plan.kind === 'play' ? plan.publish : plan;
}

function assertOpenFiles(plan: LoadPlan): void {
  const files = Math.ceil(connectionsOf(plan) / sharesOf(plan).length) + OWN_FILES;
  const limit = openFilesLimit();
  if (files <= limit) return;
  const way = 'raise it (ulimit -n) or use more --processes';
  throw new SrsError('TooManyConnections', `${files} open files are needed in a process and ${limit} are allowed: ${way}`);
}

function assertMemory(plans: readonly LoadPlan[]): void {
  const bytesOf = (plan: LoadPlan): number => sharesOf(plan).length * PROCESS_BYTES + connectionsOf(plan) * CONNECTION_BYTES;
  const bytes = plans.reduce((sum, plan) => sum + bytesOf(plan), 0);
  const constrained = process.constrainedMemory();
  const limitBytes = Math.min(totalmem(), constrained > 0 ? constrained : Number.POSITIVE_INFINITY) / 2;
  if (bytes <= limitBytes) return;
  const limit = `half of the machine's, ${toMiB(limitBytes)} MiB`;
  throw new SrsError('SharedMemory', `about ${toMiB(bytes)} MiB of memory are needed, must be at most ${limit}`);
}

function assertClip({ file, ...options }: PublishPlan): StampedClip {
  return new StampedClip(readClip(file), options);
}

function toMiB(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}
