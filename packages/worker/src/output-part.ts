/** What is made of the streams that a back-source owns. */
import type { Config } from '@srs/config';
import type { Forwards, ForwardView } from '@srs/forward';
import { type Directory, type DirectoryObserver, LiveStreams, type OwnDirectory, StreamOutputs } from '@srs/stream';
import type { WorkerEnvironment } from './environment.ts';
import { OutputFeatures } from './output-features.ts';
import { OutputHooks } from './output-hooks.ts';
import { RecordingPart } from './recording-part.ts';
import { RecordingWishes } from './recording-wishes.ts';
import type { StreamOutputControl } from './role.ts';
import { stateFile } from './state-file.ts';

export interface OutputPart extends Omit<DirectoryObserver, 'onDemand'>, StreamOutputControl {
  /** A reload: the configuration is in force already. */
  configure(): Promise<void>;
  /** Of all that was pushed since the beginning; they never fall. */
  pushCounts(): ReturnType<Forwards['counts']> | undefined;
  /** What is pushed to other servers at the moment, by stream. */
  pushes(): ReadonlyMap<string, readonly ForwardView[]>;
  /** Resolves when everything has been written and told, or after `graceMs`: a disk that does not answer must not hold the server. */
  close(graceMs: number): Promise<void>;
}

/** @param directory is, as the way to it, not asked before `onPublished` is called */
export async function startOutputs(
  environment: WorkerEnvironment,
  directory: () => Directory,
  own: () => OwnDirectory,
): Promise<OutputPart> {
  const { log, slot, arenas, doorbell, backSource } = environment;
  const config = (): Config => environment.config;
  const hooks = new OutputHooks(config, log);
  const wishes = new RecordingWishes(stateFile(environment.config, `recording.${backSource}.json`), log);
  await wishes.load();
  const recordings = new RecordingPart(environment, wishes.inheritedVhosts());
  const features = new OutputFeatures(environment, {
    onSegment: (segment) => hooks.onSegment(segment),
    onRecorded: (file) => {
      hooks.onRecorded(file);
      recordings.onRecorded(file);
    },
    reselect: (streamId) => outputs?.reselect(streamId) ?? false,
    askForward: async (url, streamId) => {
      const lease = outputs?.leaseOf(streamId);
      return lease === undefined ? [] : await hooks.askForward(url, lease);
    },
  });
  await features.load(environment.config);
  if (wishes.inheritedVhosts().size > 0) await features.openRecorder();
  let outputs: StreamOutputs | undefined;
  const open = (): StreamOutputs => {
    const liveStreams = new LiveStreams({ directory: own(), arenas, log });
    stopListening = doorbell.listen(() => liveStreams.wake());
    return new StreamOutputs({
      features: (vhost, streamId) => features.of(vhost, streamId),
      closeFeatures: () => features.close(),
      liveStreams,
      config,
      log,
      slot,
      dismiss: (streamId, why) => directory().dismiss(streamId, why),
    });
  };
  let stopListening: (() => void) | undefined;
  await recordings.configure();
  // What ends now is written down to be uploaded.
  const closeAll = async (graceMs: number): Promise<void> => {
    await outputs?.close();
    await Promise.all([recordings.close(graceMs), wishes.close()]);
  };
  const stopServing = await environment.serveOutputs((request) => features.answer(request));
  return {
    onPublished: (lease, isFresh) => {
      outputs ??= open();
      const wish = wishes.begin(lease);
      features.recorder?.setRecording(lease.streamId, wish);
      features.forwards?.forget(lease.streamId);
      outputs.begin(lease, isFresh);
    },
    onUnpublished: (streamId) => {
      outputs?.end(streamId);
      features.forwards?.forget(streamId);
      wishes.end(streamId);
      features.recorder?.setRecording(streamId, undefined);
    },
    configure: async () => {
      await features.load(environment.config);
      outputs?.configure();
      await recordings.configure();
    },
    record: async (streamId, isWanted) => {
      if (outputs?.leaseOf(streamId) === undefined) return false;
      const recorder = await features.openRecorder();
      const lease = outputs.leaseOf(streamId);
      if (lease === undefined) return false;
      wishes.set(lease, isWanted);
      recorder.setRecording(streamId, isWanted);
      outputs.reselect(streamId);
      const wish = isWanted === undefined ? 'what the configuration says' : isWanted ? 'on' : 'off';
      log.child(lease.publisher.cid).trace(`dvr: recording of ${streamId} by request: ${wish}`);
      return true;
    },
    addForward: async (streamId, destination) => (await features.openForwards()).add(streamId, destination),
    removeForward: (streamId, destination) => features.forwards?.remove(streamId, destination) ?? false,
    pushCounts: () => features.forwards?.counts(),
    pushes: () => Map.groupBy(features.forwards?.views() ?? [], ({ streamId }) => streamId),
    close: async (graceMs) => {
      const endMs = performance.now() + graceMs;
      await within(closeAll(graceMs), graceMs);
      stopServing();
      stopListening?.();
      await hooks.close(Math.max(0, endMs - performance.now()));
    },
  };
}

function within(closed: Promise<unknown>, graceMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, graceMs);
    closed.finally(() => clearTimeout(timer)).then(() => resolve(), reject);
  });
}
