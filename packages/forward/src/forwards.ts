/**
 * The servers that published streams are pushed to, each an output of its own: one that is slow or away is none of the others'
 * business. On an edge the origins are such a server too, together.
 */
import { AmfObject } from '@srs/amf';
import { type RtmpTarget, type UpstreamStream, upstreamTarget } from '@srs/client';
import { formatAddress, rtmpOrigins, type ServerAddress, type VhostConfig, vhostAtOrigins } from '@srs/config';
import type { Clock } from '@srs/kernel';
import { withHops } from '@srs/rtmp';
import type { Feature, FrameConsumer, OutputStream } from '@srs/stream';
import { ForwardOutput, type ForwardOutputOptions, type ForwardView } from './forward-output.ts';

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

const FORWARD_RETRY = { firstMs: 3_000, maxMs: 3_000 };
/** An encoder waits at the other end, and another origin may be there. */
const EDGE_RETRY = { firstMs: 250, maxMs: 3_000 };

export class Forwards {
  readonly #options: ForwardOptions;
  /** By `host:port`. */
  readonly #features = new Map<string, Feature<ForwardSection>>();
  readonly #outputs = new Set<ForwardOutput>();
  readonly #edge: Feature<EdgeSection> = {
    name: 'edge push',
    select: (vhost) => {
      const { mode, queueLengthMs, debugSrsUpnode } = vhost;
      const origins = mode === 'remote' ? rtmpOrigins(vhost).filter((address) => !this.#options.isOwn(address)) : [];
      if (origins.length === 0) return null;
      return { origins, vhost: vhostAtOrigins(vhost), queueLengthMs, showsIdentity: debugSrsUpnode };
    },
    open: (stream, { origins, vhost, ...section }) =>
      // What comes from there is not sent back.
      stream.isPulled
        ? undefined
        : this.#open(
            stream,
            'edge push',
            origins.map((origin) => upstreamTarget(atVhost(stream, vhost), origin)),
            section,
            EDGE_RETRY,
          ),
    close: async () => {},
  };

  constructor(options: ForwardOptions) {
    this.#options = options;
  }

  /** What the vhost wants a stream pushed to. */
  of({ forward }: VhostConfig): readonly Feature[] {
    const destinations = new Map(forward.map((address) => [formatAddress(address), address]));
    return [this.#edge, ...Array.from(destinations, ([name, address]) => this.#destination(name, address))];
  }

  views(): readonly ForwardView[] {
    return Array.from(this.#outputs, ({ view }) => view);
  }

  /** The same object each time: it stands for the output. */
  #destination(name: string, address: ServerAddress): Feature<ForwardSection> {
    const known = this.#features.get(name);
    if (known !== undefined) return known;
    const feature: Feature<ForwardSection> = {
      name: `forward to ${name}`,
      select: ({ queueLengthMs, debugSrsUpnode }) => ({ queueLengthMs, showsIdentity: debugSrsUpnode }),
      open: (stream, section) => {
        if (!this.#options.isOwn(address))
          return this.#open(stream, 'forward', [targetOf(stream, address)], section, FORWARD_RETRY);
        stream.log.error(`forward of ${stream.streamId} to ${name}: that is this server itself, left out`);
        return undefined;
      },
      close: async () => {},
    };
    this.#features.set(name, feature);
    return feature;
  }

  #open(
    stream: OutputStream,
    kind: ForwardView['kind'],
    targets: readonly RtmpTarget[],
    { queueLengthMs, showsIdentity }: ForwardSection,
    retry: ForwardOutputOptions['retry'],
  ): FrameConsumer {
    const { clock, random, identity, instanceId } = this.#options;
    const who = showsIdentity ? identity(stream.publisher.cid) : AmfObject.object({});
    const output = new ForwardOutput({
      stream,
      kind,
      targets,
      queueLengthMs,
      // By them the stream is known where it comes back.
      connectArguments: withHops(who, [...stream.hops, instanceId]),
      showsIdentity,
      clock,
      random,
      retry,
      onEnd: (ended) => void this.#outputs.delete(ended),
    });
    this.#outputs.add(output);
    return output;
  }
}

const targetOf = (stream: OutputStream, address: ServerAddress): RtmpTarget =>
  upstreamTarget(atVhost(stream, stream.vhost.name), address);

const atVhost = ({ app, name, param }: OutputStream, vhost: string): UpstreamStream => ({ vhost, app, name, param });
