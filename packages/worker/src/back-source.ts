/** The back-source role: owns the directory of its share of the streams and the memory of their rings. */
import { Channel, type DirectoryProtocol, type Link, type PartialCounters } from '@srs/control';
import { describeError, SrsError } from '@srs/kernel';
import { Directory, type DirectoryPeer, OwnDirectory } from '@srs/stream';
import { backSourceView } from './back-source-view.ts';
import { type ClusterPart, startCluster } from './cluster-part.ts';
import { DeadProcesses } from './dead-processes.ts';
import { type EdgePart, startEdge } from './edge-part.ts';
import type { WorkerEnvironment } from './environment.ts';
import { type OutputPart, startOutputs } from './output-part.ts';
import { OwedHooks } from './owed-hooks.ts';
import type { OwedNotices } from './owed-notices.ts';
import { ArenaRingStore } from './ring-store.ts';
import type { RunningRole } from './role.ts';

/** A worker that lived when this back-source started has this long to tell what it holds before publishes go on without it. */
const RECOVERY_MS = 1_000;
/** A viewer waits so long for the word that the stream lives elsewhere. */
const WHEREABOUTS_MS = 800;

export async function startBackSource(environment: WorkerEnvironment): Promise<RunningRole> {
  const { config, log, backSource } = environment;
  const store = new ArenaRingStore({
    backSource,
    arena: environment.arenas[backSource]!,
    initialSizeBytes: config.ring.initialSizeBytes,
    maxSizeBytes: config.ring.maxSizeBytes,
    memoryBytes: config.ring.memoryBytes,
  });
  const outputs = await startOutputs(
    environment,
    () => directory,
    () => own,
  );
  const cluster = await startCluster(environment, () => directory);
  const edge = startEdge(environment, () => own, cluster);
  const directory: Directory = new Directory({
    store,
    log,
    leasePrefix: `${backSource}-${process.pid}-${Date.now().toString(36)}`,
    expected: environment.living,
    observer: {
      onPublished: (lease, isFresh) => {
        outputs.onPublished(lease, isFresh);
        cluster.onPublished(lease, isFresh);
        edge.onPublished(lease, isFresh);
      },
      onUnpublished: (streamId) => {
        outputs.onUnpublished(streamId);
        cluster.onUnpublished(streamId);
        edge.onUnpublished(streamId);
      },
      onDemand: (...demand) => edge.onDemand(...demand),
    },
  });
  const own = new OwnDirectory(directory, { slot: environment.slot, pid: process.pid });
  const recoveryTimer = setTimeout(() => {
    if (directory.isRecovered) return;
    log.warn('some workers did not tell what they hold in time, going on without them');
    directory.giveUpRecovery();
  }, RECOVERY_MS);
  const channels = new Set<Channel<DirectoryProtocol>>();
  const dead = new DeadProcesses();
  const owed = new OwedHooks(() => environment.config, log);
  const parts: LinkedParts = { directory, edge, cluster, dead, owed: owed.notices, channels, warn: (text) => log.warn(text) };
  const stopServing = await environment.serveDirectory((link) => serveWorkerLink(link, parts));
  return {
    view: backSourceView({
      directory,
      store,
      arena: environment.arenas[backSource]!,
      limitBytes: config.ring.memoryBytes,
      outputs,
      pulls: () => edge.views(),
      pushes: () => outputs.pushes(),
      counts: () => countsOf(outputs.pushCounts(), edge.counts()),
      leaseOf: (streamId) => cluster.leaseOf(streamId),
      registries: () => cluster.reports(),
    }),
    // The size of rings and of their memory counts from the start on.
    configure: async () => {
      await cluster.configure();
      edge.configure();
      await outputs.configure();
    },
    workerGone: (process) => {
      dead.add(process);
      directory.workerGone(process);
      owed.notices.gone(process);
    },
    stopAccepting: () => {},
    setDrain: () => ({ redirected: 0, dismissed: 0 }),
    stop: async (graceMs) => {
      clearTimeout(recoveryTimer);
      await edge.close();
      await Promise.all([outputs.close(graceMs), owed.close(graceMs), cluster.close()]);
      stopServing();
      for (const channel of channels) channel.close();
    },
  };
}

