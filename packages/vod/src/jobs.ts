/** What the threads do that work on recordings: each job has a name, something to work on, and a result. */
import type { ErrorName } from '@srs/kernel';
import type { FileIdentity } from './file-window.ts';
import type { FlvPlan } from './flv-plan.ts';
import type { FlvCut, FlvMark, FlvScanState } from './flv-scan.ts';
import type { Mp4Plan } from './mp4-plan.ts';
import type { Mp4Slice } from './mp4-slice.ts';

export interface VodJobs {
  'plan-flv': { readonly input: { readonly scannedBytes: number }; readonly result: FlvPlan };
  'scan-flv': { readonly input: FlvScanOrder; readonly result: FlvScanResult };
  'slice-flv': { readonly input: { readonly cut: FlvCut; readonly end: number }; readonly result: SegmentBytes };
  'plan-mp4': { readonly input: object; readonly result: Mp4Plan };
  'slice-mp4': { readonly input: Mp4Slice; readonly result: SegmentBytes };
}

export interface FlvScanOrder {
  readonly state: FlvScanState;
  /** As the scanner takes them: those from segment `firstMark` on. */
  readonly marks: readonly FlvMark[] | undefined;
  readonly firstMark: number;
  /** How many cuts are wanted. The job may end before, so that others have their turn. */
  readonly wantedCuts: number;
}

export interface FlvScanResult {
  readonly state: FlvScanState;
  readonly cuts: readonly FlvCut[];
}

export interface SegmentBytes {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Headers and frames that could not be carried. */
  readonly leftOut: number;
}

export type JobName = keyof VodJobs;

/** Whoever has the jobs done. */
export interface VodJobRunner {
  /** @throws SrsError, or the system's error */
  run<Name extends JobName>(name: Name, file: FileIdentity, input: VodJobs[Name]['input']): Promise<VodJobs[Name]['result']>;
}

export type VodTask = {
  readonly [Name in JobName]: { readonly name: Name; readonly file: FileIdentity; readonly input: VodJobs[Name]['input'] };
}[JobName];

/** Plain values: an error that goes from thread to thread loses its class. */
export type VodAnswer =
  | { readonly kind: 'done'; readonly result: VodJobs[JobName]['result'] }
  | { readonly kind: 'changed' }
  /** The file cannot be played. */
  | { readonly kind: 'refused'; readonly errorName: ErrorName; readonly message: string }
  /** The system says no. */
  | { readonly kind: 'failed'; readonly message: string; readonly systemCode: string | undefined };
