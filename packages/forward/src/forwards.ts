/**
 * The servers that published streams are pushed to, each an output of its own: one that is slow or away is none of the others'
 * business. On an edge the origins are such a server too, together.
 */
import { AmfObject } from '@srs/amf';
import { FailureNotes, upstreamTarget } from '@srs/client';
import {
  describeForwardDestination,
  destinationsOf,
  type ForwardDestination,
  forwardBackendOf,
  forwardDestinationAllowed,
  parseForwardDestination,
  rtmpOrigins,
  type ServerAddress,
  type VhostConfig,
  vhostAtOrigins,
} from '@srs/config';
import { type Clock, describeError, type Log, redact } from '@srs/kernel';
import { withHops } from '@srs/rtmp';
import type { Feature, FrameConsumer, OutputStream } from '@srs/stream';
import { BackendDestinations } from './backend-destinations.ts';
import { destinationTarget } from './destination-target.ts';
import { ForwardOutput, type ForwardOutputOptions, type ForwardSource, type ForwardView } from './forward-output.ts';

export interface ForwardOptions {
  readonly clock: Clock;
  /** 0..1, as Math.random. */
  readonly random: () => number;
  /** What this server says of itself to others. @param cid trackable id of the publisher */
  readonly identity: (cid: number) => AmfObject;
  /** Names this server among those that a stream passes through. */
  readonly instanceId: string;
  /** This server listens there. */
  readonly isOwn: (address: ServerAddress) => boolean;
  readonly log: Log;
  /** What the backend at the URL wants the stream pushed to, as texts. Rejects when there is no valid answer in time. */
  readonly askBackend: (url: string, streamId: string) => Promise<readonly string[]>;
  /** Another set of features is wanted of the stream from now on. @returns false when nobody publishes it */
  readonly reselect: (streamId: string) => boolean;
}

/** Of all destinations of one kind. */
export interface ForwardCounts {
  /** Times that a server has started a publish that it, or another one in its place, had before. */
  readonly reconnects: number;
  readonly sentBytes: number;
  readonly droppedFrames: number;
}

const noCounts: ForwardCounts = { reconnects: 0, sentBytes: 0, droppedFrames: 0 };

const countsWith = (counts: ForwardCounts, { connects, sentBytes, droppedFrames }: ForwardView): ForwardCounts => ({
  reconnects: counts.reconnects + Math.max(0, connects - 1),
  sentBytes: counts.sentBytes + sentBytes,
  droppedFrames: counts.droppedFrames + droppedFrames,
});

/** Why a destination is not added. */
export interface ForwardRefusal {
  readonly reason: 'no stream' | 'malformed' | 'own server' | 'too many';
  /** For who has asked: the thing, its value and what is allowed. Secrets are hidden. */
  readonly text: string;
}

interface ForwardSection {
  readonly queueLengthMs: number;
  readonly showsIdentity: boolean;
}

interface EdgeSection extends ForwardSection {
  readonly origins: readonly ServerAddress[];
  /** Its name there. */
  readonly vhost: string;
}

/** What a stream is pushed to, from the beginning to the end of its publish. */
interface StreamDestinations {
  /** All that is wanted, by `keyOf`. */
  readonly wanted: Map<string, WantedDestination>;
  /** By request, by `keyOf`. */
  readonly added: Map<string, ForwardDestination>;
  backend: BackendDestinations | undefined;
}

/** The same object, and feature, for as long as it is wanted: it stands for the output. */
interface WantedDestination {
  readonly feature: Feature<ForwardSection>;
  source: ForwardSource;
}

/** So long, whatever is published has come through hooks and the first key frame. */
const STEADY_MS = 10_000;
const FORWARD_RETRY = { firstMs: 3_000, maxMs: 3_000, unwantedMaxMs: 30_000, steadyMs: STEADY_MS };
/** An encoder waits at the other end, and another origin may be there. */
const EDGE_RETRY = { firstMs: 250, maxMs: 3_000, unwantedMaxMs: 3_000, steadyMs: STEADY_MS };
/** Destinations of one stream that are added by request. */
const MAX_ADDED = 100;

