/** How the HTTP server of files and streams says no. */
import { describeError, errorCodes } from '@srs/kernel';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiError, apiErrorBody, JSON_TYPE } from './api-errors.ts';
import { pathOf } from './api-path.ts';

/** An error with headers of its own: what is allowed, how large the file is. */
export class MediaError extends ApiError {
  readonly headers: Readonly<Record<string, string>>;

  constructor(statusCode: number, message: string, headers: Readonly<Record<string, string>>) {
    super(statusCode, message);
    this.name = 'MediaError';
    this.headers = headers;
  }
}

export function statusOf(error: unknown): number {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' && (status >= 400 || error instanceof MediaError) ? status : 500;
}

/** A file that is not there is no news: the answer is that of SRS, without a text. */
export function answerError(request: FastifyRequest, reply: FastifyReply, error: unknown): FastifyReply {
  const status = statusOf(error);
  // A connection whose request was not read to its end cannot have another.
  if (status === 413) void reply.header('connection', 'close');
  if (error instanceof MediaError) void reply.headers(error.headers);
  const code = error instanceof ApiError ? error.code : errorCodes.HttpStatus;
  const message = error instanceof ApiError ? error.message : describeError(error);
  return reply
    .code(status)
    .type(JSON_TYPE)
    .serializer(JSON.stringify)
    .send(apiErrorBody(status, pathOf(request.originalUrl), message === '' ? undefined : message, code));
}
