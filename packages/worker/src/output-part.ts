/** What is made of the streams that a back-source owns. */
import type { Config, VhostConfig } from '@srs/config';
import { describeError, systemClock } from '@srs/kernel';
import { type Directory, type DirectoryObserver, LiveStreams, OwnDirectory, StreamOutputs } from '@srs/stream';
import type { WorkerEnvironment } from './environment.ts';
import { OutputFeatures } from './output-features.ts';
import { OutputHooks } from './output-hooks.ts';

export interface OutputPart extends DirectoryObserver {
  /** A reload: the configuration is in force already. */
  configure(): Promise<void>;
  /** Resolves when everything has been written and told, or after `graceMs`: a disk that does not answer must not hold the server. */
  close(graceMs: number): Promise<void>;
}

/** @param directory is not asked before `onPublished` is called */
export async function startOutputs(environment: WorkerEnvironment, directory: () => Directory): Promise<OutputPart> {
  const { log, slot, arenas, doorbell, backSource } = environment;
  const config = (): Config => environment.config;
  const hooks = new OutputHooks(config, log);
  const features = new OutputFeatures(environment, hooks);
  await features.load(environment.config);
  let outputs: StreamOutputs | undefined;
  const open = (): StreamOutputs => {
    const own = new OwnDirectory(directory(), { slot, pid: process.pid });
    const liveStreams = new LiveStreams({ directory: own, arenas, log });
    stopListening = doorbell.listen(() => liveStreams.wake());
    return new StreamOutputs({
      features: () => features.all(),
      liveStreams,
      config,
      log,
      slot,
      dismiss: (streamId, why) => directory().dismiss(streamId, why),
    });
  };
  let stopListening: (() => void) | undefined;
  // Files belong to no stream any more, so one process sees to them.
  const recordings = backSource === 0 ? new Recordings(environment) : undefined;
  await recordings?.configure();
  const stopServing = await environment.serveOutputs((request) => features.answer(request));
  return {
    onPublished: (lease, isFresh) => {
      outputs ??= open();
      outputs.begin(lease, isFresh);
    },
    onUnpublished: (streamId) => outputs?.end(streamId),
    configure: async () => {
      await features.load(environment.config);
      outputs?.configure();
      await recordings?.configure();
    },
    close: async (graceMs) => {
      const endMs = performance.now() + graceMs;
      await within(Promise.all([outputs?.close(), recordings?.close()]), graceMs);
      stopServing();
      stopListening?.();
      await hooks.close(Math.max(0, endMs - performance.now()));
    },
  };
}

/** Completes what a server before this one has left behind, and deletes what is old. */
class Recordings {
  readonly #environment: WorkerEnvironment;
  #stopKeeping: (() => Promise<void>) | undefined;

  constructor(environment: WorkerEnvironment) {
    this.#environment = environment;
  }

  /** Begins when the first vhost records. */
  async configure(): Promise<void> {
    if (this.#stopKeeping !== undefined || this.#recorded().length === 0) return;
    const { log } = this.#environment;
    const { RecordingKeeper, repairRecordings } = await import('@srs/dvr');
    const sections = () => this.#recorded().map(({ name, dvr }) => ({ vhost: name, dvr }));
    this.#stopKeeping = new RecordingKeeper({ clock: systemClock, log, sections }).start();
    const paths = this.#recorded().map(({ dvr }) => dvr.path);
    repairRecordings(paths, { clock: systemClock, log }).catch((error: unknown) => log.error(`dvr: ${describeError(error)}`));
  }

  async close(): Promise<void> {
    await this.#stopKeeping?.();
  }

  #recorded(): readonly VhostConfig[] {
    return Array.from(this.#environment.config.vhosts.values()).filter(({ dvr }) => dvr.enabled);
  }
}

function within(closed: Promise<unknown>, graceMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, graceMs);
    closed.finally(() => clearTimeout(timer)).then(() => resolve(), reject);
  });
}
