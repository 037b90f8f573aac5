/** What a back-source tells about its directory and its rings. */
import type { PartialCounters } from '@srs/control';
import type { Arena } from '@srs/kernel';
import type { Directory } from '@srs/stream';
import type { LeaseReport, PullReport, PullTotals, PushReport, PushTotals, RegistryTotals } from '@srs/survey';
import { Page } from './page.ts';
import { describeRing } from './ring-description.ts';
import type { RoleView, StreamOutputControl } from './role.ts';

const pushKinds: readonly PushReport['kind'][] = ['forward', 'edge push'];
const pushStates: readonly PushReport['state'][] = ['connecting', 'publishing', 'waiting', 'closed'];
const pullStates: readonly PullReport['state'][] = ['connecting', 'connected', 'pulling', 'waiting', 'closed'];

/** Those that there are none of, too: what counts them begins at 0. */
const pushTotals = (pushes: readonly PushReport[]): readonly PushTotals[] =>
  pushKinds.flatMap((kind) =>
    pushStates.map((state) => ({
      kind,
      state,
      count: pushes.filter((push) => push.kind === kind && push.state === state).length,
    })),
  );

const pullTotals = (pulls: readonly PullReport[]): readonly PullTotals[] =>
  pullStates.map((state) => ({ state, count: pulls.filter((pull) => pull.state === state).length }));

const noTraffic = { average: 0, last30s: 0, last5m: 0 };

export function backSourceView(o: {
  readonly directory: Directory;
  readonly store: { readonly usedBytes: number };
  /** The memory that the rings lie in. */
  readonly arena: Arena;
  readonly limitBytes: number;
  readonly outputs: StreamOutputControl;
  /** By stream. */
  readonly pulls: () => ReadonlyMap<string, PullReport>;
  /** By stream. */
  readonly pushes: () => ReadonlyMap<string, readonly PushReport[]>;
  /** Of pushes and pulls. */
  readonly counts: () => NonNullable<PartialCounters['counts']>;
  /** Of a stream that is announced to other servers. */
  readonly leaseOf: (streamId: string) => LeaseReport | undefined;
  readonly registries: () => readonly RegistryTotals[];
}): RoleView {
  const { directory, store, arena, limitBytes, outputs } = o;
  const ringTotals = () => ({ count: directory.ringCount, usedBytes: store.usedBytes, limitBytes });
  return {
    totals: () => {
      const states = directory.streams();
      return {
        streams: states.length,
        publishedStreams: states.filter(({ publisher }) => publisher !== null).length,
        clients: 0,
        publishers: 0,
        players: 0,
        traffic: { recvBytes: 0, sendBytes: 0, recvKbps: noTraffic, sendKbps: noTraffic },
        droppedFrames: 0,
        playerCuts: 0,
        playerDroppedFrames: 0,
        fanOut: null,
        registries: o.registries(),
        pushes: pushTotals(Array.from(o.pushes().values()).flat()),
        pulls: pullTotals(Array.from(o.pulls().values())),
      };
    },
    streams: () => {
      const pulls = o.pulls();
      const pushes = o.pushes();
      return directory.streams().map(({ streamId, publisher, ring }) => ({
        streamId,
        publisher,
        subscribers: directory.subscriberCount(streamId),
        ring: ring === null ? null : describeRing(arena, ring),
        pull: pulls.get(streamId) ?? null,
        pushes: pushes.get(streamId) ?? [],
        lease: o.leaseOf(streamId) ?? null,
      }));
    },
    clients: () => new Page(0, 0, []),
    client: () => null,
    kick: () => false,
    outputs,
    departures: () => [],
    counters: () => ({ counts: o.counts() }),
    ringTotals,
    rings: () => ({
      ...ringTotals(),
      rings: directory.streams().flatMap(({ streamId, ring }) => {
        const description = ring === null ? null : describeRing(arena, ring);
        return description === null ? [] : [{ streamId, ...description, readerLagBytes: null, readerLaps: null }];
      }),
    }),
  };
}
