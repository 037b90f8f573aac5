/** Live streams among the routes of the HTTP server. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { describeError } from '@srs/kernel';
import type { FastifyPluginAsync } from 'fastify';
import { ApiError, apiErrorBody } from './api-errors.ts';
import type { LiveServer } from './live-server.ts';

/**
 * Looks at every request before files are looked for: the mounts of the vhosts change with each reload, so they are no routes of their
 * own. A refusal is thrown, and answered as every other error.
 */
export function liveRoutes(live: LiveServer): FastifyPluginAsync {
  return async (app) => {
    app.addHook('onRequest', async (request, reply) => {
      if (request.method !== 'GET') return undefined;
      const wanted = live.find(request.raw);
      if (wanted === undefined) return undefined;
      await live.play(wanted, request.raw, reply.raw);
      reply.hijack();
      return reply;
    });
  };
}

/** Answers the request to make a WebSocket of a connection. */
export async function upgradeToLive(live: LiveServer, request: IncomingMessage, socket: Socket): Promise<void> {
  try {
    const wanted = live.find(request);
    if (wanted === undefined) throw new ApiError(404, 'no live stream has this URL');
    await live.playWebSocket(wanted, request, socket);
  } catch (error) {
    if (socket.destroyed) return;
    const status = error instanceof ApiError ? error.statusCode : 500;
    const document = apiErrorBody(status, request.url?.split('?', 1)[0] ?? '', describeError(error));
    const body = JSON.stringify(document);
    socket.end(
      `HTTP/1.1 ${status} ${document.data.reason_phrase}\r\nContent-Type: application/json;charset=utf-8\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
      () => socket.destroy(),
    );
  }
}
