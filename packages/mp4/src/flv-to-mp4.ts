/** Makes fragmented MP4 out of the frames of a published stream. */
import { type AudioTag, describeAudio, describeVideo } from '@srs/codec';
import { type FrameType, frameTypes, SrsError } from '@srs/kernel';
import { type AudioTrack, checkAudioCodec, isSameAudio, mp3Track, readAudioTrack } from './audio-track.ts';
import { type TrackRun, writeFragment } from './fragment.ts';
import { trackIds, writeInitSegment } from './init-segment.ts';
import { MAX_COLLECTED_BYTES, MAX_FRAGMENT_SAMPLES, VIDEO_TICKS_PER_MS, VIDEO_TIMESCALE } from './limits.ts';
import { mp3FrameEnds, readMp3FrameHead } from './mpeg-audio.ts';
import { lengthPrefixed } from './nal-units.ts';
import { opusPacketSamples } from './opus.ts';
import { RtmpClock } from './rtmp-clock.ts';
import { SampleStore } from './sample-store.ts';
import { TrackTimeline } from './track-timeline.ts';
import { checkVideoCodec, isSameVideo, readVideoTrack, type VideoTrack } from './video-track.ts';

/** Nanoseconds of enhanced RTMP to ticks of 90 kHz. */
const TICKS_PER_NANO = VIDEO_TIMESCALE / 1e9;
/** An OBU that temporal units begin with, and samples must not (AV1 codec ISO media file format binding, 2.4). */
const temporalDelimiter = Buffer.from([0x12, 0x00]);

/** A fragment that is complete because what follows does not fit behind it. */
interface SealedFragment {
  readonly bytes: Buffer;
  readonly initVersion: number;
}

/** One kind of media as it is collected. */
class TrackInput<Track> {
  track: Track | undefined;
  timeline = new TrackTimeline(1);
  readonly store = new SampleStore();

  begin(track: Track, timescale: number): void {
    this.track = track;
    this.timeline = new TrackTimeline(timescale);
  }
}

/**
 * Give it headers and frames in the order of the stream; take a fragment whenever one is to begin.
 *
 * When `initVersion` changes, take what was collected before (`takeFragment` leaves later frames out as long as there is such)
 * and call `initSegment` for what follows. Tracks are H.264, H.265 or AV1, and AAC, MP3 or Opus; frames whose header has not come
 * and frames without content are left out and counted.
 */
export class FlvToMp4 {
  readonly #video = new TrackInput<VideoTrack>();
  readonly #audio = new TrackInput<AudioTrack>();
  readonly #clock = new RtmpClock();
  readonly #sealed: SealedFragment[] = [];
  #sealedBytes = 0;
  #initVersion = 0;
  /** Somebody has the init segment of this version: nothing that it does not announce may come under it. */
  #isInitGiven = false;
  #sequenceNumber = 0;
  #skippedFrames = 0;

  get videoCodec(): VideoTrack['codec'] | null {
    return this.#video.track?.codec ?? null;
  }

  get audioCodec(): AudioTrack['codec'] | null {
    return this.#audio.track?.codec ?? null;
  }

