/** The pictures of a transport stream as FLV has them: the other direction of video-muxer.ts. */
import { frameTypes } from '@srs/kernel';
import { TICKS_PER_MS, ticksBetween } from './clock-90k.ts';
import { type MuxedVideoCodec, nalKinds, nalSyntaxes } from './nal-syntax.ts';
import { NalUnits } from './nal-units.ts';
import { type TrackClock, timestampOf } from './ts-to-flv-clock.ts';
import type { FlvFrameHandler } from './ts-to-flv-handler.ts';
import type { LoosePes } from './ts-to-flv-pes.ts';
import { decoderConfiguration, type ParameterSetLists, type SetKind, videoHead } from './ts-to-flv-video-head.ts';

const LENGTH_BYTES = 4;
/** What 24 bits hold; no picture is shown so long after it is decoded. */
const MAX_COMPOSITION_MS = 0x7fffff;

const setKinds: ReadonlyMap<number, SetKind> = new Map([
  [nalKinds.vps, 'vps'],
  [nalKinds.sps, 'sps'],
  [nalKinds.pps, 'pps'],
]);

const noSets: ParameterSetLists = { vps: [], sps: [], pps: [] };

export class VideoToFlv {
  readonly #codec: MuxedVideoCodec;
  readonly #clock: TrackClock;
  readonly #handler: FlvFrameHandler;
  readonly #units: NalUnits;
  #sets = noSets;
  /** Those that the configuration was made of. */
  #configuredSets = noSets;
  #configuration: Buffer | undefined;

  constructor(codec: MuxedVideoCodec, clock: TrackClock, handler: FlvFrameHandler) {
    this.#codec = codec;
    this.#clock = clock;
    this.#handler = handler;
    this.#units = new NalUnits(`mpeg-ts picture of ${codec}`);
  }

  /**
   * Takes a picture. Those before the first parameter sets cannot be decoded and are left out.
   *
   * @throws SrsError HlsDecode for more NAL units than any encoder makes
   */
  onPes({ pts, dts, payload, isRandomAccess }: LoosePes): void {
    if (pts === undefined || dts === undefined) {
      this.#handler.onWarning('a picture without a time is left out');
      return;
    }
    this.#units.readAnnexB(payload, 0, payload.length);
    const kinds = this.#takeSets(payload);
    const ticks = this.#clock.ticksAt(dts);
    const timestampMs = timestampOf(ticks);
    this.#configure(timestampMs);
    if (this.#configuration === undefined) return;
    // An open group of pictures begins with parameter sets and a mark, and has no picture of the kind that is one by itself.
    const isMarked = isRandomAccess && (kinds & nalKinds.sps) !== 0;
    const isKeyFrame = isMarked || (kinds & nalKinds.randomAccess) !== 0;
    const shownMs = Math.round((ticks + ticksBetween(dts, pts)) / TICKS_PER_MS) - Math.round(ticks / TICKS_PER_MS);
    const compositionMs = Math.max(-MAX_COMPOSITION_MS, Math.min(MAX_COMPOSITION_MS, shownMs));
    const body = this.#body(payload, videoHead(this.#codec, 'frames', isKeyFrame, compositionMs));
    if (body !== undefined) this.#handler.onFrame(frameTypes.video, timestampMs, body);
  }

  /** The sets in a picture replace those of their kind. @returns the kinds of all units */
  #takeSets(payload: Buffer): number {
    const { begins, ends, count } = this.#units;
    const syntax = nalSyntaxes[this.#codec];
    const found: Record<SetKind, Buffer[]> = { vps: [], sps: [], pps: [] };
    let kinds = 0;
    for (let index = 0; index < count; index++) {
      const kind = syntax.kindOf(payload[begins[index]!]!);
      kinds |= kind;
      const set = setKinds.get(kind);
      if (set !== undefined) found[set].push(payload.subarray(begins[index], ends[index]));
    }
    const differs = (kind: SetKind): boolean => found[kind].length > 0 && !isSameList(found[kind], this.#sets[kind]);
    if (differs('vps') || differs('sps') || differs('pps')) {
      const take = (kind: SetKind): readonly Buffer[] =>
        found[kind].length > 0 ? found[kind].map((set) => Buffer.from(set)) : this.#sets[kind];
      this.#sets = { vps: take('vps'), sps: take('sps'), pps: take('pps') };
    }
    return kinds;
  }

  /** Tells of a new decoder configuration, once it is complete. */
  #configure(timestampMs: number): void {
    if (this.#sets === this.#configuredSets) return;
    this.#configuredSets = this.#sets;
    const configuration = decoderConfiguration(this.#codec, this.#sets);
    if (configuration === undefined || this.#configuration?.equals(configuration) === true) return;
    this.#configuration = configuration;
    const head = videoHead(this.#codec, 'sequence-header', true, 0);
    this.#handler.onFrame(frameTypes.video, timestampMs, Buffer.concat([head, configuration]));
  }

  /** @returns undefined when there is nothing besides what stands in the configuration */
  #body(payload: Buffer, head: Buffer): Buffer | undefined {
    const { begins, ends, count } = this.#units;
    const syntax = nalSyntaxes[this.#codec];
    const isKept = (index: number): boolean => {
      const kind = syntax.kindOf(payload[begins[index]!]!);
      return kind === nalKinds.other || kind === nalKinds.randomAccess;
    };
    let sizeBytes = head.length;
    for (let index = 0; index < count; index++) if (isKept(index)) sizeBytes += LENGTH_BYTES + ends[index]! - begins[index]!;
    if (sizeBytes === head.length) return undefined;
    const body = Buffer.allocUnsafe(sizeBytes);
    let at = head.copy(body);
    for (let index = 0; index < count; index++) {
      if (!isKept(index)) continue;
      at = body.writeUInt32BE(ends[index]! - begins[index]!, at);
      at += payload.copy(body, at, begins[index], ends[index]);
    }
    return body;
  }
}

const isSameList = (one: readonly Buffer[], other: readonly Buffer[]): boolean =>
  one.length === other.length && one.every((set, index) => set.equals(other[index]!));
