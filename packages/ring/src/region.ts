/** A piece of an arena. */

/** Plain data: it travels in control messages. */
export interface Region {
  /** Its entry in the table of regions. */
  readonly index: number;
  readonly offset: number;
  /** What was asked for, in whole pages. */
  readonly sizeBytes: number;
  /** A number no other region of this table has had, not 0: a reader that comes too late knows by it. */
  readonly generation: number;
}
