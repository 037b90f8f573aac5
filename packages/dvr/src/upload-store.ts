/** An object store that speaks S3, as far as an upload needs it. Signed with Signature Version 4; buckets stand in the path. */
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { type IncomingHttpHeaders, Agent as PlainAgent, request as requestPlain } from 'node:http';
import { request as requestTls, Agent as TlsAgent } from 'node:https';
import { SrsError } from '@srs/kernel';
import { AwsV4Signer } from 'aws4fetch';
import { elementText, escapeXml, refusal, type StoreAnswer } from './upload-answer.ts';
import { StoreCall } from './upload-call.ts';
import { type FilePart, type PartDigest, readPart } from './upload-digest.ts';
import type { UploadSettings } from './upload-settings.ts';

/** An object as the store tells of it. */
export interface StoredObject {
  readonly sizeBytes: number;
  /** Without its quotation marks. */
  readonly etag: string;
  /** With some ways of encryption the ETag says nothing about the bytes. */
  readonly isDigest: boolean;
}

type StoredEtag = Pick<StoredObject, 'etag' | 'isDigest'>;

interface StoreRequest {
  readonly method: 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  readonly key: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: {
    readonly sizeBytes: number;
    readonly sha256Hex: string;
    /** From its beginning; asked again when it has to be sent again. */
    pieces(): AsyncIterable<Buffer>;
  };
  /** Answers that are none of these are thrown. */
  readonly expected: readonly number[];
  readonly idleMs?: number;
}

/** Nothing was sent and nothing came for so long: the store is taken for dead. */
const IDLE_MS = 60_000;
/** Parts of many gigabytes are put together before the answer comes. */
const COMPLETE_IDLE_MS = 600_000;
const SHA256_OF_NOTHING = createHash('sha256').digest('hex');
const ETAG_DIGEST = /^[0-9a-f]{32}(?:-\d+)?$/;

export interface ObjectStoreOptions {
  readonly settings: UploadSettings;
  /** Of a request; tests do not want to wait. */
  readonly idleMs?: number;
}

export class ObjectStore {
  readonly #options: ObjectStoreOptions;
  /** `https://host/path/bucket`. */
  readonly #bucketUrl: string;
  readonly #agent: PlainAgent;

  constructor(options: ObjectStoreOptions) {
    this.#options = options;
    const { endpoint, bucket } = options.settings;
    const { protocol, host, pathname } = new URL(endpoint);
    this.#bucketUrl = `${protocol}//${host}${pathname.replace(/\/+$/, '')}/${bucket}`;
    this.#agent = protocol === 'https:' ? new TlsAgent({ keepAlive: true }) : new PlainAgent({ keepAlive: true });
  }

  close(): void {
    this.#agent.destroy();
  }

  /** @returns undefined when there is none; `hidden` when these keys may write it and not look at it */
  async head(key: string): Promise<StoredObject | 'hidden' | undefined> {
    const { status, headers } = await this.#ask({ method: 'HEAD', key, expected: [200, 403, 404] });
    if (status === 404) return undefined;
    if (status === 403) return 'hidden';
    return { sizeBytes: Number(headers['content-length']), ...etagIn(headers) };
  }

  /** Writes a whole object. The store checks what it gets against the digest. */
  async put(key: string, contentType: string, file: FileHandle, part: FilePart, digest: PartDigest): Promise<StoredEtag> {
    const body = bodyOf(file, part, digest);
    const headers = { 'content-type': contentType, ...md5Header(digest) };
    const answer = await this.#ask({ method: 'PUT', key, headers, body, expected: [200] });
    return etagIn(answer.headers);
  }

  /** @returns the id of an upload in parts */
  async begin(key: string, contentType: string): Promise<string> {
    const headers = { 'content-type': contentType };
    const answer = await this.#ask({ method: 'POST', key, query: { uploads: '' }, headers, expected: [200] });
    return elementText(answer.body, 'UploadId') ?? this.#fail('POST', key, 'was answered without an UploadId');
  }

  /** @param partNumber from 1 @returns the ETag of the part */
  async putPart(
    key: string,
    uploadId: string,
    partNumber: number,
    file: FileHandle,
    part: FilePart,
    digest: PartDigest,
  ): Promise<StoredEtag> {
    const query = { partNumber: String(partNumber), uploadId };
    const body = bodyOf(file, part, digest);
    const answer = await this.#ask({ method: 'PUT', key, query, headers: md5Header(digest), body, expected: [200] });
    return etagIn(answer.headers);
  }

