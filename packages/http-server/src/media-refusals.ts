/** The statuses with which a viewer is told that it may not have a stream. */
import { ClientRedirect } from '@srs/clients';
import { type ErrorName, SrsError } from '@srs/kernel';
import { ApiError } from './api-errors.ts';
import { MediaError } from './media-errors.ts';

const statuses: Partial<Record<ErrorName, number>> = {
  RtmpStreamName: 400,
  RtmpVhost: 404,
  RtmpAccessDenied: 403,
  SecurityDenied: 403,
  SecurityNotAllowed: 403,
  HttpAnswer: 403,
  AddressLimit: 429,
  ServerDrained: 503,
};

/** @param error of letting a viewer in */
export function refusalOf(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof ClientRedirect) return redirectOf(error);
  if (!(error instanceof SrsError)) return new ApiError(500, 'the server has failed');
  return new ApiError(statuses[error.errorName] ?? 500, error.message);
}

function redirectOf({ to }: ClientRedirect): ApiError {
  if (to.kind === 'http') return new MediaError(302, 'this stream is served elsewhere', { location: to.url });
  return new ApiError(403, 'viewers are sent to an RTMP address, which is none for HTTP');
}
