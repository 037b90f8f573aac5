/** Answers on a connection that no HTTP server has any more. */
import { apiErrorBody, JSON_TYPE } from './api-errors.ts';

/** A whole answer that refuses, as the HTTP server gives it; the connection ends with it. */
export function errorAnswer(status: number, url: string, reason: string, headers: Readonly<Record<string, string>> = {}): string {
  const document = apiErrorBody(status, url.split('?', 1)[0] ?? '', reason);
  const body = JSON.stringify(document);
  return (
    `HTTP/1.1 ${status} ${document.data.reason_phrase}\r\nContent-Type: ${JSON_TYPE}\r\n` +
    `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n` +
    `${Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('')}\r\n${body}`
  );
}
