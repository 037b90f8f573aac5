import { describe, expect, it } from 'vitest';
import { ApiError } from './api-errors.ts';
import type { FileIdentity } from './vod-file-window.ts';
import { planFlv } from './vod-flv-plan.ts';
import { FlvRecording } from './vod-flv-recording.ts';
import { FlvScanner } from './vod-flv-scan.ts';
import { sliceFlv } from './vod-flv-slice.ts';
import type { FlvScanOrder, JobName, VodJobRunner, VodJobs } from './vod-jobs.ts';
import { VodRecordings } from './vod-recordings.ts';
import { flvOf, headers, indexedFlv, picturesOf, type TestFlv, withWindow } from './vod-test-support.ts';

const file: FileIdentity = { path: '/film.flv', device: 1, inode: 2, sizeBytes: 3, modifiedMs: 4 };

/** Does the jobs at once, and keeps their names. */
class TestJobs implements VodJobRunner {
  readonly names: JobName[] = [];
  readonly #bytes: Buffer;
  readonly #tagsPerJob: number;
  failure: ApiError | undefined;

  constructor({ bytes }: TestFlv, tagsPerJob = Number.POSITIVE_INFINITY) {
    this.#bytes = bytes;
    this.#tagsPerJob = tagsPerJob;
  }

  async run<Name extends JobName>(
    name: Name,
    _file: FileIdentity,
    input: VodJobs[Name]['input'],
  ): Promise<VodJobs[Name]['result']> {
    this.names.push(name);
    await Promise.resolve();
    if (this.failure !== undefined) throw this.failure;
    return withWindow(this.#bytes, (window, places): VodJobs[JobName]['result'] => {
      switch (name) {
        case 'plan-flv':
          return planFlv(window, places, (input as VodJobs['plan-flv']['input']).scannedBytes);
        case 'scan-flv': {
          const { state, marks, wantedCuts } = structuredClone(input as FlvScanOrder);
          const first = state.position;
          const cuts = new FlvScanner(window, state, marks).run(
            ({ cutCount, position }) => cutCount < wantedCuts && position - first < this.#tagsPerJob * 115,
          );
          return { state, cuts };
        }
        default: {
          const { cut, end } = input as VodJobs['slice-flv']['input'];
          return sliceFlv(window, cut, end);
        }
      }
    });
  }

  count(name: JobName): number {
    return this.names.filter((done) => done === name).length;
  }
}

const tags = [...headers, ...picturesOf({ groups: 20, groupMs: 2000 })];

describe('a recording', () => {
  it('is looked through once, however many ask and however many jobs it takes', async () => {
    const jobs = new TestJobs(flvOf(tags), 100);
    const recording = new FlvRecording(jobs, file, 1e9);
    const outlines = await Promise.all(Array.from({ length: 50 }, () => recording.outline()));
    expect(outlines[49]).toEqual({ durationsMs: [6000, 6000, 6000, 6000, 6000, 6000, 4000], isIndependent: true });
    expect(jobs.count('plan-flv')).toBe(1);
    const scans = jobs.count('scan-flv');
    expect(scans).toBeGreaterThan(5);
    await Promise.all([recording.outline(), recording.slice(6), recording.slice(0)]);
    expect(jobs.count('scan-flv')).toBe(scans);
  });

  it('with a list of its key frames is looked through only as far as somebody plays it', async () => {
    const jobs = new TestJobs(indexedFlv(tags), 50);
    const recording = new FlvRecording(jobs, file, 0);
    await recording.outline();
    await recording.slice(0);
    await recording.slice(1);
    expect(jobs.names).toEqual(['plan-flv', 'slice-flv', 'slice-flv']);
    await Promise.all([recording.slice(3), recording.slice(4)]);
    const scans = jobs.count('scan-flv');
    expect(scans).toBeGreaterThan(2);
    await recording.slice(2);
    expect(jobs.count('scan-flv')).toBe(scans);
    await recording.slice(6);
    expect(jobs.count('scan-flv')).toBeGreaterThan(scans);
  });

  it('is asked about again when the server was too busy, and not when it cannot be played', async () => {
    const jobs = new TestJobs(flvOf(tags));
    const recording = new FlvRecording(jobs, file, 0);
    jobs.failure = new ApiError(503, 'busy');
    await expect(recording.outline()).rejects.toThrow('busy');
    jobs.failure = undefined;
    await expect(recording.outline()).resolves.toBeDefined();

    const broken = new TestJobs(flvOf(headers));
    const none = new FlvRecording(broken, file, 0);
    await expect(none.outline()).rejects.toMatchObject({ statusCode: 415 });
    const { length } = broken.names;
    await expect(none.outline()).rejects.toMatchObject({ statusCode: 415 });
    expect(broken.names).toHaveLength(length);
  });

  it('goes on behind a job that failed', async () => {
    const jobs = new TestJobs(indexedFlv(tags), 50);
    const recording = new FlvRecording(jobs, file, 0);
    await recording.outline();
    jobs.failure = new ApiError(503, 'busy');
    await expect(recording.slice(5)).rejects.toThrow('busy');
    jobs.failure = undefined;
    await expect(recording.slice(5)).resolves.toBeDefined();
  });

  it('is in memory as long as there is room', async () => {
    const opened: FileIdentity[] = [];
    const recordings = new VodRecordings(10_000, (identity) => {
      opened.push(identity);
      return new FlvRecording(new TestJobs(flvOf(tags)), identity, 0);
    });
    const named = (path: string): FileIdentity => ({ ...file, path });
    for (const path of ['a', 'b', 'a', 'c', 'a']) recordings.get(named(path));
    expect(opened.map(({ path }) => path)).toEqual(['a', 'b', 'c']);
    recordings.get(named('b'));
    expect(opened).toHaveLength(4);
    expect(recordings.get(named('b'))).not.toBe(recordings.get({ ...named('b'), modifiedMs: 5 }));
  });
});