  /** Makes an object of its parts. */
  async complete(key: string, uploadId: string, etags: readonly string[]): Promise<void> {
    const parts = etags.map((etag, index) => {
      return `<Part><PartNumber>${index + 1}</PartNumber><ETag>&quot;${escapeXml(etag)}&quot;</ETag></Part>`;
    });
    const xmlns = 'http://s3.amazonaws.com/doc/2006-03-01/';
    const xml = Buffer.from(`<CompleteMultipartUpload xmlns="${xmlns}">${parts.join('')}</CompleteMultipartUpload>`);
    const body = {
      sizeBytes: xml.length,
      sha256Hex: createHash('sha256').update(xml).digest('hex'),
      async *pieces() {
        yield xml;
      },
    };
    const headers = { 'content-type': 'application/xml' };
    const idleMs = Math.max(COMPLETE_IDLE_MS, this.#options.idleMs ?? 0);
    const answer = await this.#ask({ method: 'POST', key, query: { uploadId }, headers, body, expected: [200], idleMs });
    // What goes wrong while the parts are put together comes with status 200, which had been sent by then.
    if (/<Error[\s>]/.test(answer.body)) throw refusal(this.#describe('POST', key), answer, this.#secrets);
  }

  /** Throws away the parts; nothing is wrong when there are none of that id any more. */
  async abort(key: string, uploadId: string): Promise<void> {
    await this.#ask({ method: 'DELETE', key, query: { uploadId }, expected: [200, 204, 404] });
  }

  async #ask(request: StoreRequest): Promise<StoreAnswer> {
    const { method, key, body, expected } = request;
    const { url, headers } = await this.#sign(request);
    const send = url.protocol === 'https:' ? requestTls : requestPlain;
    const call = new StoreCall(
      () => send(url, { method, headers, agent: this.#agent }),
      request.idleMs ?? this.#options.idleMs ?? IDLE_MS,
    );
    let answer: StoreAnswer;
    try {
      answer = await call.answer(body === undefined ? undefined : () => body.pieces());
    } catch (cause) {
      if (cause instanceof SrsError) throw cause;
      throw new SrsError('HttpAnswer', `${this.#describe(method, key)} failed`, { cause });
    }
    if (!expected.includes(answer.status)) throw refusal(this.#describe(method, key), answer, this.#secrets);
    return answer;
  }

  async #sign({ method, key, query = {}, headers = {}, body }: StoreRequest) {
    const { accessKey, secretKey, region } = this.#options.settings;
    const url = new URL(`${this.#bucketUrl}/${key.split('/').map(encodePart).join('/')}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const signer = new AwsV4Signer({
      method,
      url: url.href,
      headers: { ...headers, 'x-amz-content-sha256': body?.sha256Hex ?? SHA256_OF_NOTHING },
      accessKeyId: accessKey,
      secretAccessKey: secretKey,
      service: 's3',
      region,
    });
    const signed = await signer.sign();
    const length = body === undefined && method !== 'POST' ? {} : { 'content-length': String(body?.sizeBytes ?? 0) };
    return { url: signed.url, headers: { ...Object.fromEntries(signed.headers), ...length } };
  }

  get #secrets(): readonly string[] {
    const { secretKey, accessKey } = this.#options.settings;
    return [secretKey, accessKey];
  }

  #describe(method: string, key: string): string {
    return `${method} ${this.#bucketUrl}/${key}`;
  }

  #fail(method: string, key: string, what: string): never {
    throw new SrsError('HttpAnswer', `${this.#describe(method, key)} ${what}`);
  }
}

function bodyOf(file: FileHandle, part: FilePart, { sha256Hex }: PartDigest): NonNullable<StoreRequest['body']> {
  return { sizeBytes: part.sizeBytes, sha256Hex, pieces: () => readPart(file, part) };
}

function md5Header({ md5 }: PartDigest): Readonly<Record<string, string>> {
  return { 'content-md5': md5.toString('base64') };
}

function etagIn(headers: IncomingHttpHeaders): StoredEtag {
  const etag = (headers.etag ?? '').replaceAll('"', '');
  const encryption = headers['x-amz-server-side-encryption'] ?? 'AES256';
  const hasOwnKey = headers['x-amz-server-side-encryption-customer-algorithm'] !== undefined;
  return { etag, isDigest: encryption === 'AES256' && !hasOwnKey && ETAG_DIGEST.test(etag) };
}

/** RFC 3986, as the signature wants it. */
function encodePart(part: string): string {
  return encodeURIComponent(part).replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
