import { SrsError } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { flvOf, headers, indexedFlv, picturesOf, type TestFlv, type TestTag } from '../../../test/support/flv-files.ts';
import type { FileIdentity } from './file-window.ts';
import { planFlv } from './flv-plan.ts';
import { FlvRecording } from './flv-recording.ts';
import { type FlvCut, FlvScanner, newScanState } from './flv-scan.ts';
import { sliceFlv } from './flv-slice.ts';
import type { FlvScanOrder, JobName, VodJobRunner, VodJobs } from './jobs.ts';
import type { RecordingFile } from './recording.ts';
import { VodRecordings } from './recordings.ts';
import { withWindow } from './vod-test-support.ts';

const file: FileIdentity = { path: '/film.flv', device: 1, inode: 2, sizeBytes: 3, modifiedMs: 4 };

/** Does the jobs at once, and keeps their names. */
class TestJobs implements VodJobRunner {
  readonly names: JobName[] = [];
  readonly #bytes: Buffer;
  readonly #tagsPerJob: number;
  failure: SrsError | undefined;
  mostMarks = 0;

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
          const { state, marks, firstMark, wantedCuts } = structuredClone(input as FlvScanOrder);
          this.mostMarks = Math.max(this.mostMarks, marks?.length ?? 0);
          const first = state.position;
          const cuts = new FlvScanner(window, state, marks, firstMark).run(
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
    expect(outlines[49]).toMatchObject({ durationsMs: [6000, 6000, 6000, 6000, 6000, 6000, 4000], isIndependent: true });
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

  it('of days is given to the threads in parts, and has the segments of its list', async () => {
    const days = Array.from({ length: 5000 }, (_, index): TestTag => ({ kind: 'key', ms: index * 6000, bytes: 20 }));
    const { bytes, positions } = indexedFlv([...headers, ...days]);
    const jobs = new TestJobs({ bytes, positions });
    const recording = new FlvRecording(jobs, { ...file, sizeBytes: bytes.length }, 0);
    const { durationsMs, sizesBytes } = await recording.outline();
    expect(durationsMs).toHaveLength(5000);
    expect(sizesBytes.slice(1)).toEqual(Array<number>(4999).fill(35));
    // Each has the one picture that it begins with.
    const lengths = [];
    for (const index of [0, 2046, 2047, 2048, 2079, 2080, 4999]) lengths.push((await recording.slice(index)).bytes.length);
    expect(new Set(lengths.slice(1)).size).toBe(1);
    expect(jobs.mostMarks).toBeLessThan(2100);
  });

  it('of too many segments is refused before all of them are known', async () => {
    const state = { ...newScanState(13), video: { ...newScanState(13).video, hasFrames: true } };
    let jobs = 0;
    const endless: VodJobRunner = {
      run: async <Name extends JobName>(name: Name, _file: FileIdentity, input: VodJobs[Name]['input']) => {
        jobs += 1;
        if (name === 'plan-flv')
          return { index: undefined, state, cuts: [] } as VodJobs[JobName]['result'] as VodJobs[Name]['result'];
        const { firstMark, wantedCuts } = input as FlvScanOrder;
        const cut = { position: 13, timeMs: 0, rawMs: 0, videoHeader: undefined, audioHeader: undefined, sound: state.sound };
        const cuts = Array<FlvCut>(wantedCuts - firstMark).fill(cut);
        return { state, cuts } as VodJobs[JobName]['result'] as VodJobs[Name]['result'];
      },
    };
    await expect(new FlvRecording(endless, file, 0).outline()).rejects.toMatchObject({
      errorName: 'HlsDecode',
      message: 'flv segments must be at most 131072',
    });
    expect(jobs).toBe(66);
  });

  it('is asked about again when the server was too busy, and not when it cannot be played', async () => {
    const jobs = new TestJobs(flvOf(tags));
    const recording = new FlvRecording(jobs, file, 0);
    jobs.failure = new SrsError('VodBusy', 'busy');
    await expect(recording.outline()).rejects.toThrow('busy');
    jobs.failure = undefined;
    await expect(recording.outline()).resolves.toBeDefined();

    const broken = new TestJobs(flvOf(headers));
    const none = new FlvRecording(broken, file, 0);
    await expect(none.outline()).rejects.toMatchObject({ errorName: 'HlsDecode' });
    const { length } = broken.names;
    await expect(none.outline()).rejects.toMatchObject({ errorName: 'HlsDecode' });
    expect(broken.names).toHaveLength(length);
  });

  it('goes on behind a job that failed', async () => {
    const jobs = new TestJobs(indexedFlv(tags), 50);
    const recording = new FlvRecording(jobs, file, 0);
    await recording.outline();
    jobs.failure = new SrsError('VodBusy', 'busy');
    await expect(recording.slice(5)).rejects.toThrow('busy');
    jobs.failure = undefined;
    await expect(recording.slice(5)).resolves.toBeDefined();
  });

  it('is in memory as long as there is room', async () => {
    const opened: FileIdentity[] = [];
    const recordings = new VodRecordings(10_000, ({ identity }) => {
      opened.push(identity);
      return new FlvRecording(new TestJobs(flvOf(tags)), identity, 0);
    });
    const named = (path: string, modifiedMs = 4): RecordingFile => ({
      identity: { ...file, path, modifiedMs },
      name: path,
      format: 'flv',
    });
    for (const path of ['a', 'b', 'a', 'c', 'a']) recordings.get(named(path));
    expect(opened.map(({ path }) => path)).toEqual(['a', 'b', 'c']);
    recordings.get(named('b'));
    expect(opened).toHaveLength(4);
    expect(recordings.get(named('b'))).not.toBe(recordings.get(named('b', 5)));
  });
});
