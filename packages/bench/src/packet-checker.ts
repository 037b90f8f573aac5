/** Holds every packet of one player to what was published. */
import type { FlvClip } from '@srs/client';
import { classifyFrame } from '@srs/codec';
import { type FrameType, frameFlags, frameTypes, timestampDelta } from '@srs/kernel';
import { checksumOf, Stamp } from './stamp.ts';

/** The sound and the headers of a clip, by their bytes; shared by all players. */
export class ClipReference {
  readonly nalLengthBytes: number;
  readonly #headers: ReadonlySet<string>;
  readonly #sounds: readonly string[];
  readonly #placesOfSound = new Map<string, number[]>();

  constructor(clip: Pick<FlvClip, 'headers' | 'frames'>, nalLengthBytes: number) {
    this.nalLengthBytes = nalLengthBytes;
    const all = [...clip.headers, ...clip.frames];
    this.#headers = new Set(all.filter(isHeader).map(({ payload }) => keyOf(payload)));
    this.#sounds = all
      .filter((frame) => frame.type === frameTypes.audio && !isHeader(frame))
      .map(({ payload }) => keyOf(payload));
    this.#sounds.forEach((key, place) => {
      this.#placesOfSound.set(key, [...(this.#placesOfSound.get(key) ?? []), place]);
    });
  }

  hasHeader(payload: Buffer): boolean {
    return this.#headers.has(keyOf(payload));
  }

  /** Where in the clip this sound may be; equal ones, such as silence, are in many places. Empty: it is none of the clip's. */
  placesOf(payload: Buffer): readonly number[] {
    return this.#placesOfSound.get(keyOf(payload)) ?? [];
  }

  /** Of these places, moved on by one, those that are among `next`; the clip is a circle. */
  follow(places: readonly number[], next: readonly number[]): number[] {
    const wanted = new Set(next);
    return places.map((place) => (place + 1) % this.#sounds.length).filter((place) => wanted.has(place));
  }

  /** How many sounds were left out between these places and the nearest of `next`. */
  distance(places: readonly number[], next: readonly number[]): number {
    const count = this.#sounds.length;
    let least = count;
    for (const from of places) for (const to of next) least = Math.min(least, (to - from - 1 + 2 * count) % count);
    return least;
  }
}

/** What a checker tells of one packet. */
export interface Verdict {
  /** The bytes are not those that were published, or time goes back. */
  readonly isWrong: boolean;
  /** Sounds that were left out before this one. */
  readonly missingSounds: number;
}

const fine: Verdict = { isWrong: false, missingSounds: 0 };
const wrong: Verdict = { isWrong: true, missingSounds: 0 };

export class PacketChecker {
  readonly #reference: ClipReference;
  readonly #stamp = new Stamp();
  /** Without stamps the publisher is not one of this tester's, and its sound may be anything. */
  #hasStamps = false;
  #soundPlaces: readonly number[] = [];
  #lastVideoMs = -1;
  #lastAudioMs = -1;

  constructor(reference: ClipReference) {
    this.#reference = reference;
  }

  check(type: FrameType, timestampMs: number, payload: Buffer): Verdict {
    // Servers may write into metadata, and do.
    if (type === frameTypes.data || payload.length === 0) return fine;
    if (isHeader({ type, payload })) return this.#hasStamps && !this.#reference.hasHeader(payload) ? wrong : fine;
    return type === frameTypes.video ? this.#checkPicture(timestampMs, payload) : this.#checkSound(timestampMs, payload);
  }

  /** Pictures were left out, so sound may have been as well. */
  onGap(): void {
    this.#soundPlaces = [];
  }

  #checkPicture(timestampMs: number, payload: Buffer): Verdict {
    const isBack = this.#lastVideoMs >= 0 && timestampDelta(this.#lastVideoMs, timestampMs) < 0;
    this.#lastVideoMs = timestampMs;
    if (!this.#stamp.read(payload, 0, payload.length)) return this.#hasStamps || isBack ? wrong : fine;
    this.#hasStamps = true;
    return isBack || this.#stamp.crc !== checksumOf(payload, this.#reference.nalLengthBytes) ? wrong : fine;
  }

  #checkSound(timestampMs: number, payload: Buffer): Verdict {
    const isBack = this.#lastAudioMs >= 0 && timestampDelta(this.#lastAudioMs, timestampMs) < 0;
    this.#lastAudioMs = timestampMs;
    if (isBack) return wrong;
    if (!this.#hasStamps) return fine;
    const places = this.#reference.placesOf(payload);
    if (places.length === 0) return wrong;
    const before = this.#soundPlaces;
    const following = this.#reference.follow(before, places);
    this.#soundPlaces = following.length > 0 ? following : places;
    if (before.length === 0 || following.length > 0) return fine;
    return { isWrong: false, missingSounds: this.#reference.distance(before, places) };
  }
}

function isHeader({ type, payload }: { readonly type: FrameType; readonly payload: Buffer }): boolean {
  return (classifyFrame(type, payload) & (frameFlags.sequenceHeader | frameFlags.videoMetadata)) !== 0;
}

/** The bytes themselves: a hash would be as long as many of the packets. */
function keyOf(payload: Buffer): string {
  return payload.toString('latin1');
}
