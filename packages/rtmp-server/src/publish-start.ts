/** How a publish comes about: whoever has a say is asked, then the directory. */
import type { AdmittedStream, ConnectionHooks } from '@srs/clients';
import { Publishing, type PublishingOptions } from './publishing.ts';
import { publishRefusal } from './refusal.ts';

export interface PublishStartOptions extends Pick<PublishingOptions, 'services' | 'log' | 'ip' | 'onRevoked'> {
  readonly target: AdmittedStream;
  readonly hooks: ConnectionHooks;
  /** See `ConnectionHooks.begin`. */
  readonly streamName: string;
  /** The client has left, or is being let go. */
  readonly isOver: () => boolean;
}

/**
 * @returns undefined when the client has left in the meantime; nothing is held then
 * @throws SrsError HttpAnswer, StreamBusy or SharedMemory when the client may not publish
 */
export async function startPublishing(options: PublishStartOptions): Promise<Publishing | undefined> {
  const { services, target, hooks, streamName, log, ip, onRevoked, isOver } = options;
  const { vhost, streamId } = target;
  if (hooks.isAsked('publish', target) && vhost.publish.busy === 'reject') {
    // Hook servers count by the stream's name: they are not asked about a second publisher, who will not get it.
    const publisher = await services.directory.publisherOf(streamId);
    if (publisher !== null) throw publishRefusal(streamId, { isGranted: false, reason: 'busy', publisher });
  }
  await hooks.begin('publish', target, streamName);
  if (!isOver()) {
    const param = hooks.paramOf(streamName);
    const opened = await Publishing.open({ services, vhost, streamId, param, log, ip, onRevoked });
    if (!(opened instanceof Publishing)) throw publishRefusal(streamId, opened);
    if (!isOver()) return opened;
    opened.end();
  }
  hooks.end();
  return undefined;
}
