/** The statuses with which a viewer is told that it may not have a stream. */
import { type ErrorName, SrsError } from '@srs/kernel';
import { ApiError } from './api-errors.ts';

const statuses: Partial<Record<ErrorName, number>> = {
  RtmpStreamName: 400,
  RtmpVhost: 404,
  RtmpAccessDenied: 403,
  SecurityDenied: 403,
  SecurityNotAllowed: 403,
  HttpAnswer: 403,
  AddressLimit: 429,
};

/** @param error of letting a viewer in */
export function refusalOf(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (!(error instanceof SrsError)) return new ApiError(500, 'the server has failed');
  return new ApiError(statuses[error.errorName] ?? 500, error.message);
}
