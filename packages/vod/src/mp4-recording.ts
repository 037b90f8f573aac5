/** An MP4 file that is played: its tables stay in memory. */
import { SrsError } from '@srs/kernel';
import type { Mp4Samples } from '@srs/mp4';
import type { FileIdentity } from './file-window.ts';
import type { SegmentBytes, VodJobRunner } from './jobs.ts';
import { MAX_DURATION_MS } from './limits.ts';
import type { Mp4Plan, Mp4PlanTrack } from './mp4-plan.ts';
import { countsBetween } from './mp4-sound.ts';
import { durationsBetween, Remembered, recordingId, type VodOutline, type VodRecording } from './recording.ts';

const RECORDING_BYTES = 4096;
/** Each sample, in columns. */
const SAMPLE_BYTES = 25;
const COUNT_BYTES = 12;
/** In columns, in the outline and in the playlist. */
const SEGMENT_BYTES = 128;

export class Mp4Recording implements VodRecording {
  readonly id: string;
  readonly #jobs: VodJobRunner;
  readonly #file: FileIdentity;
  readonly #plan = new Remembered(() => this.#makePlan());
  readonly #outline = new Remembered(() => this.#makeOutline());
  #keptBytes = RECORDING_BYTES;

  constructor(jobs: VodJobRunner, file: FileIdentity) {
    this.id = recordingId(file);
    this.#jobs = jobs;
    this.#file = file;
  }

  get keptBytes(): number {
    return this.#keptBytes;
  }

  outline(): Promise<VodOutline> {
    return this.#outline.get();
  }

  async slice(index: number): Promise<SegmentBytes> {
    const { video, audio, videoRows, audioRows, sound, originTicks } = await this.#plan.get();
    const audioFrom = audioRows[index]!;
    const audioTo = audioRows[index + 1] ?? audio?.samples.count ?? 0;
    return await this.#jobs.run('slice-mp4', this.#file, {
      video: rowsOf(video, videoRows[index]!, videoRows[index + 1]),
      audio: rowsOf(audio, audioFrom, audioTo),
      sound: sound === undefined ? undefined : countsBetween(sound, audioFrom, audioTo),
      originTicks,
    });
  }

  async #makePlan(): Promise<Mp4Plan> {
    const plan = await this.#jobs.run('plan-mp4', this.#file, {});
    const { video, audio, timesMs, sound, unsupported, endMs } = plan;
    if (unsupported.length > 0) {
      throw refused(`${unsupported.join(', ')} must be avc, hevc, aac or mp3 to be played over hls`);
    }
    if (video === undefined && audio === undefined) throw refused('mp4 has neither picture nor sound');
    if (endMs > MAX_DURATION_MS) throw refused(`mp4 of ${Math.round(endMs)} ms must be at most ${MAX_DURATION_MS} ms long`);
    const samples = (video?.samples.count ?? 0) + (audio?.samples.count ?? 0);
    const counts = sound?.rows.length ?? 0;
    this.#keptBytes = RECORDING_BYTES + samples * SAMPLE_BYTES + counts * COUNT_BYTES + timesMs.length * SEGMENT_BYTES;
    return plan;
  }

  async #makeOutline(): Promise<VodOutline> {
    const { timesMs, sizesBytes, endMs, hasForcedCut } = await this.#plan.get();
    return {
      durationsMs: durationsBetween([...timesMs, endMs]),
      sizesBytes: Array.from(sizesBytes),
      isIndependent: !hasForcedCut,
    };
  }
}

/** Copies: what goes to another thread takes all of its memory along. */
function rowsOf(track: Mp4PlanTrack | undefined, from: number, to: number | undefined): Mp4PlanTrack | undefined {
  return track === undefined ? undefined : { ...track, samples: samplesOf(track.samples, from, to ?? track.samples.count) };
}

function samplesOf(samples: Mp4Samples, from: number, to: number): Mp4Samples {
  return {
    count: to - from,
    offsets: samples.offsets.slice(from, to),
    sizes: samples.sizes.slice(from, to),
    dts: samples.dts.slice(from, to),
    compositionOffsets: samples.compositionOffsets.slice(from, to),
    isSync: samples.isSync.slice(from, to),
  };
}

function refused(message: string): SrsError {
  return new SrsError('Mp4File', message);
}
