/** One POST of a JSON document whose answer hardly matters: it cannot hang, and no answer is too large for it. */
import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { SrsError } from '@srs/kernel';

export interface JsonPost {
  readonly url: string;
  readonly body: unknown;
  readonly userAgent: string;
  /** Gives up at once. */
  readonly signal: AbortSignal;
  /** For the whole call; 10 s unless told. */
  readonly limitMs?: number;
}

const CONNECT_LIMIT_MS = 3_000;
const CALL_LIMIT_MS = 10_000;
/** What an answer may have: more of it is not read, and is an error. */
const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * A connection of its own for each call, the path without its query, and no redirects.
 * @throws SrsError SocketConnect, SocketTimeout or HttpAnswer, or the system's error
 */
export async function postJson({ url, body, userAgent, signal, limitMs = CALL_LIMIT_MS }: JsonPost): Promise<void> {
  const { protocol, hostname, port, pathname, username, password } = new URL(url);
  const text = JSON.stringify(body);
  const request = (protocol === 'https:' ? requestHttps : requestHttp)({
    // An IPv6 address stands in brackets in a URL only.
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    ...(port === '' ? {} : { port }),
    path: pathname,
    method: 'POST',
    agent: false,
    signal,
    ...(username === '' ? {} : { auth: `${decodeURIComponent(username)}:${decodeURIComponent(password)}` }),
    setHost: false,
    headers: {
      Host: hostname,
      Connection: 'Keep-Alive',
      'Content-Length': Buffer.byteLength(text),
      'User-Agent': userAgent,
      'Content-Type': 'application/json',
    },
  });
  const limits = limitTimes(request, limitMs);
  try {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      request.on('error', reject);
      request.on('response', resolve);
      request.end(text);
    });
    await skipBody(answer);
    const { statusCode = 0 } = answer;
    if (statusCode < 200 || statusCode > 299) throw new SrsError('HttpAnswer', `it answered with status ${statusCode}`);
  } catch (error) {
    throw limits.exceeded ?? error;
  } finally {
    limits.clear();
    request.destroy();
  }
}

interface Limits {
  /** Why the request was given up; whoever waits for its answer is told only that it ended. */
  readonly exceeded: SrsError | undefined;
  clear(): void;
}

function limitTimes(request: ClientRequest, limitMs: number): Limits {
  let exceeded: SrsError | undefined;
  const giveUp = (message: string) => () => {
    exceeded = new SrsError('SocketTimeout', message);
    request.destroy(exceeded);
  };
  const connecting = setTimeout(giveUp(`no connection within ${CONNECT_LIMIT_MS} ms`), CONNECT_LIMIT_MS);
  const calling = setTimeout(giveUp(`no whole answer within ${limitMs} ms`), limitMs);
  request.on('socket', (socket) => socket.once('connect', () => clearTimeout(connecting)));
  return {
    get exceeded() {
      return exceeded;
    },
    clear: () => {
      clearTimeout(connecting);
      clearTimeout(calling);
    },
  };
}

async function skipBody(answer: IncomingMessage): Promise<void> {
  let sizeBytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_ANSWER_BYTES) throw new SrsError('HttpAnswer', `its answer is larger than ${MAX_ANSWER_BYTES} bytes`);
  }
}
