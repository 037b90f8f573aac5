/** Finds out which stream a person means, and which they may have meant. */
import { defaultVhostName, nearestName } from '@srs/config';
import { shortStreamName } from '../cli-text.ts';

export type StreamChoice =
  | { readonly kind: 'found'; readonly streamId: string }
  /** Several streams have that name. */
  | { readonly kind: 'ambiguous'; readonly streamIds: readonly string[] }
  /** Nobody publishes or plays it; `streamId` is what its id would be. */
  | { readonly kind: 'unknown'; readonly streamId: string };

/**
 * @param text `VHOST/APP/STREAM`, `APP/STREAM`, `STREAM`, or the address that an encoder or a player is given
 * @param known ids of the streams that processes know
 */
export function chooseStream(text: string, known: readonly string[]): StreamChoice {
  const { path, vhost } = pathOf(text);
  const wanted = vhost === undefined ? path : `${vhost}/${path}`;
  const assumed = vhost === undefined ? `${defaultVhostName}/${path}` : wanted;
  for (const streamId of [wanted, assumed]) if (known.includes(streamId)) return { kind: 'found', streamId };
  const alike = known.filter((streamId) => streamId.endsWith(`/${path}`));
  if (alike.length > 1) return { kind: 'ambiguous', streamIds: alike };
  const [only] = alike;
  return only === undefined ? { kind: 'unknown', streamId: assumed } : { kind: 'found', streamId: only };
}

/** `app/stream` without host, parameters, and what HTTP puts behind it. */
function pathOf(text: string): { readonly path: string; readonly vhost: string | undefined } {
  const [withoutParams = '', params = ''] = text.split('?', 2);
  const [, isHttp, afterHost] = /^(?:rtmps?|(https?)):\/\/[^/]*\/(.*)$/i.exec(withoutParams) ?? [];
  const path = (afterHost ?? withoutParams).replace(/^\/+|\/+$/g, '').replace(/\/{2,}/g, '/');
  return {
    path: isHttp === undefined ? path : path.replace(/\.(?:flv|ts|m3u8|aac|mp3)$/, ''),
    vhost: /(?:^|&)vhost=([^&]+)/.exec(params)?.[1],
  };
}

const MAX_NEAR = 3;

/** Streams that may have been meant: the same name elsewhere first, then one that is written nearly so. */
export function nearStreams(streamId: string, published: readonly string[]): readonly string[] {
  const name = streamId.slice(streamId.lastIndexOf('/') + 1);
  const elsewhere = published.filter((each) => each !== streamId && each.endsWith(`/${name}`));
  const shortNames = new Map(published.filter((each) => each !== streamId).map((each) => [shortStreamName(each), each]));
  const nearest = nearestName(shortStreamName(streamId), shortNames.keys());
  const near = new Set([...elsewhere, ...(nearest === undefined ? [] : [shortNames.get(nearest) ?? nearest])]);
  return Array.from(near).slice(0, MAX_NEAR);
}
