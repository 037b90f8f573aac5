/** Asks the origins about the connects of clients (`token_traverse`). */
import type { AmfObject } from '@srs/amf';
import { RtmpClient, RtmpRefusal, type RtmpTarget } from '@srs/client';
import type { ServerAddress } from '@srs/config';
import { SrsError } from '@srs/kernel';
import { hopsProperty } from '@srs/rtmp';
import type { OriginPool } from './origin-pool.ts';
import { Turns } from './turns.ts';

/** What a client has said at its connect; the origin hears the same. */
export interface ProbedConnect {
  readonly app: string;
  readonly tcUrl: string;
  readonly pageUrl: string;
  readonly swfUrl: string;
  readonly args: AmfObject | undefined;
  /** Names of the servers that have asked about it, this one last: edges that are origins of each other would ask without end. */
  readonly hops: readonly string[];
}

export type OriginVerdict =
  | { readonly isAllowed: true }
  /** In the words of the origin. */
  | { readonly isAllowed: false; readonly code: string; readonly description: string };

export interface ConnectProbesOptions {
  readonly pool: OriginPool;
  /** Questions under way at once; more wait for their turn. */
  readonly limit?: number;
}

const CONNECT_TIMEOUT_MS = 3_000;
const ANSWER_TIMEOUT_MS = 30_000;
const TURN_TIMEOUT_MS = 30_000;
const LIMIT = 200;

/** Of one process, for all vhosts. */
export class ConnectProbes {
  readonly #pool: OriginPool;
  readonly #turns: Turns;

  constructor({ pool, limit = LIMIT }: ConnectProbesOptions) {
    this.#pool = pool;
    this.#turns = new Turns(limit, TURN_TIMEOUT_MS);
  }

  /**
   * The first origin in order that can be reached has the word; those that could not be reached lately come last.
   *
   * @param signal the client has left
   * @throws SrsError SocketConnect when none can be reached, SocketTimeout or SocketClosed when one gives no answer
   */
  async ask(origins: readonly ServerAddress[], connect: ProbedConnect, signal: AbortSignal): Promise<OriginVerdict> {
    const leave = await this.#turns.take(signal);
    try {
      return await this.#askInOrder(origins, connect, signal);
    } finally {
      leave();
    }
  }

  async #askInOrder(origins: readonly ServerAddress[], connect: ProbedConnect, signal: AbortSignal): Promise<OriginVerdict> {
    let cause: unknown;
    for (const origin of this.#pool.inOrder(origins)) {
      let isReached = false;
      const onReached = (): void => {
        isReached = true;
        this.#pool.worked(origin);
      };
      try {
        return await probe(targetOf(origin, connect), connect, signal, onReached);
      } catch (error) {
        if (signal.aborted) throw error;
        if (isReached) throw new SrsError('SocketTimeout', 'the origin did not answer about this connect', { cause: error });
        this.#pool.failed(origin);
        cause = error;
      }
    }
    throw new SrsError('SocketConnect', 'no origin can be reached to be asked about this connect', { cause });
  }
}

async function probe(
  target: RtmpTarget,
  { pageUrl, swfUrl, args, hops }: ProbedConnect,
  signal: AbortSignal,
  onReached: () => void,
): Promise<OriginVerdict> {
  try {
    const client = await RtmpClient.open(target, {
      role: 'connect',
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      startTimeoutMs: ANSWER_TIMEOUT_MS,
      pageUrl,
      swfUrl,
      ...(args === undefined ? {} : { args }),
      connectProperties: [hopsProperty(hops)],
      signal,
      onReached,
    });
    client.abandon();
    return { isAllowed: true };
  } catch (error) {
    if (!(error instanceof RtmpRefusal)) throw error;
    const { code, description } = error.rejection;
    return { isAllowed: false, code, description: description === '' ? 'refused by the origin' : description };
  }
}

const targetOf = ({ host, port }: ServerAddress, { app, tcUrl }: ProbedConnect): RtmpTarget => ({
  host,
  port,
  isSecure: false,
  tcUrl,
  app,
  streamName: '',
});
