/** What a back-source keeps in memory for viewers, as the http workers get it: HTTP over a unix socket. */
import { rmSync } from 'node:fs';
import { Agent, createServer, type IncomingMessage, request as requestHttp, type ServerResponse } from 'node:http';
import { describeError, SrsError } from '@srs/kernel';
import type { OutputAnswer, OutputRequest } from '@srs/stream';

/*
 *   GET /VHOST/PATH?QUERY      each part of the path encoded by itself
 *   200 with the content; Content-Type and x-max-age as in the answer
 *   400, 404, 503 with the reason
 */
const MAX_AGE = 'x-max-age';
/** More than the largest segment that is kept in memory. */
const MAX_BODY_BYTES = 256 * 1024 * 1024;
const IDLE_CONNECTIONS = 16;

type Answer = (request: OutputRequest) => Promise<OutputAnswer>;

/** @param path of the socket; one that a killed process has left there is removed @returns what stops it */
export async function serveOutputs(path: string, answer: Answer): Promise<() => void> {
  rmSync(path, { force: true });
  const server = createServer(
    { requestTimeout: 0, headersTimeout: 0 },
    (request, response) => void serve(request, response, answer),
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve());
  });
  return () => {
    server.close();
    server.closeAllConnections();
  };
}

async function serve(request: IncomingMessage, response: ServerResponse, answer: Answer): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const url = request.url ?? '/';
  const queryStart = url.indexOf('?');
  const path = queryStart < 0 ? url : url.slice(0, queryStart);
  try {
    const [vhost = '', ...parts] = path.slice(1).split('/').map(decodeURIComponent);
    const query = queryStart < 0 ? '' : url.slice(queryStart + 1);
    const given = await answer({ vhost, path: parts.join('/'), query, signal: gone.signal });
    if (given.status === 200) {
      const { body, contentType, maxAgeSeconds } = given;
      response.writeHead(200, { 'content-type': contentType, 'content-length': body.length, [MAX_AGE]: maxAgeSeconds }).end(body);
    } else response.writeHead(given.status).end(given.reason);
  } catch (error) {
    if (!response.destroyed) response.writeHead(503).end(describeError(error));
  }
}

/** @param pathOf the socket of a back-source */
export function askOutputsBy(
  pathOf: (backSource: number) => string,
): (backSource: number, request: OutputRequest) => Promise<OutputAnswer> {
  // Requests that wait for what is yet to be made hold a connection each: how many there may be is the business of who asks.
  const agent = new Agent({ keepAlive: true, maxFreeSockets: IDLE_CONNECTIONS });
  return (backSource, { vhost, path, query, signal }) =>
    new Promise((resolve, reject) => {
      const encoded = [vhost, ...path.split('/')].map(encodeURIComponent).join('/');
      const asked = requestHttp(
        { socketPath: pathOf(backSource), path: `/${encoded}${query === '' ? '' : `?${query}`}`, agent, signal },
        (response) => void read(response).then(resolve, reject),
      );
      asked.on('error', (cause) => reject(new SrsError('HttpAnswer', `back-source ${backSource} cannot be asked`, { cause })));
      asked.end();
    });
}

async function read(response: IncomingMessage): Promise<OutputAnswer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > MAX_BODY_BYTES) throw new SrsError('HttpAnswer', `an output has more than ${MAX_BODY_BYTES} bytes`);
    parts.push(part);
  }
  const body = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  const { statusCode } = response;
  if (statusCode === 400 || statusCode === 404 || statusCode === 503) return { status: statusCode, reason: body.toString() };
  if (statusCode !== 200) throw new SrsError('HttpAnswer', `status ${statusCode} of an output must be 200, 400, 404 or 503`);
  const contentType = response.headers['content-type'] ?? '';
  return { status: 200, contentType, body, maxAgeSeconds: Number(response.headers[MAX_AGE] ?? 0) };
}
