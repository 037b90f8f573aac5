import { describe, expect, it } from 'vitest';
import { cellsOf, json, run, serveMaster } from './cli-test-support.ts';

const directives = [
  { directive: 'listen', value: '1935', origin: 'file conf/srs.conf:1' },
  { directive: 'chunk_size', value: '60000', origin: 'default' },
  { directive: 'vhost demo / hls / hls_fragment', value: '4', origin: 'environment SRS_VHOST_HLS_HLS_FRAGMENT' },
  { directive: 'vhost demo / refer', value: '', origin: 'default' },
];

const serveConfig = async (): Promise<number> =>
  await serveMaster([], { '/api/v1/config': () => ({ version: 1, file: 'conf/srs.conf', directives }) });

describe('srs-cli config', () => {
  it('tells every value with its origin', async () => {
    const port = await serveConfig();
    const { code, out, err } = await run(port, ['config']);
    expect([code, err]).toEqual([0, '']);
    expect(cellsOf(out, 'listen')).toEqual(['listen', '1935', 'file conf/srs.conf:1']);
    expect(cellsOf(out, 'chunk_size')).toEqual(['chunk_size', '60000', 'default']);
    expect(await json(port, 'config')).toEqual({ version: 1, file: 'conf/srs.conf', directives });
  });

  it.each([
    ['listen', [0]],
    ['HLS', [2]],
    ['demo/hls/hls_fragment', [2]],
    ['demo / hls', [2]],
    ['vhost*re', [3]],
    ['e', [0, 1, 2, 3]],
    ['*', [0, 1, 2, 3]],
  ])('with %s finds what contains it', async (pattern, indexes) => {
    const port = await serveConfig();
    expect(await json(port, 'config', pattern)).toMatchObject({ directives: indexes.map((index) => directives[index]) });
  });

  it('ends with status 1 when nothing matches', async () => {
    expect(await run(await serveConfig(), ['config', 'lisp'])).toEqual({
      code: 1,
      out: '',
      err: 'srs-cli: no directive matches "lisp"\n',
    });
  });
});