function countsOf(
  pushes: ReturnType<OutputPart['pushCounts']>,
  pulls: ReturnType<EdgePart['counts']>,
): NonNullable<PartialCounters['counts']> {
  const { forward, 'edge push': edgePush } = pushes ?? {};
  return {
    forwardReconnects: forward?.reconnects ?? 0,
    forwardSentBytes: forward?.sentBytes ?? 0,
    forwardDroppedFrames: forward?.droppedFrames ?? 0,
    edgePushReconnects: edgePush?.reconnects ?? 0,
    edgePushSentBytes: edgePush?.sentBytes ?? 0,
    edgePushDroppedFrames: edgePush?.droppedFrames ?? 0,
    pullStarts: pulls.starts,
    pullRecvBytes: pulls.recvBytes,
  };
}

/** What a link of a worker leads to. */
interface LinkedParts {
  readonly directory: Directory;
  readonly edge: EdgePart;
  readonly cluster: ClusterPart;
  /** Processes of which the master has said so. */
  readonly dead: DeadProcesses;
  readonly owed: OwedNotices;
  readonly channels: Set<Channel<DirectoryProtocol>>;
  readonly warn: (text: string) => void;
}

function serveWorkerLink(link: Link, { directory, edge, cluster, dead, owed, channels, warn }: LinkedParts): void {
  let peer: DirectoryPeer | undefined;
  const known = (): DirectoryPeer => {
    if (peer === undefined) throw new Error('hello must come first');
    return peer;
  };
  const channel: Channel<DirectoryProtocol> = new Channel<DirectoryProtocol>(link, {
    requests: {
      hello: (body) => {
        peer = {
          slot: body.slot,
          pid: body.pid,
          hasViewers: true,
          tellStream: (state) => channel.notify('stream', state),
          tellRevoke: (leaseId, reason, detail) => channel.notify('revoke', { leaseId, reason, detail }),
        };
        directory.hello(peer, body);
        owed.connected(peer, body.owed);
        return null;
      },
      publish: async (body) => {
        const asking = known();
        await new Promise<void>((resolve) => directory.whenRecovered(resolve));
        const { streamId, busy } = body;
        if (busy === 'reject' && (await edge.isHeldElsewhere(streamId))) {
          return { isGranted: false, reason: 'busy', publisher: directory.publisherOf(streamId) };
        }
        // Nobody would hear the answer: what was granted would stay taken.
        if (channel.isClosed) throw new SrsError('ControlProtocol', 'the link was closed before the answer');
        return directory.publish(asking, { ...body, isPulled: false });
      },
      publisher: async ({ streamId }) => {
        await new Promise<void>((resolve) => directory.whenRecovered(resolve));
        return { publisher: directory.publisherOf(streamId) };
      },
      whereabouts: async ({ streamId }) => {
        if (directory.publisherOf(streamId) !== null) return { address: null };
        const place = await cluster.whereIs(streamId, WHEREABOUTS_MS);
        return { address: place?.address ?? null };
      },
      place: async ({ streamId, seenAs }) => {
        await new Promise<void>((resolve) => directory.whenRecovered(resolve));
        return { place: cluster.placeHere(streamId, seenAs) ?? null };
      },
      grow: ({ leaseId, capacityBytes }) => ({ ring: directory.grow(leaseId, capacityBytes) }),
    },
    notifications: {
      subscribe: ({ streamId, param }) => directory.subscribe(known(), streamId, param),
      moved: ({ leaseId }) => directory.moved(leaseId),
      unpublish: ({ leaseId, lastTimestampMs }) => directory.unpublish(leaseId, lastTimestampMs),
      unsubscribe: ({ streamId }) => directory.unsubscribe(known(), streamId),
      release: ({ ring }) => directory.release(known(), ring),
      owe: (notice) => owed.owe(known(), notice),
      settled: ({ id }) => owed.settled(known(), id),
    },
    // What the worker holds stays its own: it connects again, or the master tells that it is dead.
    onClose: (error) => {
      channels.delete(channel);
      if (peer !== undefined) {
        // What was read after the news of its end has made it a holder again.
        if (dead.has(peer)) directory.workerGone(peer);
        owed.disconnected(peer);
      }
      if (error !== undefined) warn(`control link of slot ${peer?.slot ?? '?'}: ${describeError(error)}`);
    },
  });
  channels.add(channel);
}
