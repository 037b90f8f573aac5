/** How the connection of a request ends: there is one request on each. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type CasterRefusal, refusalBytes } from './caster-refusal.ts';

/** A client has the answer within this time, or not at all. */
const LAST_WORDS_MS = 3_000;

/**
 * Answers, and reads on for a moment without listening: a connection that is closed while bytes are on their way is reset, and the
 * answer lost.
 */
export function refuse(request: IncomingMessage, refusal: CasterRefusal): void {
  const { socket, url = '' } = request;
  if (socket.destroyed) return;
  request.on('error', () => {});
  socket.end(refusalBytes(refusal, url.split('?', 1)[0] ?? ''));
  const timer = setTimeout(() => socket.destroy(), LAST_WORDS_MS);
  socket.once('close', () => clearTimeout(timer));
  request.once('end', () => socket.destroySoon());
  request.resume();
}

const done = Buffer.from(JSON.stringify({ code: 0, data: null }));

/** The body has come to its end. */
export function answerDone(response: ServerResponse): void {
  const headers = { 'content-type': 'application/json;charset=utf-8', 'content-length': done.length, connection: 'close' };
  response.writeHead(200, headers).end(done);
}