  /** The codecs of the init segment as RFC 6381 has them, as in `avc1.64001f,mp4a.40.2`; empty when there is no track yet. */
  get codecs(): string {
    return [this.#video.track?.codecString, this.#audio.track?.codecString].filter((each) => each !== undefined).join(',');
  }

  /** Changes whenever frames to come need another init segment than those so far; 0 before the first track. */
  get initVersion(): number {
    return this.#initVersion;
  }

  /** Frames left out because they were empty, or came before their header. */
  get skippedFrames(): number {
    return this.#skippedFrames;
  }

  /**
   * Takes the decoder configuration for what follows; one with the same content changes nothing.
   *
   * @param payload of a frame whose flags say `sequenceHeader`; not kept
   * @throws SrsError HlsDecode for a codec that does not go into MP4 and for a malformed header; the tracks stay as they are
   */
  onHeader(type: FrameType, payload: Buffer): void {
    if (type === frameTypes.video) this.#beginVideo(readVideoTrack(payload));
    if (type === frameTypes.audio) {
      const track = readAudioTrack(payload);
      if (track !== undefined) this.#beginAudio(track);
    }
  }

  /**
   * Collects one picture or sound.
   *
   * @param timestampMs DTS, 31 bits; across the wrap times go on
   * @param payload valid during the call only
   * @throws SrsError HlsDecode for a codec that does not go into MP4, for malformed NAL units, and when more was collected than a
   *   fragment may have. The frame is left out.
   */
  onFrame(type: FrameType, timestampMs: number, payload: Buffer): void {
    if (type === frameTypes.data) return;
    const isKept = type === frameTypes.video ? this.#onVideo(timestampMs, payload) : this.#onAudio(timestampMs, payload);
    if (!isKept) this.#skippedFrames += 1;
  }

  /**
   * ftyp and moov for the tracks known so far. Never holds a sample, so it may be asked for at any time.
   *
   * @throws SrsError HlsDecode when there is no track yet
   */
  initSegment(): Buffer {
    if (this.#initVersion === 0) throw new SrsError('HlsDecode', 'mp4 init segment needs the header of a track first');
    this.#isInitGiven = true;
    return writeInitSegment(this.#video.track, this.#audio.track);
  }

  /**
   * What was collected since the last call, as moof and mdat: mostly one pair, several after a jump of the publisher's clock. When
   * the tracks have changed in the meantime it is what was collected before the change; call again for what came after.
   *
   * @param nextTimestampMs RTMP time of the next picture: until then the last one stands. Without it, the last one stands as long
   *   as the one before, or what the header says. Sounds last as long as their samples do.
   * @returns the caller's own; undefined when nothing was collected
   */
  takeFragment(nextTimestampMs?: number): Buffer | undefined {
    const initVersion = this.#sealed[0]?.initVersion ?? this.#initVersion;
    const later = this.#sealed.findIndex((each) => each.initVersion !== initVersion);
    const parts = this.#sealed.splice(0, later < 0 ? this.#sealed.length : later).map((each) => each.bytes);
    for (const part of parts) this.#sealedBytes -= part.length;
    if (initVersion === this.#initVersion) {
      const last = this.#writeCollected(nextTimestampMs);
      if (last !== undefined) parts.push(last);
    }
    return parts.length > 1 ? Buffer.concat(parts) : parts[0];
  }

  #beginVideo(track: VideoTrack): void {
    const input = this.#video;
    if (input.track !== undefined && isSameVideo(input.track, track)) return;
    this.#changeTracks(input.store);
    input.begin(track, VIDEO_TIMESCALE);
  }

  #beginAudio(track: AudioTrack): void {
    const input = this.#audio;
    if (input.track !== undefined && isSameAudio(input.track, track)) return;
    this.#changeTracks(input.store);
    input.begin(track, track.sampleRate);
  }

  /** Parts what was collected from what follows, unless one init segment can announce both. */
  #changeTracks(changed: SampleStore): void {
    if (this.#isInitGiven || changed.count > 0) this.#seal();
    this.#initVersion += 1;
    this.#isInitGiven = false;
  }

  /** @returns false when the frame is left out */
  #onVideo(timestampMs: number, payload: Buffer): boolean {
    const tag = describeVideo(payload);
    if (tag === undefined) return false;
    if (tag.packet !== 'frames') return true;
    checkVideoCodec(tag);
    const { track, timeline, store } = this.#video;
    if (track === undefined) return false;
    if (tag.codec !== track.labelledAs) {
      throw new SrsError('HlsDecode', `video frame of codec ${tag.codec} must be ${track.labelledAs}, as its header was`);
    }
    const data = videoSample(payload.subarray(tag.dataOffset, tag.dataEnd), track);
    if (data.length === 0) return false;
    this.#checkRoom(store, data.length);
    const timeMs = this.#clock.advance(timestampMs);
    const clockTicks = timeMs * VIDEO_TICKS_PER_MS + Math.round(tag.timestampOffsetNanos * TICKS_PER_NANO);
    const target = timeline.target(clockTicks);
    if (timeline.isJump(target)) this.#seal();
    const dts = timeline.place(target, 0);
    // The picture is shown when the publisher wants it, also where its decoding time was moved.
    const compositionOffset = target + tag.compositionTimeMs * VIDEO_TICKS_PER_MS - dts;
    store.add({ dts, compositionOffset, isSync: tag.isKeyFrame, ticks: 0 }, data);
    return true;
  }

