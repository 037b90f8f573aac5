/** Goes where a server sends its clients (RTMP 302). */
import { SrsError } from '@srs/kernel';
import type { CloseReason } from './client-options.ts';
import { RtmpRefusal } from './rtmp-refusal.ts';
import { describeTarget, parseRtmpUrl, type RtmpTarget } from './rtmp-target.ts';

/** Servers that send a client from one to the next are given up then. */
const MAX_REDIRECTS = 4;

/**
 * Opens a target, or the one that its server names instead.
 *
 * @throws what `open` throws; RtmpRefusal when there were too many redirects or one leads nowhere
 */
export async function openFollowing<T>(target: RtmpTarget, open: (target: RtmpTarget) => Promise<T>): Promise<T> {
  let next = target;
  for (let redirects = 0; ; redirects += 1) {
    try {
      return await open(next);
    } catch (error) {
      const redirected = error instanceof RtmpRefusal ? redirectOf(error, next) : undefined;
      if (redirected === undefined) throw error;
      if (redirects === MAX_REDIRECTS) {
        throw new SrsError('RtmpRejected', `${describeTarget(target)} redirects more than ${MAX_REDIRECTS} times`, {
          cause: error,
        });
      }
      next = redirected;
    }
  }
}

/** Where a server has sent a connection that was open, if it has: to be followed by whoever opens the next one. */
export function redirectedBy(reason: CloseReason, from: RtmpTarget): RtmpTarget | undefined {
  if (reason.kind !== 'failed' || !(reason.error instanceof RtmpRefusal)) return undefined;
  try {
    return redirectOf(reason.error, from);
  } catch {
    // It leads nowhere: the connection is just lost.
    return undefined;
  }
}

/** The stream keeps its name when the server names an app only. */
function redirectOf({ redirect }: RtmpRefusal, { streamName }: RtmpTarget): RtmpTarget | undefined {
  if (redirect === undefined) return undefined;
  const { tcUrl, url } = redirect;
  // What comes from a server is parsed as strictly as what comes from a person.
  return parseRtmpUrl(url === undefined || url === '' ? `${tcUrl.replace(/\/+$/, '')}/${streamName}` : url);
}
