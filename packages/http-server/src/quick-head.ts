/** Tells a request that brings nothing but its head, in the form that almost every client writes, from all others. */
import type { IncomingHttpHeaders } from 'node:http';

/** A request that can be answered as soon as its head is there. */
export interface QuickRequest {
  readonly method: 'GET' | 'HEAD';
  /** Path and query, as the client wrote them. */
  readonly url: string;
  readonly host: string;
  /** By their names in small letters. */
  readonly headers: Readonly<IncomingHttpHeaders>;
}

const MAX_HEAD_BYTES = 4096;
const HEAD_END = '\r\n\r\n';
const VERSION = ' HTTP/1.1\r\n';
const URL_TEXT = /^\/[!-~]*$/;
const FIELD = /^([\w!#$%&'*+.^`|~-]+):[ \t]*([\t -~\x80-\xff]*)$/;

/** They bring a body, or another protocol: HTTP has more to say about them than this file. */
const notQuick: ReadonlySet<string> = new Set([
  'content-length',
  'transfer-encoding',
  'trailer',
  'upgrade',
  'http2-settings',
  'expect',
]);

/** For one connection: its requests differ in their first line, hardly ever in the rest. */
export class QuickHeadReader {
  #fieldText = '';
  #headers: IncomingHttpHeaders | undefined;

  /**
   * @param bytes what one read of the connection has brought, which began with a request
   * @returns undefined for what is not exactly one request of that form; nothing is wrong with it therefore
   */
  read(bytes: Buffer): QuickRequest | undefined {
    if (bytes.length > MAX_HEAD_BYTES) return undefined;
    const text = bytes.toString('latin1');
    const method = text.startsWith('GET ') ? 'GET' : text.startsWith('HEAD ') ? 'HEAD' : undefined;
    if (method === undefined) return undefined;
    const urlStart = method.length + 1;
    const urlEnd = text.indexOf(' ', urlStart);
    if (urlEnd < 0 || !text.startsWith(VERSION, urlEnd)) return undefined;
    const headers = this.#readFields(text.slice(urlEnd + VERSION.length));
    const url = text.slice(urlStart, urlEnd);
    if (headers?.host === undefined || !URL_TEXT.test(url)) return undefined;
    return { method, url, host: headers.host, headers };
  }

  #readFields(text: string): IncomingHttpHeaders | undefined {
    if (text !== this.#fieldText) {
      this.#fieldText = text;
      this.#headers = parseFields(text);
    }
    return this.#headers;
  }
}

function parseFields(text: string): IncomingHttpHeaders | undefined {
  // An empty line in the middle: another request follows, or a body.
  if (text.indexOf(HEAD_END) !== text.length - HEAD_END.length) return undefined;
  const headers: IncomingHttpHeaders = {};
  for (const line of text.slice(0, -HEAD_END.length).split('\r\n')) {
    const [, name = '', value = ''] = FIELD.exec(line) ?? [];
    const key = name.toLowerCase();
    if (key === '' || notQuick.has(key) || Object.hasOwn(headers, key)) return undefined;
    headers[key] = value.trimEnd();
  }
  const { connection } = headers;
  return connection === undefined || connection.toLowerCase() === 'keep-alive' ? headers : undefined;
}
