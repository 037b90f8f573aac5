/** How a caster says no over HTTP, in the form that the API of SRS has. */
import { STATUS_CODES } from 'node:http';
import { type ErrorName, errorCodes, SrsError } from '@srs/kernel';

/** A request that is answered with another status than 200. */
export class CasterRefusal extends Error {
  readonly status: number;
  /** The SRS number of the error. */
  readonly code: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    message: string,
    options: { readonly code?: number; readonly headers?: Record<string, string> } = {},
  ) {
    super(message);
    this.name = 'CasterRefusal';
    this.status = status;
    this.code = options.code ?? errorCodes.HttpStatus;
    this.headers = options.headers ?? {};
  }
}

const statuses: Partial<Record<ErrorName, number>> = {
  RtmpStreamName: 400,
  RtmpTcUrl: 400,
  RtmpVhost: 404,
  RtmpAccessDenied: 403,
  SecurityDenied: 403,
  SecurityNotAllowed: 403,
  HttpAnswer: 403,
  AddressLimit: 429,
  StreamBusy: 409,
  SharedMemory: 503,
  ControlTimeout: 503,
  SocketTimeout: 408,
  // What the media are made of.
  FlvHeader: 400,
  FlvTag: 400,
  HlsDecode: 400,
  AvcConfig: 400,
  HevcConfig: 400,
  Av1Config: 400,
  AacConfig: 400,
  Amf0Decode: 400,
};

/** What a client is told of an error. What lies behind it, such as the address of a hook server, is for the operator's log. */
export function refusalOf(error: unknown): CasterRefusal {
  if (error instanceof CasterRefusal) return error;
  if (!(error instanceof SrsError)) return new CasterRefusal(500, 'the server has failed');
  return new CasterRefusal(statuses[error.errorName] ?? 500, error.message, { code: error.code });
}

/** A whole answer, behind which nothing is read from the connection. @param path that was asked for, without its query */
export function refusalBytes({ status, code, message, headers }: CasterRefusal, path: string): Buffer {
  const reason = STATUS_CODES[status] ?? 'Unknown';
  const document = { code, data: { status_code: status, reason_phrase: reason, url: path, error: message } };
  const body = Buffer.from(JSON.stringify(document));
  const lines = [
    `HTTP/1.1 ${status} ${reason}`,
    'Content-Type: application/json;charset=utf-8',
    `Content-Length: ${body.length}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    'Connection: close',
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}
