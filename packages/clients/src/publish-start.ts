/** How a publish comes about: whoever has a say is asked, then the directory. */
import type { PublishAnswer, RevokeReason } from '@srs/control';
import { SrsError } from '@srs/kernel';
import type { AdmittedStream } from './admitted-stream.ts';
import type { ConnectionHooks } from './connection-hooks.ts';
import { Publishing, type PublishingOptions } from './publishing.ts';

export interface PublishStartOptions extends Pick<PublishingOptions, 'services' | 'hops' | 'log' | 'ip' | 'onRevoked'> {
  readonly target: AdmittedStream;
  readonly hooks: ConnectionHooks;
  /** Whoever has a say is asked here, if not the hook server alone. */
  readonly begin?: () => void | Promise<void>;
  /** See `ConnectionHooks.begin`. */
  readonly streamName: string;
  /** The client has left, or is being let go. */
  readonly isOver: () => boolean;
}

/**
 * @returns undefined when the client has left in the meantime; nothing is held then
 * @throws SrsError HttpAnswer, ClientRedirected, StreamBusy or SharedMemory when the client may not publish
 */
export async function startPublishing(options: PublishStartOptions): Promise<Publishing | undefined> {
  const { services, target, hops, hooks, streamName, log, ip, onRevoked, isOver } = options;
  const { begin = () => hooks.begin('publish', target, streamName) } = options;
  const { vhost, streamId } = target;
  if (hooks.isAsked('publish', target) && vhost.publish.busy === 'reject') {
    // Hook servers count by the stream's name: they are not asked about a second publisher, who will not get it.
    const publisher = await services.directory.publisherOf(streamId);
    if (publisher !== null) throw publishRefusal(streamId, { isGranted: false, reason: 'busy', publisher });
  }
  await begin();
  if (!isOver()) {
    const param = hooks.paramOf(streamName);
    const { tcUrl } = hooks;
    const opened = await Publishing.open({ services, vhost, streamId, param, tcUrl, hops, log, ip, onRevoked });
    if (!(opened instanceof Publishing)) throw publishRefusal(streamId, opened);
    if (!isOver()) return opened;
    opened.end();
  }
  hooks.end();
  return undefined;
}

/** Why the directory did not grant a publish. */
function publishRefusal(streamId: string, { reason, publisher }: PublishAnswer & { readonly isGranted: false }): SrsError {
  if (reason === 'no-memory') return new SrsError('SharedMemory', `no shared memory for stream ${streamId} (ring memory)`);
  const by = publisher === null ? '' : ` by ${publisher.ip}, cid=${publisher.cid}`;
  return new SrsError('StreamBusy', `stream ${streamId} is already published${by}`);
}

/** Why a publish was ended by others. */
export function revocationText(reason: RevokeReason, detail: string): string {
  switch (reason) {
    case 'replaced':
      return `stream taken over by ${detail} (publish busy replace)`;
    case 'conflict':
      return `stream is published by ${detail}`;
    case 'closed':
      return `stream closed: ${detail}`;
  }
}
