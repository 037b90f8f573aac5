/** An FLV file that is played: looked through once, as far as that is needed. */
import { SrsError } from '@srs/kernel';
import type { FileIdentity } from './file-window.ts';
import type { FlvIndex } from './flv-plan.ts';
import { endOfMedia, type FlvCut, type FlvMark, type FlvScanState, TAGS_BETWEEN_QUESTIONS } from './flv-scan.ts';
import type { SegmentBytes, VodJobRunner } from './jobs.ts';
import { MAX_DURATION_MS, MAX_SEGMENTS } from './limits.ts';
import { durationsBetween, Remembered, recordingId, sizesBetween, type VodOutline, type VodRecording } from './recording.ts';

const RECORDING_BYTES = 4096;
const CUT_BYTES = 192;
const MARK_BYTES = 48;
/** In the outline and in the playlist. */
const SEGMENT_BYTES = 96;
/** What goes from thread to thread at once must not hold up this one. */
const CUTS_PER_JOB = 2048;
/** Behind the end of any file. */
const TO_THE_END = Number.MAX_SAFE_INTEGER;

export class FlvRecording implements VodRecording {
  readonly id: string;
  readonly #jobs: VodJobRunner;
  readonly #file: FileIdentity;
  readonly #scannedBytes: number;
  readonly #plan = new Remembered(() => this.#makePlan());
  readonly #outline = new Remembered(() => this.#makeOutline());
  #index: FlvIndex | undefined;
  #cuts: FlvCut[] = [];
  #state: FlvScanState | undefined;
  #scanning: Promise<void> | undefined;

  /** @param scannedBytes up to this size the file is looked through as a whole at once */
  constructor(jobs: VodJobRunner, file: FileIdentity, scannedBytes: number) {
    this.id = recordingId(file);
    this.#jobs = jobs;
    this.#file = file;
    this.#scannedBytes = scannedBytes;
  }

  get keptBytes(): number {
    const cuts = this.#cuts.length;
    const marks = this.#index?.marks.length ?? 0;
    return RECORDING_BYTES + cuts * CUT_BYTES + marks * MARK_BYTES + Math.max(cuts, marks) * SEGMENT_BYTES;
  }

  outline(): Promise<VodOutline> {
    return this.#outline.get();
  }

  async slice(index: number): Promise<SegmentBytes> {
    await this.#outline.get();
    await this.#scan(index + 1);
    const cut = this.#cuts[index];
    if (cut === undefined) throw new SrsError('FlvTag', `flv has no segment ${index} where its list of key frames says`);
    const next = this.#index?.marks[index + 1] ?? this.#cuts[index + 1];
    return await this.#jobs.run('slice-flv', this.#file, { cut, end: next?.position ?? TO_THE_END });
  }

  async #makePlan(): Promise<void> {
    const plan = await this.#jobs.run('plan-flv', this.#file, { scannedBytes: this.#scannedBytes });
    this.#index = plan.index;
    this.#cuts = [...plan.cuts];
    this.#state = plan.state;
    checkCodecs(plan.state);
  }

  async #makeOutline(): Promise<VodOutline> {
    await this.#plan.get();
    if (this.#index !== undefined) {
      const { marks, endMs, hasForcedCut } = this.#index;
      return this.#outlineOf(marks, endMs, hasForcedCut);
    }
    await this.#scan(MAX_SEGMENTS + 1);
    const state = this.#state!;
    if (!state.video.hasFrames && !state.audio.hasFrames) throw refused('flv has neither picture nor sound');
    return this.#outlineOf(this.#cuts, endOfMedia(state), state.cutter.hasForcedCut);
  }

  /** One job at a time; all who wait have the use of it. */
  async #scan(wantedCuts: number): Promise<void> {
    while (this.#cuts.length < wantedCuts && !this.#state!.isEnd) {
      this.#scanning ??= this.#scanMore(wantedCuts).finally(() => {
        this.#scanning = undefined;
      });
      await this.#scanning;
    }
  }

  async #scanMore(wantedCuts: number): Promise<void> {
    const known = this.#cuts.length;
    const wanted = Math.min(wantedCuts, known + CUTS_PER_JOB);
    const { state, cuts } = await this.#jobs.run('scan-flv', this.#file, {
      state: this.#state!,
      marks: this.#index?.marks.slice(known, wanted + TAGS_BETWEEN_QUESTIONS),
      firstMark: known,
      wantedCuts: wanted,
    });
    this.#state = state;
    for (const cut of cuts) this.#cuts.push(cut);
    checkCodecs(state);
  }

  #outlineOf(starts: readonly FlvMark[], endMs: number, hasForcedCut: boolean): VodOutline {
    if (starts.length > MAX_SEGMENTS) throw refused(`flv segments must be at most ${MAX_SEGMENTS}`);
    if (endMs > MAX_DURATION_MS) throw refused(`flv of ${endMs} ms must be at most ${MAX_DURATION_MS} ms long`);
    return {
      durationsMs: durationsBetween([...starts.map(({ timeMs }) => timeMs), endMs]),
      sizesBytes: sizesBetween([...starts.map(({ position }) => position), this.#file.sizeBytes]),
      isIndependent: !hasForcedCut,
    };
  }
}

function checkCodecs({ video, audio }: FlvScanState): void {
  if (video.codec !== undefined && video.codec !== 'avc' && video.codec !== 'hevc') {
    throw refused(`video codec ${video.codec} must be avc or hevc to be played over hls`);
  }
  if (audio.codec !== undefined && audio.codec !== 'aac' && audio.codec !== 'mp3') {
    throw refused(`audio codec ${audio.codec} must be aac or mp3 to be played over hls`);
  }
}

function refused(message: string): SrsError {
  return new SrsError('HlsDecode', message);
}
