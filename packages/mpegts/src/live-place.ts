/** How far a live transport stream has been written: who goes on from equal places writes equal bytes. */
import { UnwrappedClock } from './clock-90k.ts';
import { COUNTERS, type LiveTables, liveTables } from './live-tables.ts';
import { ProgramClock } from './program-clock.ts';
import { SampleClock } from './sample-clock.ts';

/** Before any tables. */
const NO_VERSION = -1;

export class LivePlace {
  /** Of the next packets, by `counterOf`. */
  readonly counters = new Uint8Array(COUNTERS);
  readonly clock = new UnwrappedClock();
  readonly program = new ProgramClock();
  readonly samples = new SampleClock();
  /** Stream types of the tracks, 0 for none. */
  videoType = 0;
  audioType = 0;
  tablesVersion = NO_VERSION;
  tablesDts = 0;

  /** For the tracks as they are. */
  get tables(): LiveTables {
    return liveTables(this.videoType, this.audioType);
  }

  copyFrom(other: LivePlace): void {
    this.counters.set(other.counters);
    this.clock.copyFrom(other.clock);
    this.program.copyFrom(other.program);
    this.samples.copyFrom(other.samples);
    this.videoType = other.videoType;
    this.audioType = other.audioType;
    this.tablesVersion = other.tablesVersion;
    this.tablesDts = other.tablesDts;
  }

  isSame(other: LivePlace): boolean {
    return (
      this.videoType === other.videoType &&
      this.audioType === other.audioType &&
      this.tablesVersion === other.tablesVersion &&
      this.tablesDts === other.tablesDts &&
      this.counters.every((counter, index) => counter === other.counters[index]) &&
      this.clock.isSame(other.clock) &&
      this.program.isSame(other.program) &&
      this.samples.isSame(other.samples)
    );
  }
}

/** As many beginnings as all joiners of some seconds can ask for: newest key frames, or sounds where there are no pictures. */
const MAX_STARTS = 32;

/** The places at the newest records where somebody may join: who begins there writes what everybody writes. */
export class LiveStarts {
  readonly #places = new Map<number, LivePlace>();

  find(sequence: number): LivePlace | undefined {
    return this.#places.get(sequence);
  }

  /** @param place before the record; copied */
  note(sequence: number, place: LivePlace): void {
    const places = this.#places;
    const [oldest] = places.size < MAX_STARTS ? [] : places.keys();
    const replaced = places.has(sequence) ? sequence : oldest;
    const kept = (replaced === undefined ? undefined : places.get(replaced)) ?? new LivePlace();
    if (replaced !== undefined) places.delete(replaced);
    kept.copyFrom(place);
    places.set(sequence, kept);
  }
}
