import { mkdtempSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OutputAnswer, OutputRequest } from '@srs/stream';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { askOutputsBy, serveOutputs } from './output-link.ts';

let directory: string;
let path: string;
let stop: (() => void) | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'srs-outputs-'));
  path = join(directory, 'outputs.sock');
});

afterEach(() => {
  stop?.();
  stop = undefined;
  rmSync(directory, { recursive: true });
});

const ask = (request: Partial<OutputRequest>): Promise<OutputAnswer> =>
  askOutputsBy(() => path)(0, { vhost: 'v', path: 'a/b.ts', query: '', signal: new AbortController().signal, ...request });

it('what is asked arrives as it was, whatever letters it has', async () => {
  const seen: Partial<OutputRequest>[] = [];
  stop = await serveOutputs(path, async ({ vhost, path: asked, query }) => {
    seen.push({ vhost, path: asked, query });
    return { status: 200, contentType: 'video/mp2t', body: Buffer.from('bytes'), maxAgeSeconds: 7 };
  });
  const odd = { vhost: 'v h?/#', path: 'caf\u00e9/a%2f b?c#d.ts', query: '_HLS_msn=3&x=%20' };
  expect(await ask(odd)).toEqual({ status: 200, contentType: 'video/mp2t', body: Buffer.from('bytes'), maxAgeSeconds: 7 });
  expect(seen).toEqual([odd]);
});

it('a large body comes whole', async () => {
  const body = Buffer.alloc(5_000_000, 'abcdefg');
  stop = await serveOutputs(path, async () => ({ status: 200, contentType: 'video/mp2t', body, maxAgeSeconds: 0 }));
  const answer = await ask({});
  expect(answer.status === 200 && answer.body.equals(body)).toBe(true);
});

it.each([400, 404, 503] as const)('status %i keeps its reason', async (status) => {
  stop = await serveOutputs(path, async () => ({ status, reason: `because of ${status}` }));
  expect(await ask({})).toEqual({ status, reason: `because of ${status}` });
});

it('an answer that fails is a 503', async () => {
  stop = await serveOutputs(path, () => Promise.reject(new Error('broken')));
  expect(await ask({})).toEqual({ status: 503, reason: 'broken' });
});

it('nobody there is an error that says who', async () => {
  await expect(ask({})).rejects.toThrow('back-source 0 cannot be asked');
});

it('who has gone is no longer waited for on the other side', async () => {
  const gone = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  stop = await serveOutputs(path, ({ signal }) => {
    asked.resolve();
    signal.addEventListener('abort', () => gone.resolve());
    return new Promise(() => {});
  });
  const control = new AbortController();
  const answer = ask({ signal: control.signal });
  await asked.promise;
  control.abort();
  await expect(answer).rejects.toThrow('cannot be asked');
  await gone.promise;
});

it('a socket that a killed process has left is no obstacle', async () => {
  const first = await serveOutputs(path, async () => ({ status: 404, reason: 'first' }));
  stop = await serveOutputs(path, async () => ({ status: 404, reason: 'second' }));
  expect(await ask({})).toMatchObject({ reason: 'second' });
  first();
});

it('a request that cannot be understood is answered, and the next one served', async () => {
  stop = await serveOutputs(path, async () => ({ status: 404, reason: 'none' }));
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  get({ socketPath: path, path: '/v/%zz' }, (response) => resolve(response.resume().statusCode)).on('error', reject);
  expect(await promise).toBe(503);
  expect(await ask({})).toMatchObject({ status: 404 });
});
