import { createHash, randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, statSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { describeError } from '@srs/kernel';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { certificate } from '../../../test/support/certificates.ts';
import { TestStore } from './object-store-test-support.ts';
import { type UploadResult, type UploadTask, uploadFile } from './upload-file.ts';

const MIB = 1024 * 1024;
const KEY = 'live/a.flv';
/** Most tests send files in parts that are smaller than those of a server. */
const PART = 64 * 1024;
const TWO_PARTS = PART + 1000;

let store: TestStore;
let directory: string;
let parts: (string | undefined)[];

beforeEach(async () => {
  store = await TestStore.start();
  directory = mkdtempSync(join(tmpdir(), 'srs-upload-'));
  parts = [];
});

afterEach(async () => {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

function put(bytes: Buffer, name = 'a.flv'): string {
  const path = join(directory, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  return path;
}

function upload(path: string, more: Partial<UploadTask> = {}): Promise<UploadResult> {
  const task = { path, key: KEY, settings: store.settings(), partBytes: PART, ...more };
  return uploadFile(task, (uploadId) => parts.push(uploadId));
}

function md5(bytes: Buffer): Buffer {
  return createHash('md5').update(bytes).digest();
}

async function failure(path: string, more: Partial<UploadTask> = {}): Promise<string> {
  return await upload(path, more).then(() => 'no failure', describeError);
}

describe('a file', () => {
  it('goes into the bucket in one request, and is looked at afterwards', async () => {
    const bytes = randomBytes(10_000);
    const path = put(bytes);
    const { size, ino } = statSync(path);
    expect(await upload(path)).toMatchObject({ kind: 'uploaded', wasThere: false, file: { path, sizeBytes: size, ino } });
    expect(store.object(KEY).equals(bytes)).toBe(true);
    expect(store.names()).toEqual([`HEAD ${KEY}`, `PUT ${KEY}`, `HEAD ${KEY}`]);
    expect(store.requests[1]?.headers).toMatchObject({ 'content-type': 'video/x-flv', 'content-length': '10000' });
    expect(parts).toEqual([]);
  });

  it('that is large goes in parts', async () => {
    const bytes = randomBytes(33 * MIB);
    expect(await upload(put(bytes, 'a.mp4'), { partBytes: undefined })).toMatchObject({ kind: 'uploaded' });
    expect(store.object(KEY).equals(bytes)).toBe(true);
    const part = `PUT ${KEY}?partNumber&uploadId`;
    expect(store.names()).toEqual([
      `HEAD ${KEY}`,
      `POST ${KEY}?uploads`,
      part,
      part,
      part,
      `POST ${KEY}?uploadId`,
      `HEAD ${KEY}`,
    ]);
    expect(store.requests[1]?.headers['content-type']).toBe('video/mp4');
    expect(store.requests.slice(2, 5).map(({ headers }) => headers['content-length'])).toEqual(
      [16, 16, 1].map((n) => `${n * MIB}`),
    );
    expect(parts).toEqual([expect.any(String), undefined]);
    expect(store.unfinished()).toEqual([]);
  });

  it.each([
    ['in one piece', 1000],
    ['in parts', TWO_PARTS],
  ])('that is there already, %s, is not sent again', async (_name, sizeBytes) => {
    const path = put(randomBytes(sizeBytes));
    await upload(path);
    store.requests.length = 0;
    expect(await upload(path)).toMatchObject({ kind: 'uploaded', wasThere: true });
    expect(store.names()).toEqual([`HEAD ${KEY}`]);
  });

  it.each([
    ['in one piece', 1000],
    ['in parts', TWO_PARTS],
  ])('of other bytes replaces what is there, %s, though its size is the same', async (_name, sizeBytes) => {
    await upload(put(randomBytes(sizeBytes)));
    const bytes = randomBytes(sizeBytes);
    expect(await upload(put(bytes))).toMatchObject({ wasThere: false });
    expect(store.object(KEY).equals(bytes)).toBe(true);
  });

  it('that was sent in parts is known by the ETag that S3 gives to such an object', async () => {
    const bytes = randomBytes(2 * PART + 1);
    const md5s = [0, PART, 2 * PART].map((at) => md5(bytes.subarray(at, at + PART)));
    store.addition = ({ name }): Record<string, string> =>
      name.startsWith('HEAD') ? { etag: `"${md5(Buffer.concat(md5s)).toString('hex')}-3"` } : {};
    const path = put(bytes);
    expect(await upload(path)).toMatchObject({ wasThere: false });
    expect(await upload(path)).toMatchObject({ wasThere: true });
    writeFileSync(path, bytes.fill(bytes[PART]! ^ 1, PART, PART + 1));
    expect(await failure(path)).toMatch(
      /^live\/a\.flv in the bucket is not the file: its ETag [0-9a-f]{32}-3 must be [0-9a-f]{32}-3$/,
    );
  });

  it('without bytes is uploaded as well', async () => {
    expect(await upload(put(Buffer.alloc(0)))).toMatchObject({ kind: 'uploaded' });
    expect(store.object(KEY)).toHaveLength(0);
  });

  it.each(["live/a b+c%2f&d=e?f#g'(h)*!~.flv", 'live/\u76f4\u64ad/caf\u00e9 \u{1f3a5}.flv', 'a/b/c/@:;,$.flv'])(
    'may be called %s',
    async (key) => {
      await upload(put(randomBytes(100)), { key });
      expect(store.keys()).toEqual([key]);
    },
  );

  it('that is not there is missing', async () => {
    expect(await upload(join(directory, 'none.flv'))).toEqual({ kind: 'missing' });
    expect(store.requests).toEqual([]);
  });

  it.each([
    ['grows', (path: string) => appendFileSync(path, 'more')],
    ['is written to', (path: string) => utimesSync(path, 1, 1)],
    ['is taken away', (path: string) => unlinkSync(path)],
  ])('that %s meanwhile has changed', async (_name, change) => {
    const path = put(randomBytes(1000));
    store.fault = ({ name }) => {
      if (name.startsWith('PUT')) change(path);
      return undefined;
    };
    expect(await upload(path)).toEqual({ kind: 'changed' });
  });
});

describe('what goes wrong', () => {
  it('names the request, the status and what the store says of it', async () => {
    expect(await failure(put(Buffer.from('x')), { settings: store.settings({ bucket: 'nobody-has-it' }) })).toBe(
      `PUT ${store.endpoint}/nobody-has-it/${KEY} was answered with status 404, NoSuchBucket: The specified bucket does not exist`,
    );
  });

  it('never tells the keys', async () => {
    const settings = store.settings({ secretKey: 'hush-hush' });
    const text = await failure(put(Buffer.from('x')), { settings });
    expect(text).toMatch(/was answered with status 403, SignatureDoesNotMatch: /);
    store.fault = () => ({
      status: 500,
      body: '<Error><Code>X</Code><Message>S3RVER has hush-hush\r\nand so on</Message></Error>',
    });
    expect(await failure(put(Buffer.from('x')), { settings })).toMatch(/status 500$/);
    store.fault = ({ name }) =>
      name.startsWith('PUT') ? { status: 500, body: '<Error><Message>S3RVER: hush-hush\nx</Message></Error>' } : undefined;
    expect(await failure(put(Buffer.from('x')), { settings })).toMatch(/status 500, \*\*\*: \*\*\* x$/);
  });

  it('is a store that is not there', async () => {
    const settings = store.settings({ endpoint: 'http://localhost:1' });
    expect(await failure(put(Buffer.from('x')), { settings })).toMatch(
      /^HEAD http:\/\/localhost:1\/recordings\/live\/a\.flv failed: connect ECONNREFUSED \S+:1$/,
    );
  });

  it('is a store that says nothing', async () => {
    store.fault = ({ name }) => (name.startsWith('PUT') ? 'hang' : undefined);
    expect(await failure(put(randomBytes(20 * MIB)), { idleMs: 200, partBytes: undefined })).toMatch(
      /^PUT .* failed: nothing has moved for 0\.2 s$/,
    );
    expect(store.unfinished()).toEqual([]);
  });

  it('is a connection that is cut', async () => {
    store.fault = ({ name }) => (name.startsWith('PUT') ? 'drop' : undefined);
    expect(await failure(put(Buffer.from('x')))).toMatch(/^PUT .* failed: (?:socket hang up|read ECONNRESET)$/);
  });

  it('is an answer without end', async () => {
    store.fault = ({ name }) => (name.startsWith('PUT') ? { status: 200, body: 'x'.repeat(100_000) } : undefined);
    expect(await failure(put(Buffer.from('x')))).toMatch(/^PUT .* failed: its answer has more than 65536 bytes$/);
  });

  it.each([
    ['one piece', 1000],
    ['parts', TWO_PARTS],
  ])('are bytes of %s that change on their way', async (_name, sizeBytes) => {
    store.fault = ({ name }) => (name.startsWith('PUT') ? 'corrupt' : undefined);
    expect(await failure(put(randomBytes(sizeBytes)))).toMatch(/status 400, BadDigest: It is another one\.$/);
    expect(store.unfinished()).toEqual([]);
  });

  it('is an object that is another one in the end', async () => {
    const path = put(randomBytes(1000));
    store.addition = ({ name }): Record<string, string> => (name.startsWith('HEAD') ? { etag: `"${'0'.repeat(32)}"` } : {});
    expect(await failure(path)).toMatch(/^live\/a\.flv in the bucket is not the file: its ETag 0{32} must be [0-9a-f]{32}$/);
    store.addition = ({ name }): Record<string, string> => (name.startsWith('HEAD') ? { 'content-length': '999' } : {});
    expect(await failure(path)).toMatch(/^live\/a\.flv in the bucket is not the file: its size 999 must be 1000$/);
  });

  it('is a failure that comes with status 200 when the parts are put together', async () => {
    store.fault = ({ name }) => {
      const body = '<?xml version="1.0"?>\n<Error><Code>InternalError</Code><Message>Again.</Message></Error>';
      return name === `POST ${KEY}?uploadId` ? { status: 200, body } : undefined;
    };
    expect(await failure(put(randomBytes(TWO_PARTS)))).toMatch(/was answered with status 200, InternalError: Again\.$/);
    expect(store.unfinished()).toEqual([]);
  });

  it('leaves no parts behind, and tells of those that it could not remove; they are removed the next time', async () => {
    const path = put(randomBytes(2 * PART + 1));
    store.fault = ({ name }) => {
      if (name.startsWith('DELETE')) return { status: 503 };
      return name.includes('partNumber') && store.names('PUT').length === 1 ? { status: 503 } : undefined;
    };
    expect(await failure(path)).toMatch(/status 503$/);
    expect(parts).toEqual(store.unfinished());
    const uploadId = parts[0] ?? '';
    store.fault = () => undefined;
    expect(await upload(path, { leftover: { key: KEY, uploadId } })).toMatchObject({ kind: 'uploaded' });
    expect(store.names('DELETE')).toHaveLength(2);
    expect(store.unfinished()).toEqual([]);
  });

  it('is not that parts to be removed have gone already', async () => {
    const leftover = { key: KEY, uploadId: 'gone' };
    expect(await upload(put(Buffer.from('x')), { leftover })).toMatchObject({ kind: 'uploaded' });
    expect(parts).toEqual([undefined]);
  });

  it('is not that a connection which was kept has ended', async () => {
    let isFirst = true;
    store.fault = ({ name }) => {
      if (!name.startsWith('PUT') || !isFirst) return undefined;
      isFirst = false;
      return 'drop';
    };
    // A connection that its server closes after a time of rest looks like this to who uses it in that moment.
    expect(await upload(put(randomBytes(1000)))).toMatchObject({ kind: 'uploaded' });
  });
});

describe('a store', () => {
  it('whose keys may only write is believed what it says of the bytes it got', async () => {
    store.fault = ({ name }) => (name.startsWith('HEAD') ? { status: 403 } : undefined);
    expect(await upload(put(randomBytes(TWO_PARTS)))).toMatchObject({ kind: 'uploaded', wasThere: false });
  });

  it('whose ETags say nothing because of their encryption is asked for the size', async () => {
    store.addition = () => ({ 'x-amz-server-side-encryption': 'aws:kms', etag: `"${'1'.repeat(32)}"` });
    const path = put(randomBytes(1000));
    expect(await upload(path)).toMatchObject({ kind: 'uploaded', wasThere: false });
    expect(await upload(path)).toMatchObject({ kind: 'uploaded', wasThere: false });
  });

  it('may be asked with TLS, and is not when its certificate is not trusted', async () => {
    const secure = await TestStore.start(certificate);
    const trusted = getCACertificates();
    try {
      const path = put(randomBytes(1000));
      expect(await failure(path, { settings: secure.settings() })).toMatch(/self-signed certificate/);
      setDefaultCACertificates([...trusted, certificate.cert]);
      expect(await upload(path, { settings: secure.settings() })).toMatchObject({ kind: 'uploaded' });
      expect(secure.keys()).toEqual([KEY]);
    } finally {
      setDefaultCACertificates(trusted);
      await secure.close();
    }
  });
});
