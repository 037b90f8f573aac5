/** What a low-latency playlist lists: whole segments, the parts of the last of them, and of the one that is being made. */
import type { InitSection, ListedSegment, Playlist, SegmentKey } from './playlist.ts';

/** A part of a segment. Nothing about it changes any more. */
export interface Part {
  readonly uri: string;
  readonly path: string;
  readonly durationMs: number;
  /** Decoding can begin here. */
  readonly isIndependent: boolean;
}

/** The segment that is being made, as far as it has come. */
export interface PartialSegment {
  readonly isDiscontinuity: boolean;
  readonly programDateTimeMs: number | undefined;
  readonly key: SegmentKey | undefined;
  readonly init?: InitSection | undefined;
  readonly parts: readonly Part[];
}

/** RFC 8216bis, 4.4.4.9: no part is listed that is further from the end. */
const PART_TARGETS = 3;
/** RFC 8216bis, 4.4.3.8: HOLD-BACK and PART-HOLD-BACK in targets, CAN-SKIP-UNTIL in target durations. */
export const HOLD_BACK_TARGETS = 3;
export const SKIP_TARGETS = 6;

export class LowLatencyPlaylist {
  readonly segments: Playlist;
  readonly #parts = new Map<number, readonly Part[]>();
  #open: PartialSegment | undefined;
  #openMs = 0;
  #cutTargetMs = 0;
  /** The part that comes next. */
  hint: Pick<Part, 'uri' | 'path'> | undefined;

  constructor(segments: Playlist, partMs: number) {
    this.segments = segments;
    this.#cutTargetMs = Math.ceil(partMs);
  }

  /** The segment that is being made, when it has a part. */
  get open(): PartialSegment | undefined {
    return this.#open;
  }

  /** Parts of a whole segment that are listed. */
  partsOf(sequence: number): readonly Part[] | undefined {
    return this.#parts.get(sequence);
  }

  /** PART-TARGET: no listed part is longer. */
  get partTargetMs(): number {
    let target = this.#cutTargetMs;
    for (const parts of this.#parts.values()) for (const { durationMs } of parts) target = Math.max(target, durationMs);
    for (const { durationMs } of this.#open?.parts ?? []) target = Math.max(target, durationMs);
    return target;
  }

  /** @returns segments of another format, which are not listed any more */
  addPart(part: Part, segment: Omit<PartialSegment, 'parts'>, targetMs: number): readonly ListedSegment[] {
    const { isDiscontinuity, programDateTimeMs, key, init } = this.#open ?? segment;
    this.#open = { isDiscontinuity, programDateTimeMs, key, init, parts: [...(this.#open?.parts ?? []), part] };
    this.#openMs += part.durationMs;
    this.#cutTargetMs = Math.max(this.#cutTargetMs, targetMs);
    return this.segments.dropOtherFormat(init !== undefined);
  }

  /**
   * The open segment is whole.
   * @returns what is not listed any more because of it
   */
  endSegment(segment: ListedSegment): { readonly segments: readonly ListedSegment[]; readonly parts: readonly Part[] } {
    if (this.#open !== undefined) this.#parts.set(segment.sequence, this.#open.parts);
    this.#open = undefined;
    this.#openMs = 0;
    const segments = this.segments.add(segment);
    return { segments, parts: this.dropParts() };
  }

  /** All parts that are listed. */
  partPaths(): readonly string[] {
    const parts = [...this.#parts.values()].flat();
    return [...parts, ...(this.#open?.parts ?? [])].map((part) => part.path);
  }

  /** Lets go of the parts that have come too far from the end. */
  dropParts(): readonly Part[] {
    const maxMs = PART_TARGETS * this.segments.targetSeconds * 1000;
    let distanceMs = this.#openMs;
    let first = this.segments.nextSequence;
    for (const { sequence, durationMs } of [...this.segments.segments].reverse()) {
      distanceMs += durationMs;
      if (distanceMs > maxMs) break;
      first = sequence;
    }
    const left: Part[] = [];
    for (const [sequence, parts] of this.#parts) {
      if (sequence >= first) break;
      left.push(...parts);
      this.#parts.delete(sequence);
    }
    return left;
  }
}
