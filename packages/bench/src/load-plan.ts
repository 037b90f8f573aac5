/** What a load test is to do, and which part of it one process does. */

/** A process whose use of the machine is measured. */
export interface WatchedProcess {
  readonly pid: number;
  /** Undefined: its command. */
  readonly label: string | undefined;
}

interface CommonPlan {
  /** `{n}` stands for the number of a stream. */
  readonly url: string;
  readonly processes: number;
  /** New connections a second, all processes together. */
  readonly rampPerSecond: number;
  readonly durationSeconds: number;
  readonly watched: readonly WatchedProcess[];
  /** These and all that descend from them. */
  readonly watchedTrees: readonly number[];
  readonly isJson: boolean;
}

/** How a publisher makes its stream. */
interface StreamSource {
  readonly file: string;
  readonly kbps: number | undefined;
  readonly isStamped: boolean;
}

export interface PublishPlan extends CommonPlan, StreamSource {
  readonly kind: 'publish';
  readonly publishers: number;
  /** 1 is real time; Infinity is as fast as the server takes it. */
  readonly speed: number;
}

export interface PlayPlan extends CommonPlan {
  readonly kind: 'play';
  /** All of them, the slow and the stalled ones included. */
  readonly players: number;
  readonly streams: number;
  readonly warmupSeconds: number;
  /** Players that check every packet. */
  readonly checked: number;
  readonly slow: number;
  readonly slowKbps: number;
  readonly stalled: number;
  /** 0: when the kernel says that there is something. */
  readonly readEveryMs: number;
  /** What is published, to check against. */
  readonly file: string;
  /** How the streams are published as part of the test; undefined when somebody else does it. */
  readonly publish: PublishPlan | undefined;
}

/** Viewers of HLS. */
export interface HlsPlan extends CommonPlan {
  readonly kind: 'hls';
  readonly players: number;
  readonly streams: number;
  readonly warmupSeconds: number;
  /** What is asked for again and again, as fast as it comes; empty: as viewers do. */
  readonly files: readonly string[];
}

export type LoadPlan = PlayPlan | PublishPlan | HlsPlan;

/** The connections `first`, `first + step`, ... of a plan, for one process. */
export interface LoadShare {
  readonly plan: LoadPlan;
  readonly first: number;
  readonly step: number;
}

export type PlayerKind = 'light' | 'checked' | 'slow' | 'stalled';

export function connectionsOf(plan: LoadPlan): number {
  return plan.kind === 'publish' ? plan.publishers : plan.players;
}

export function indexesOf({ plan, first, step }: LoadShare): number[] {
  const indexes: number[] = [];
  for (let index = first; index < connectionsOf(plan); index += step) indexes.push(index);
  return indexes;
}

/** One share for each process; fewer processes than asked for when there are fewer connections. */
export function sharesOf(plan: LoadPlan): LoadShare[] {
  const step = Math.min(plan.processes, connectionsOf(plan));
  return Array.from({ length: step }, (_, first) => ({ plan, first, step }));
}

/** Slow ones first, then the stalled; those that check are spread evenly over the rest, so that they stand for all. */
export function kindOfPlayer(plan: PlayPlan, index: number): PlayerKind {
  if (index < plan.slow) return 'slow';
  if (index < plan.slow + plan.stalled) return 'stalled';
  const others = plan.players - plan.slow - plan.stalled;
  const place = index - plan.slow - plan.stalled;
  const checkedBefore = (end: number): number => Math.floor((end * plan.checked) / others);
  return checkedBefore(place + 1) > checkedBefore(place) ? 'checked' : 'light';
}

export function urlOfStream(url: string, stream: number): string {
  return url.replaceAll('{n}', String(stream));
}
