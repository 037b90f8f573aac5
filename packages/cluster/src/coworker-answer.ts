/** What `GET /api/v1/clusters` of another server answers, of this one's kind or of SRS 3 and later. */
import { parseServerAddress, type ServerAddress } from '@srs/config';
import { isHops } from './place-record.ts';
import type { StreamPlace } from './stream-registry.ts';

/*
 *   {"code":0,"data":{"query":{...},"origin":{"ip":"10.0.0.2","port":1935,"vhost":"...","api":"...","routers":[...],
 *                                             "instance":"...","id":105,"hops":[]}}}
 *
 * `origin` is null when nobody publishes the stream there. SRS does not know the last three.
 */

/** What a server listens on that has no address of its own to tell. */
const anyHosts: readonly string[] = ['', '0.0.0.0', '::'];

/**
 * @param asked where the answer comes from
 * @throws Error for what is no such answer
 */
export function readCoworkerAnswer(text: string, asked: ServerAddress): StreamPlace | undefined {
  const answer = objectIn(parseJson(text));
  if (answer?.code !== 0) throw new Error(`answered code ${JSON.stringify(answer?.code)}, must be 0`);
  const origin = objectIn(answer.data)?.origin;
  if (origin === null) return undefined;
  const { ip, port, instance, id, hops } = objectIn(origin) ?? {};
  const host = typeof ip === 'string' && !anyHosts.includes(ip) ? ip : asked.host;
  const address = parseServerAddress(`${host.includes(':') ? `[${host}]` : host}:${typeof port === 'number' ? port : ''}`);
  if (typeof ip !== 'string' || address === undefined) {
    throw new Error(`answered ip ${JSON.stringify(ip)} and port ${JSON.stringify(port)}, must be those of a server`);
  }
  return {
    address,
    instanceId: typeof instance === 'string' ? instance : '',
    cid: typeof id === 'number' && Number.isSafeInteger(id) && id > 0 ? id : 0,
    hops: isHops(hops) ? hops : [],
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Error('answered no JSON');
  }
}

function objectIn(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
}