  /** @returns false when the frame is left out */
  #onAudio(timestampMs: number, payload: Buffer): boolean {
    const tag = describeAudio(payload);
    if (tag === undefined) return false;
    if (tag.packet !== 'frames') return true;
    checkAudioCodec(tag);
    const data = payload.subarray(tag.dataOffset, tag.dataEnd);
    if (data.length === 0) return false;
    if (tag.codec === 'mp3') return this.#onMp3(timestampMs, data);
    const track = this.#audio.track;
    if (track === undefined) return false;
    checkLabel(tag, track);
    const ticks = track.codec === 'opus' ? opusPacketSamples(data) : track.samplesPerFrame;
    if (ticks === 0) return false;
    this.#addSound(this.#clock.advance(timestampMs), track, ticks, data);
    return true;
  }

  #onMp3(timestampMs: number, data: Buffer): boolean {
    const head = readMp3FrameHead(data, 0);
    // Decoders in browsers give up on a sample that begins within a frame.
    if (head === undefined) return false;
    this.#beginAudio(mp3Track(head));
    const track = this.#audio.track!;
    const timeMs = this.#clock.advance(timestampMs);
    let offset = 0;
    let samples = 0;
    for (const end of mp3FrameEnds(data)) {
      this.#addSound(timeMs + (samples * 1000) / track.sampleRate, track, track.samplesPerFrame, data.subarray(offset, end));
      samples += track.samplesPerFrame;
      offset = end;
    }
    return true;
  }

  #addSound(timeMs: number, track: AudioTrack, ticks: number, data: Buffer): void {
    const { timeline, store } = this.#audio;
    this.#checkRoom(store, data.length);
    const target = timeline.target(Math.round((timeMs * track.sampleRate) / 1000));
    if (timeline.isJump(target)) this.#seal();
    store.add({ dts: timeline.place(target, ticks), compositionOffset: 0, isSync: true, ticks }, data);
  }

  #checkRoom(store: SampleStore, bytes: number): void {
    if (store.count === MAX_FRAGMENT_SAMPLES) {
      throw new SrsError('HlsDecode', `mp4 fragment must be taken, its samples are at the limit of ${MAX_FRAGMENT_SAMPLES}`);
    }
    const collected = this.#sealedBytes + this.#video.store.bytes.length + this.#audio.store.bytes.length;
    if (collected + bytes > MAX_COLLECTED_BYTES) {
      throw new SrsError('HlsDecode', `mp4 fragments of ${collected} bytes must be taken, the limit is ${MAX_COLLECTED_BYTES}`);
    }
  }

  #seal(): void {
    const bytes = this.#writeCollected(undefined);
    if (bytes === undefined) return;
    this.#sealed.push({ bytes, initVersion: this.#initVersion });
    this.#sealedBytes += bytes.length;
  }

  #writeCollected(nextTimestampMs: number | undefined): Buffer | undefined {
    const runs: TrackRun[] = [];
    const { store: pictures } = this.#video;
    const { store: sounds } = this.#audio;
    if (pictures.count > 0) {
      runs.push({
        trackId: trackIds.video,
        store: pictures,
        lastTicks: this.#lastPictureTicks(nextTimestampMs),
        hasPictures: true,
      });
    }
    if (sounds.count > 0) {
      const lastTicks = sounds.samples.at(-1)!.ticks;
      runs.push({ trackId: trackIds.audio, store: sounds, lastTicks, hasPictures: false });
    }
    if (runs.length === 0) return undefined;
    this.#sequenceNumber += 1;
    const fragment = writeFragment(this.#sequenceNumber, runs);
    pictures.clear();
    sounds.clear();
    return fragment;
  }

  #lastPictureTicks(nextTimestampMs: number | undefined): number {
    const { timeline, store, track } = this.#video;
    if (nextTimestampMs !== undefined) {
      const next = this.#clock.timeOf(nextTimestampMs) * VIDEO_TICKS_PER_MS;
      if (timeline.canEndAt(next)) return next - store.samples.at(-1)!.dts;
    }
    return timeline.step || track!.nominalTicks;
  }
}

function videoSample(data: Buffer, track: VideoTrack): Buffer {
  if (track.codec !== 'av1') return lengthPrefixed(data, track.nalLengthBytes);
  const begins = data.subarray(0, temporalDelimiter.length).equals(temporalDelimiter);
  return begins ? data.subarray(temporalDelimiter.length) : data;
}

function checkLabel(tag: AudioTag, track: AudioTrack): void {
  if (tag.codec !== track.codec) {
    throw new SrsError('HlsDecode', `audio frame of codec ${tag.codec} must be ${track.codec}, as its header was`);
  }
}
