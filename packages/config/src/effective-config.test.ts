import { describe, expect, it } from 'vitest';
import { configFromEnv, type LoadResult, loadConfig } from './load.ts';

const rowOf = (loaded: LoadResult, directive: string) => loaded.effective().find((row) => row.directive === directive);

const included: Readonly<Record<string, string>> = { 'conf/vhosts.conf': 'vhost b {\n  gop_cache off;\n}' };

const loaded = loadConfig(
  `listen 1935 127.0.0.1:1936;
max_connections 50;
chunk_size 4096;
include vhosts.conf;
vhost a {
  play { queue_length 10; }
  security { enabled on; allow play all; deny publish 10.0.0.0/8; }
  http_hooks { on_connect http://user:pa55@127.0.0.1/hook?token=abc; }
  transcode { engine { vparams { t 100; coder 1; } } }
  bandcheck { key hush; }
  cluster { registry redis://me:hush@hush@10.0.0.5/2; }
  dvr { dvr_upload { access_key "hush hush"; secret_key hush4; } }
}`,
  {
    fileName: 'conf/srs.conf',
    env: { SRS_MAX_CONNECTIONS: '70', SRS_VHOST_HLS_HLS_FRAGMENT: '4' },
    readInclude: (path) => included[path]!,
  },
);

describe('the effective configuration', () => {
  const cases: readonly (readonly [directive: string, value: string, origin: string])[] = [
    ['listen', '1935 127.0.0.1:1936', 'file conf/srs.conf:1'],
    ['max_connections', '70', 'environment SRS_MAX_CONNECTIONS'],
    ['pid', './objs/srs.pid', 'default'],
    ['stats / disk', '', 'default'],
    ['vhost a / queue_length', '10', 'file conf/srs.conf:6'],
    ['vhost a / chunk_size', '4096', 'file conf/srs.conf:3'],
    ['vhost a / in_ack_size', '0', 'default'],
    ['vhost a / security / allow | deny', 'allow play all; deny publish 10.0.0.0/8;', 'file conf/srs.conf:7'],
    ['vhost a / transcode / engine / vparams', 't 100; coder 1;', 'file conf/srs.conf:9'],
    ['vhost b / gop_cache', 'off', 'file conf/vhosts.conf:2'],
    ['vhost __defaultVhost__ / hls / hls_fragment', '4', 'environment SRS_VHOST_HLS_HLS_FRAGMENT'],
  ];
  it.each(cases)('%s is %s by %s', (directive, value, origin) => {
    expect(rowOf(loaded, directive)).toEqual({ directive, value, origin });
  });

  it('hides secrets, as a whole and inside of URLs', () => {
    expect(rowOf(loaded, 'vhost a / bandcheck / key')?.value).toBe('***');
    expect(rowOf(loaded, 'vhost a / dvr / dvr_upload / access_key')?.value).toBe('***');
    expect(rowOf(loaded, 'vhost a / dvr / dvr_upload / secret_key')?.value).toBe('***');
    expect(rowOf(loaded, 'vhost a / cluster / registry')?.value).toBe('redis://me:***@10.0.0.5/2');
    expect(rowOf(loaded, 'vhost a / http_hooks / on_connect')?.value).not.toMatch(/pa55|abc/);
    expect(loaded.effective().filter(({ value }) => /hush|pa55|abc/.test(value))).toEqual([]);
  });

  it('names each directive once, all of the schema for each vhost', () => {
    const names = loaded.effective().map((row) => row.directive);
    expect(new Set(names).size).toBe(names.length);
    const inVhost = (name: string) => names.filter((each) => each.startsWith(`vhost ${name} /`)).length;
    expect(inVhost('b')).toBe(inVhost('__defaultVhost__'));
    expect(inVhost('b')).toBeGreaterThan(50);
  });

  it('works without a file', () => {
    const fromEnv = configFromEnv({ SRS_LISTEN: '1935' });
    expect(rowOf(fromEnv, 'listen')).toEqual({ directive: 'listen', value: '1935', origin: 'environment SRS_LISTEN' });
    expect(fromEnv.files).toEqual([]);
  });
});

it('the files that were read are named, the included ones too', () => {
  expect(loaded.files).toEqual(['conf/srs.conf', 'conf/vhosts.conf']);
});
