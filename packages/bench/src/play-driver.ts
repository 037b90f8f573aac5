/** The players of one process. */
import { readClip } from '@srs/client';
import { addCounts, type ConnectionCounts } from './connection-counts.ts';
import type { LoadDriver } from './load-driver.ts';
import type { LoadResult, LoadSecond } from './load-figures.ts';
import { indexesOf, kindOfPlayer, type LoadShare, type PlayerKind, type PlayPlan, urlOfStream } from './load-plan.ts';
import { ClipReference, PacketChecker } from './packet-checker.ts';
import { PlayConnection, readBuffer } from './play-connection.ts';
import { type PlayTarget, parsePlayUrl } from './play-target.ts';
import { PlayerFigures } from './player-figures.ts';
import { ramp } from './ramp.ts';
import { StampedClip } from './stamped-clip.ts';
import { TimedReader } from './timed-reader.ts';

const playerGroups = ['ordinary', 'slow', 'stalled'] as const;
type PlayerGroup = (typeof playerGroups)[number];

export class PlayDriver implements LoadDriver {
  readonly #plan: PlayPlan;
  readonly #share: LoadShare;
  readonly #indexes: readonly number[];
  readonly #figures: Readonly<Record<PlayerGroup, PlayerFigures>>;
  readonly #targets: readonly PlayTarget[];
  readonly #reference: ClipReference | undefined;
  readonly #reader: TimedReader | undefined;
  readonly #connections: PlayConnection[] = [];
  readonly #stop = new AbortController();
  #unsettled = 0;
  readonly #settled = Promise.withResolvers<void>();

  /** @throws SrsError when an address or the clip cannot be used */
  constructor(plan: PlayPlan, share: LoadShare) {
    this.#plan = plan;
    this.#share = share;
    this.#indexes = indexesOf(share);
    this.#unsettled = this.#indexes.length;
    const kinds = this.#indexes.map((index) => kindOfPlayer(plan, index));
    const count = (wanted: PlayerGroup): number => kinds.filter((kind) => groupOf(kind) === wanted).length;
    this.#figures = {
      ordinary: new PlayerFigures(count('ordinary')),
      slow: new PlayerFigures(count('slow')),
      stalled: new PlayerFigures(count('stalled')),
    };
    this.#targets = Array.from({ length: plan.streams }, (_, stream) => parsePlayUrl(urlOfStream(plan.url, stream)));
    if (plan.readEveryMs > 0) this.#reader = new TimedReader(plan.readEveryMs, readBuffer);
    if (kinds.includes('checked')) this.#reference = readReference(plan.file);
  }

  async start(): Promise<void> {
    const { rampPerSecond } = this.#plan;
    const next: Record<PlayerGroup, number> = { ordinary: 0, slow: 0, stalled: 0 };
    await ramp(this.#indexes.length, rampPerSecond / this.#share.step, this.#stop.signal, (at) => {
      const index = this.#indexes[at]!;
      const kind = kindOfPlayer(this.#plan, index);
      const group = groupOf(kind);
      this.#connections.push(this.#open(index, kind, next[group]++));
    });
    await this.#settled.promise;
  }

  counts(): ConnectionCounts {
    return addCounts(playerGroups.map((group) => this.#figures[group].counter.counts()));
  }

  begin(nowMs: number): void {
    for (const group of playerGroups) this.#figures[group].begin(nowMs);
  }

  second(nowMs: number): LoadSecond['groups'] {
    return this.#each((figures) => figures.second(nowMs));
  }

  finish(nowMs: number): LoadResult['groups'] {
    return this.#each((figures) => figures.finish(nowMs));
  }

  close(): Promise<void> {
    this.#stop.abort();
    this.#settled.resolve();
    this.#reader?.close();
    for (const connection of this.#connections) connection.close();
    return Promise.resolve();
  }

  #open(index: number, kind: PlayerKind, player: number): PlayConnection {
    return new PlayConnection({
      target: this.#targets[index % this.#targets.length]!,
      kind,
      player,
      figures: this.#figures[groupOf(kind)],
      ...(kind === 'checked' && this.#reference !== undefined ? { checker: new PacketChecker(this.#reference) } : {}),
      slowKbps: this.#plan.slowKbps,
      // Those that check read at once, so that latencies are the server's and not the reader's.
      reader: kind === 'light' ? this.#reader : undefined,
      isTimed: this.#reader === undefined || this.#plan.checked === 0 || kind === 'checked',
      onSettled: this.#onSettled,
    });
  }

  readonly #onSettled = (): void => {
    this.#unsettled -= 1;
    if (this.#unsettled === 0) this.#settled.resolve();
  };

  #each<Part>(part: (figures: PlayerFigures) => Part): Record<PlayerGroup, Part> {
    const { ordinary, slow, stalled } = this.#figures;
    return { ordinary: part(ordinary), slow: part(slow), stalled: part(stalled) };
  }
}

function groupOf(kind: PlayerKind): PlayerGroup {
  return kind === 'slow' || kind === 'stalled' ? kind : 'ordinary';
}

function readReference(file: string): ClipReference {
  const clip = readClip(file);
  return new ClipReference(clip, new StampedClip(clip, { isStamped: true }).nalLengthBytes);
}
