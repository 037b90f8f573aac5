/** Turns a transport stream, as it comes from a network, into the frames of an FLV stream. */
import { SrsError } from '@srs/kernel';
import { streamTypes } from './program-tables.ts';
import { AudioToFlv } from './ts-to-flv-audio.ts';
import { FlvClock } from './ts-to-flv-clock.ts';
import type { FlvFrameHandler } from './ts-to-flv-handler.ts';
import { type LoosePacket, PacketFinder } from './ts-to-flv-packets.ts';
import { PesCollector } from './ts-to-flv-pes.ts';
import { type ChosenTrack, type ChosenTracks, ProgramChoice } from './ts-to-flv-program.ts';
import { readAdtsFrame, readMp3Frame } from './ts-to-flv-sound-frames.ts';
import { VideoToFlv } from './ts-to-flv-video.ts';

/** The kinds of warnings come from what a peer sends: there may be any number. */
const MAX_WARNINGS = 32;
/** Of a PES packet: more than a tag of FLV may have, of which an encoder makes none. */
const MAX_PICTURE_BYTES = 8 * 1024 * 1024;
/** Sound must tell its length in 16 bits; some senders do not. */
const MAX_SOUND_BYTES = 256 * 1024;

/** A track that is followed. */
interface Track extends ChosenTrack {
  readonly pes: PesCollector;
}

/**
 * Give it bytes with `receive`, then call `end`. It takes the first H.264 or H.265 and the first AAC or MP3 of the first program that has
 * one of them. After an error, or when a handler has thrown, it must not be used again.
 *
 * It is for streams from a network, which begin anywhere, have holes, are padded and spliced: what is damaged is left out, and the
 * next whole frame goes on. `TsReader` is for those that must be right. Memory is bounded by one PES packet of 8 MB for each track.
 */
export class TsToFlv {
  readonly #handler: FlvFrameHandler;
  readonly #finder = new PacketFinder((packet) => this.#onPacket(packet));
  readonly #program: ProgramChoice;
  readonly #clock = new FlvClock();
  readonly #warned = new Set<string>();
  #tracks: readonly Track[] = [];

  /** @param handler hears each warning once */
  constructor(handler: FlvFrameHandler) {
    this.#handler = {
      onFrame: (type, timestampMs, payload) => handler.onFrame(type, timestampMs, payload),
      onWarning: (text) => {
        if (this.#warned.has(text) || this.#warned.size === MAX_WARNINGS) return;
        this.#warned.add(text);
        handler.onWarning(text);
      },
    };
    this.#program = new ProgramChoice({
      onTracks: (tracks) => this.#follow(tracks),
      onWarning: (text) => this.#handler.onWarning(text),
    });
  }

  /**
   * @param bytes the next piece of the stream; not kept
   * @throws SrsError HlsDecode when it is no transport stream, or has a picture that is too large
   */
  receive(bytes: Buffer): void {
    const skippedBytes = this.#finder.skippedBytes;
    this.#finder.receive(bytes);
    if (this.#finder.skippedBytes > skippedBytes) this.#handler.onWarning('bytes between the packets are left out');
  }

  /** Says that no more bytes come, and gives the last frames. */
  end(): void {
    for (const { pes } of this.#tracks) pes.finish();
  }

  #onPacket(packet: LoosePacket): void {
    if (this.#program.add(packet)) return;
    for (const { pid, pes } of this.#tracks) if (pid === packet.pid) pes.add(packet);
  }

  /** A track that stays goes on as it is. */
  #follow({ video, audio }: ChosenTracks): void {
    const before = this.#tracks;
    this.#tracks = [...this.#openOrKeep(video, MAX_PICTURE_BYTES), ...this.#openOrKeep(audio, MAX_SOUND_BYTES)];
    for (const track of before) if (!this.#tracks.includes(track)) track.pes.finish();
  }

  #openOrKeep(chosen: ChosenTrack | undefined, maxPesBytes: number): readonly Track[] {
    if (chosen === undefined) return [];
    const { pid, streamType } = chosen;
    const known = this.#tracks.find((track) => track.pid === pid && track.streamType === streamType);
    if (known !== undefined) return [known];
    const reader = this.#readerOf(streamType);
    const pes = new PesCollector(pid, maxPesBytes, {
      onPes: (one) => reader.onPes(one),
      onWarning: (text) => this.#handler.onWarning(text),
    });
    return [{ pid, streamType, pes }];
  }

  #readerOf(streamType: number): VideoToFlv | AudioToFlv {
    const clock = this.#clock.track();
    switch (streamType) {
      case streamTypes.avc:
        return new VideoToFlv('avc', clock, this.#handler);
      case streamTypes.hevc:
        return new VideoToFlv('hevc', clock, this.#handler);
      case streamTypes.aac:
        return new AudioToFlv(readAdtsFrame, clock, this.#handler);
      case streamTypes.mpeg1Audio:
      case streamTypes.mpeg2Audio:
        return new AudioToFlv(readMp3Frame, clock, this.#handler);
      default:
        throw new SrsError('HlsDecode', `mpeg-ts stream type ${streamType} of a track is not known`);
    }
  }
}
