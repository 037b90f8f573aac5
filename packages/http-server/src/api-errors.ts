/** Answers that are not 200, all in the form that SRS has for an unknown path. */
import { STATUS_CODES } from 'node:http';
import { errorCodes } from '@srs/kernel';
import { type Static, Type } from 'typebox';

/** The content type of every answer, as SRS writes it. */
export const JSON_TYPE = 'application/json;charset=utf-8';

export const apiErrorSchema = Type.Object(
  {
    code: Type.Integer({ description: 'The number of the error, never 0.' }),
    data: Type.Object({
      status_code: Type.Integer({ description: 'The HTTP status.' }),
      reason_phrase: Type.String(),
      url: Type.String({ description: 'The path that was asked for.' }),
      error: Type.Optional(Type.String({ description: 'What is wrong: the thing, its value, and what is allowed.' })),
    }),
  },
  { description: 'The request has not been done.' },
);

export type ApiErrorBody = Static<typeof apiErrorSchema>;

/** A request that is answered with another status than 200. */
export class ApiError extends Error {
  readonly statusCode: number;
  readonly code: number;

  constructor(statusCode: number, message: string, code: number = errorCodes.HttpStatus) {
    super(message);
    this.name = 'ApiError';
    this.statusCode = statusCode;
    this.code = code;
  }
}

/** @param path without its query */
export function apiErrorBody(
  statusCode: number,
  path: string,
  error?: string,
  code: number = errorCodes.HttpStatus,
): ApiErrorBody {
  return {
    code,
    data: {
      status_code: statusCode,
      reason_phrase: STATUS_CODES[statusCode] ?? 'Unknown',
      url: path,
      ...(error === undefined ? {} : { error }),
    },
  };
}