export class Forwards {
  readonly #options: ForwardOptions;
  /** By stream; of those that are published. */
  readonly #streams = new Map<string, StreamDestinations>();
  readonly #outputs = new Set<ForwardOutput>();
  /** Of outputs that have ended. */
  readonly #ended: Record<ForwardView['kind'], ForwardCounts> = { forward: noCounts, 'edge push': noCounts };
  /** Of all streams: a backend that is away is away for all of them. */
  readonly #backendNotes: FailureNotes;
  readonly #edge: Feature<EdgeSection> = {
    name: 'edge push',
    select: (vhost) => {
      const { mode, queueLengthMs, debugSrsUpnode } = vhost;
      const origins = mode === 'remote' ? rtmpOrigins(vhost).filter((address) => !this.#options.isOwn(address)) : [];
      if (origins.length === 0) return null;
      return { origins, vhost: vhostAtOrigins(vhost), queueLengthMs, showsIdentity: debugSrsUpnode };
    },
    open: (stream, { origins, vhost, ...section }) => {
      // What comes from there is not sent back.
      if (stream.isPulled) return undefined;
      const { app, name, param } = stream;
      const targets = origins.map((origin) => upstreamTarget({ vhost, app, name, param }, origin));
      return this.#open(stream, { kind: 'edge push', targets, retry: EDGE_RETRY, source: () => 'config' }, section);
    },
    close: async () => {},
  };

  constructor(options: ForwardOptions) {
    this.#options = options;
    this.#backendNotes = new FailureNotes(options.clock);
  }

