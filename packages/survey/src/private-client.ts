/** Asks one private API one question. */
import { type IncomingMessage, request } from 'node:http';
import type { ServerAddress } from '@srs/config';
import { describeError, SrsError, systemErrorCode } from '@srs/kernel';

/** GET for what only tells, POST for what changes something. */
export type PrivateMethod = 'GET' | 'POST';

/** Larger answers are not read: a page of clients has less than a tenth of it. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/** The body of a good answer: `data`, and beside it the place of a page. */
export interface PrivateBody {
  readonly data: unknown;
  /** Length of the whole list, when `data` is a page of it. */
  readonly total?: number;
}

/**
 * @param method POST for what changes something; everything it needs stands in the query
 * @throws SrsError SocketTimeout, SocketConnect or HttpAnswer, with a message for the operator
 */
export async function askPrivateApi(
  address: ServerAddress,
  path: string,
  timeoutMs: number,
  method: PrivateMethod = 'GET',
): Promise<PrivateBody> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const response = await openAnswer(address, path, method, signal);
    return parseBody(await readBody(response), response.statusCode ?? 0);
  } catch (error) {
    if (signal.aborted) throw new SrsError('SocketTimeout', `no answer within ${timeoutMs} ms`);
    throw error instanceof SrsError ? error : connectionError(error);
  }
}

function openAnswer(address: ServerAddress, path: string, method: PrivateMethod, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options = {
      ...address,
      path,
      method,
      signal,
      // One question, one connection: nothing keeps this process alive afterwards.
      agent: false,
      // The API answers to this name only, whatever name the operator reached it by.
      headers: {
        host: 'localhost',
        accept: 'application/json',
        ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
      },
    };
    request(options, resolve).on('error', reject).end();
  });
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_ANSWER_BYTES) throw new SrsError('HttpAnswer', `its answer is larger than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parseBody(text: string, status: number): PrivateBody {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw new SrsError('HttpAnswer', 'its answer is not JSON', { cause });
  }
  if (typeof body !== 'object' || body === null) throw new SrsError('HttpAnswer', 'its answer is not an object');
  if (status === 200 && 'data' in body) {
    return 'total' in body && typeof body.total === 'number' ? { data: body.data, total: body.total } : { data: body.data };
  }
  const reason = 'error' in body ? `: ${String(body.error)}` : '';
  throw new SrsError('HttpAnswer', `it answered with status ${status}${reason}`);
}

function connectionError(error: unknown): SrsError {
  const words: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'connection refused',
    ECONNRESET: 'connection reset',
    EHOSTUNREACH: 'no route to the host',
    ENETUNREACH: 'no route to the network',
    ENOTFOUND: 'no such host',
  };
  const code = systemErrorCode(error);
  return new SrsError('SocketConnect', (code === undefined ? undefined : words[code]) ?? describeError(error), { cause: error });
}
