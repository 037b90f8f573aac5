/** Serves the files of the mounted directories: recordings, HLS, pages. */
import type { IncomingMessage } from 'node:http';
import type { FastifyPluginAsync, FastifyReply } from 'fastify';
import { ApiError } from './api-errors.ts';
import { FileFinder } from './file-finder.ts';
import type { HeldFile } from './file-held.ts';
import { notFound } from './file-names.ts';
import { FileSender } from './file-sender.ts';
import { type FileTarget, parseFileTarget } from './file-target.ts';
import type { MediaServices } from './media-services.ts';

const POLICY = 'crossdomain.xml';
/** Lets Flash players of other sites read; for a root that has no such file of its own. */
const policy = `<?xml version="1.0"?>
<!DOCTYPE cross-domain-policy SYSTEM "http://www.macromedia.com/xml/dtds/cross-domain-policy.dtd">
<cross-domain-policy>
    <allow-access-from domain="*" />
    <allow-http-request-headers-from domain="*" headers="*"/>
</cross-domain-policy>
`;

/** For every path that no other route takes. */
export function fileRoutes(services: MediaServices): FastifyPluginAsync {
  return async (app) => {
    const files = new FileService(services);
    app.route({
      method: ['GET', 'HEAD'],
      url: '*',
      handler: async (request, reply) => {
        try {
          return await files.serve(request.raw, reply);
        } catch (error) {
          const isAbsent = error instanceof ApiError && error.statusCode === 404;
          const answered = isAbsent ? await services.otherwise?.(request, reply) : undefined;
          if (answered === undefined) throw error;
          return answered;
        }
      },
    });
  };
}

class FileService {
  readonly #services: MediaServices;
  readonly #finder: FileFinder;
  readonly #sender: FileSender;

  constructor(services: MediaServices) {
    this.#services = services;
    this.#finder = new FileFinder(services);
    this.#sender = new FileSender(services);
  }

  async serve(request: IncomingMessage, reply: FastifyReply): Promise<FastifyReply> {
    const response = reply.raw;
    // Who sends many requests at once holds one file at a time: the next is opened when this answer has left.
    if (response.socket === null) await new Promise((resolve) => response.once('socket', resolve));
    const target = parseFileTarget(request.url ?? '/');
    if (this.#services.hides?.(request) === true) throw notFound();
    const file = await this.#open(target, request);
    if (file === undefined) return reply.type('text/xml;charset=utf-8').send(policy);
    try {
      if (!file.stats.isDirectory()) await this.#sender.send(request, reply, file, target);
      else void redirect(reply, target);
    } finally {
      file.release();
    }
    return reply;
  }

  /**
   * @returns a file, or a directory that was asked for without the slash; undefined for the policy that is built in
   * @throws ApiError 404 when there is nothing that is served
   */
  async #open(target: FileTarget, request: IncomingMessage): Promise<HeldFile | undefined> {
    try {
      return await this.#finder.open(target, target.authority ?? request.headers.host ?? '');
    } catch (error) {
      const isPolicy = target.segments.length === 1 && target.segments[0] === POLICY && !target.isDirectory;
      const { crossdomain } = this.#services.config().httpStream;
      if (isPolicy && crossdomain && error instanceof ApiError && error.statusCode === 404) return undefined;
      throw error;
    }
  }
}

/** To the same path with a slash, said without a host: neither `//host` nor the header can lead anywhere else. */
function redirect(reply: FastifyReply, { segments, query }: FileTarget): FastifyReply {
  const location = `./${encodeURIComponent(segments.at(-1) ?? '')}/${query === '' ? '' : `?${query}`}`;
  return reply.code(301).header('location', location).send();
}
