/** An FLV file that is played: looked through once, as far as that is needed. */
import { errorCodes } from '@srs/kernel';
import { ApiError } from './api-errors.ts';
import type { FileIdentity } from './vod-file-window.ts';
import type { FlvIndex } from './vod-flv-plan.ts';
import { endOfMedia, type FlvCut, type FlvScanState } from './vod-flv-scan.ts';
import type { SegmentBytes, VodJobRunner } from './vod-jobs.ts';
import { MAX_DURATION_MS, MAX_SEGMENTS } from './vod-limits.ts';
import { durationsBetween, Remembered, recordingId, type VodOutline, type VodRecording } from './vod-recording.ts';

const RECORDING_BYTES = 4096;
const CUT_BYTES = 128;
const MARK_BYTES = 48;
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
    return RECORDING_BYTES + this.#cuts.length * CUT_BYTES + (this.#index?.marks.length ?? 0) * MARK_BYTES;
  }

  outline(): Promise<VodOutline> {
    return this.#outline.get();
  }

  async slice(index: number): Promise<SegmentBytes> {
    await this.#outline.get();
    await this.#scan(index + 1);
    const cut = this.#cuts[index];
    if (cut === undefined) throw new ApiError(404, '');
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
      return outlineOf(marks, endMs, hasForcedCut);
    }
    await this.#scan(Number.POSITIVE_INFINITY);
    const state = this.#state!;
    if (!state.video.hasFrames && !state.audio.hasFrames) throw refused('flv has neither picture nor sound');
    return outlineOf(this.#cuts, endOfMedia(state), state.cutter.hasForcedCut);
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
    const { state, cuts } = await this.#jobs.run('scan-flv', this.#file, {
      state: this.#state!,
      marks: this.#index?.marks,
      wantedCuts,
    });
    this.#state = state;
    for (const cut of cuts) this.#cuts.push(cut);
    checkCodecs(state);
    if (this.#cuts.length > MAX_SEGMENTS) throw refused(`flv segments must be at most ${MAX_SEGMENTS}`);
  }
}

function outlineOf(starts: readonly { readonly timeMs: number }[], endMs: number, hasForcedCut: boolean): VodOutline {
  if (starts.length > MAX_SEGMENTS) throw refused(`flv segments ${starts.length} must be at most ${MAX_SEGMENTS}`);
  if (endMs > MAX_DURATION_MS) throw refused(`flv of ${endMs} ms must be at most ${MAX_DURATION_MS} ms long`);
  return { durationsMs: durationsBetween([...starts.map(({ timeMs }) => timeMs), endMs]), isIndependent: !hasForcedCut };
}

function checkCodecs({ video, audio }: FlvScanState): void {
  if (video.codec !== undefined && video.codec !== 'avc' && video.codec !== 'hevc') {
    throw refused(`video codec ${video.codec} must be avc or hevc to be played over hls`);
  }
  if (audio.codec !== undefined && audio.codec !== 'aac' && audio.codec !== 'mp3') {
    throw refused(`audio codec ${audio.codec} must be aac or mp3 to be played over hls`);
  }
}

function refused(message: string): ApiError {
  return new ApiError(415, message, errorCodes.HlsDecode);
}