  /** What a stream of the vhost is to be pushed to. */
  of(vhost: VhostConfig, streamId: string): readonly Feature[] {
    const stream = this.#destinationsOf(streamId);
    this.#askAsTold(streamId, stream, forwardBackendOf(vhost));
    const { wanted, added, backend } = stream;
    const sources = new Map<string, ForwardSource>();
    const want = (destination: ForwardDestination, source: ForwardSource): void => {
      const key = keyOf(destination);
      if (sources.has(key)) return;
      sources.set(key, source);
      const known = wanted.get(key);
      if (known === undefined) wanted.set(key, this.#newDestination(destination, source));
      else known.source = source;
    };
    for (const destination of destinationsOf(vhost)) want(destination, 'config');
    for (const destination of backend?.destinations ?? []) want(destination, 'backend');
    for (const destination of added.values()) want(destination, 'api');
    for (const key of wanted.keys()) if (!sources.has(key)) wanted.delete(key);
    return [this.#edge, ...Array.from(wanted.values(), ({ feature }) => feature)];
  }

  /** The publish is over, or another one takes its place: what was added to it, or named for it, ends with it. */
  forget(streamId: string): void {
    this.#streams.get(streamId)?.backend?.close();
    this.#streams.delete(streamId);
  }

  /** The server ends: nobody is asked any more. */
  close(): void {
    for (const streamId of this.#streams.keys()) this.forget(streamId);
  }

  views(): readonly ForwardView[] {
    return Array.from(this.#outputs, ({ view }) => view);
  }

  /** Since the beginning; they never fall. */
  counts(): Readonly<Record<ForwardView['kind'], ForwardCounts>> {
    const counts = { ...this.#ended };
    for (const { view } of this.#outputs) counts[view.kind] = countsWith(counts[view.kind], view);
    return counts;
  }

  /** Pushes a published stream to another destination too, until it is removed or the publish ends; a reload does not touch it. */
  add(streamId: string, text: string): 'added' | 'already' | ForwardRefusal {
    const destination = parseForwardDestination(text);
    if (destination === undefined) return { reason: 'malformed', text: `destination ${refusalText(text)}` };
    const shown = describeForwardDestination(destination);
    if (this.#options.isOwn(destination)) {
      return { reason: 'own server', text: `destination ${shown} is this server itself, must be another one` };
    }
    const { wanted, added } = this.#destinationsOf(streamId);
    const key = keyOf(destination);
    if (wanted.has(key)) return 'already';
    if (added.size >= MAX_ADDED) {
      const already = `stream ${streamId} has ${added.size} added destinations, must be at most ${MAX_ADDED}`;
      return { reason: 'too many', text: `${already}: ${shown} is not added` };
    }
    added.set(key, destination);
    if (this.#options.reselect(streamId)) return 'added';
    this.forget(streamId);
    return { reason: 'no stream', text: `stream ${JSON.stringify(streamId)} is not published here` };
  }

  /**
   * Ends what `add` has begun.
   * @param text as it was added, or as `views` shows it
   * @returns false when it was not added to the stream
   */
  remove(streamId: string, text: string): boolean {
    const added = this.#streams.get(streamId)?.added ?? new Map<string, ForwardDestination>();
    const named = parseForwardDestination(text);
    const isNamed = ([key, destination]: readonly [string, ForwardDestination]): boolean =>
      (named !== undefined && key === keyOf(named)) || describeForwardDestination(destination) === text;
    const found = Array.from(added).find(isNamed);
    if (found === undefined) return false;
    added.delete(found[0]);
    this.#options.reselect(streamId);
    return true;
  }

  #destinationsOf(streamId: string): StreamDestinations {
    let destinations = this.#streams.get(streamId);
    if (destinations === undefined) {
      destinations = { wanted: new Map(), added: new Map(), backend: undefined };
      this.#streams.set(streamId, destinations);
    }
    return destinations;
  }

  /** A backend that changes in a reload is asked anew; what the one before has named stays until then. */
  #askAsTold(streamId: string, stream: StreamDestinations, url: string): void {
    const before = stream.backend;
    if ((before?.url ?? '') === url) return;
    before?.close();
    const { askBackend, random, log, reselect } = this.#options;
    const complain = (text: string): void => {
      if (this.#backendNotes.isNews('')) log.warn(`forward of ${streamId}: ${text}`);
    };
    stream.backend =
      url === ''
        ? undefined
        : new BackendDestinations({
            url,
            destinations: before?.destinations ?? [],
            ask: () => askBackend(url, streamId),
            random,
            onAnswer: (faults) => {
              for (const fault of faults.slice(0, 1))
                complain(`the backend names a destination that cannot be: ${refusalText(fault)}`);
              reselect(streamId);
            },
            onFailure: (reason, retryMs) => complain(`${describeError(reason)}; next try in ${retryMs} ms`),
          });
  }

  #newDestination(destination: ForwardDestination, source: ForwardSource): WantedDestination {
    const feature: Feature<ForwardSection> = {
      name: `forward to ${keyOf(destination)}`,
      select: ({ queueLengthMs, debugSrsUpnode }) => ({ queueLengthMs, showsIdentity: debugSrsUpnode }),
      open: (stream, section) => {
        const shown = describeForwardDestination(destination);
        if (this.#options.isOwn(destination)) {
          stream.log.error(`forward of ${stream.streamId} to ${shown}: that is this server itself, left out`);
          return undefined;
        }
        const targets = [destinationTarget(destination, stream)];
        return this.#open(
          stream,
          { kind: 'forward', targets, shown, retry: FORWARD_RETRY, source: () => wanted.source },
          section,
        );
      },
      close: async () => {},
    };
    const wanted: WantedDestination = { feature, source };
    return wanted;
  }

  #open(
    stream: OutputStream,
    push: Pick<ForwardOutputOptions, 'kind' | 'targets' | 'shown' | 'retry' | 'source'>,
    { queueLengthMs, showsIdentity }: ForwardSection,
  ): FrameConsumer {
    const { clock, random, identity, instanceId } = this.#options;
    const who = showsIdentity ? identity(stream.publisher.cid) : AmfObject.object({});
    const output = new ForwardOutput({
      ...push,
      stream,
      queueLengthMs,
      // By them the stream is known where it comes back.
      connectArguments: withHops(who, [...stream.hops, instanceId]),
      showsIdentity,
      clock,
      random,
      onEnd: (ended) => {
        if (this.#outputs.delete(ended)) this.#ended[push.kind] = countsWith(this.#ended[push.kind], ended.view);
      },
    });
    this.#outputs.add(output);
    return output;
  }
}

/** What is wrong with a text that is no destination. */
const refusalText = (text: string): string =>
  `${JSON.stringify(redact(text.slice(0, 200)))} must be ${forwardDestinationAllowed}`;

/** Tells one destination from another. Secrets are a part of it. */
const keyOf = (destination: ForwardDestination): string => destination.url ?? describeForwardDestination(destination);
