/** Recordings over HLS among the routes of the HTTP server. */
import type { FastifyPluginAsync } from 'fastify';
import { VodServer, type VodServices } from './vod-server.ts';

/**
 * `GET /path/file.m3u8` is answered with a playlist of `file.flv` or `file.mp4` when there is no such playlist; its segments are cut
 * when they are asked for. Looks at every request before files are looked for, and at the same places.
 */
export function vodRoutes(services: VodServices): FastifyPluginAsync {
  return async (app) => {
    const vod = new VodServer(services);
    app.addHook('onRequest', async ({ raw }, reply) => {
      if (raw.method !== 'GET' && raw.method !== 'HEAD') return undefined;
      return await vod.answer(raw, reply);
    });
    app.addHook('onClose', () => vod.close());
  };
}
