/** Live streams among the routes of the HTTP server. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { describeError } from '@srs/kernel';
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from './api-errors.ts';
import { errorAnswer } from './live-answers.ts';
import type { LiveRequest } from './live-mount.ts';
import type { LiveServer } from './live-server.ts';
import { MediaError } from './media-errors.ts';

/**
 * Looks at every request before files are looked for: the mounts of the vhosts change with each reload, so they are no routes of their
 * own. A refusal is thrown, and answered as every other error.
 */
export function liveRoutes(live: LiveServer): FastifyPluginAsync {
  return async (app) => {
    app.addHook('onRequest', async (request, reply) => {
      const wanted = live.find(request.raw);
      return wanted === undefined ? undefined : await play(live, wanted, request, reply);
    });
  };
}

/** Plays what was neither a file nor anything else; undefined when that is no live stream either. */
export async function playOtherwise(
  live: LiveServer,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> {
  const wanted = live.findBehindFiles(request.raw);
  return wanted === undefined ? undefined : await play(live, wanted, request, reply);
}

async function play(
  live: LiveServer,
  wanted: LiveRequest,
  { raw }: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> {
  if (raw.method !== 'GET') return undefined;
  await live.play(wanted, raw, reply.raw);
  return reply.hijack();
}

/** Answers the request to make a WebSocket of a connection. */
export async function upgradeToLive(live: LiveServer, request: IncomingMessage, socket: Socket): Promise<void> {
  try {
    const wanted = live.find(request) ?? live.findBehindFiles(request);
    if (wanted === undefined) throw new ApiError(404, 'no live stream has this URL');
    await live.playWebSocket(wanted, request, socket);
  } catch (error) {
    if (socket.destroyed) return;
    const status = error instanceof ApiError ? error.statusCode : 500;
    const headers = error instanceof MediaError ? error.headers : {};
    socket.end(errorAnswer(status, request.url ?? '', describeError(error), headers), () => socket.destroy());
  }
}
