import { describe, expect, it } from 'vitest';
import type { Config, VhostConfig } from './config.ts';
import { deepFreeze, isSameConfig } from './config.ts';
import { configFromEnv, type LoadOptions, loadConfig } from './load.ts';
import { ConfigError, formatProblem } from './problem.ts';

function load(text: string, options: Partial<LoadOptions> = {}): Config {
  return loadConfig(text, { fileName: 'srs.conf', ...options }).config;
}

function loadVhost(text: string): VhostConfig {
  return load(`listen 1935; vhost a.com { ${text} }`).vhosts.get('a.com')!;
}

/** Warnings for text on line 2, in a vhost. */
function warningsOf(text: string, options: Partial<LoadOptions> = {}): readonly string[] {
  return loadConfig(`listen 1935; vhost a.com {\n${text} }`, { fileName: 'srs.conf', ...options }).warnings.map(formatProblem);
}

describe('values', () => {
  it('listen takes ports, ip:port and [ipv6]:port, each address once', () => {
    const { listen } = load('listen 1935 127.0.0.1:19350 [::]:1936 [FE80::1:0]:1 [::ffff:1.2.3.4]:2 1935; vhost a {}');
    expect(listen).toEqual([
      { host: '0.0.0.0', port: 1935 },
      { host: '127.0.0.1', port: 19350 },
      { host: '::', port: 1936 },
      { host: 'fe80::1:0', port: 1 },
      { host: '::ffff:1.2.3.4', port: 2 },
    ]);
  });

  const vhostCases: readonly (readonly [text: string, read: (vhost: VhostConfig) => unknown, value: unknown])[] = [
    ['queue_length 10;', (v) => v.queueLengthMs, 10_000],
    ['queue_length 2m;', (v) => v.queueLengthMs, 120_000],
    ['queue_length 10.9;', (v) => v.queueLengthMs, 10_000],
    ['queue_length 1500ms;', (v) => v.queueLengthMs, 1000],
    ['gop_cache off;', (v) => v.gopCache, false],
    [
      'cluster { coworkers a [::1]:9090; }',
      (v) => v.cluster.coworkers,
      [
        { host: 'a', port: 1985 },
        { host: '::1', port: 9090 },
      ],
    ],
    ['play { gop_cache off; }', (v) => v.gopCache, false],
    ['play { queue_length 5; time_jitter zero; atc on; }', (v) => [v.queueLengthMs, v.timeJitter, v.atc], [5000, 'zero', true]],
    ['gop_cache on; play { gop_cache off; }', (v) => v.gopCache, true],
    ['time_jitter none;', (v) => v.timeJitter, 'off'],
    ['dvr { dvr_plan hss; time_jitter zero; }', (v) => [v.dvr.plan, v.dvr.timeJitter], ['session', 'zero']],
    ['hls { hls_on_error stop; }', (v) => v.hls.onError, 'disconnect'],
    ['hls { hls_fragment 2.9; hls_window 500ms; }', (v) => [v.hls.fragmentMs, v.hls.windowMs], [2000, 0]],
    ['mode edge;', (v) => v.mode, 'local'],
    [
      'mode remote; origin a 1.2.3.4:1936 [::1] [::2]:3;',
      (v) => v.origin,
      [
        { host: 'a', port: undefined },
        { host: '1.2.3.4', port: 1936 },
        { host: '::1', port: undefined },
        { host: '::2', port: 3 },
      ],
    ],
    [
      'cluster { mode remote; origin a; token_traverse on; }',
      (v) => [v.mode, v.origin.length, v.tokenTraverse],
      ['remote', 1, true],
    ],
    ['chunk_size 4096;', (v) => v.chunkSize, 4096],
    [
      'publish { firstpkt_timeout 500; normal_timeout 7s; }',
      (v) => [v.publish.firstPacketTimeoutMs, v.publish.normalTimeoutMs],
      [500, 7000],
    ],
    [
      'publish_1stpkt_timeout 1000; publish_normal_timeout 2000;',
      (v) => [v.publish.firstPacketTimeoutMs, v.publish.normalTimeoutMs],
      [1000, 2000],
    ],
    ['publish { busy replace; mr on; }', (v) => [v.publish.busy, v.publish.mergedRead], ['replace', true]],
    ['mr { enabled on; latency 100; }', (v) => [v.publish.mergedRead, v.publish.mergedReadLatencyMs], [true, 100]],
    ['mw_latency 100;', (v) => v.play.mwLatencyMs, 100],
    ['play { mw_latency 0; }', (v) => v.play.mwLatencyMs, 0],
    ['min_latency on; tcp_nodelay on;', (v) => [v.minLatency, v.tcpNodelay], [true, true]],
    ['http_static { mount /x; }', (v) => v.http.mount, '/x'],
    ['http_static { mount [vhost]/x; }', (v) => v.http.mount, '[vhost]/x'],
    [
      'hls { hls_ts_file [app]/[2006]/[01]/[02]/[stream]-[15].[04].[05].[999]-[duration].ts; hls_m3u8_file [vhost]/[stream].m3u8; }',
      (v) => [v.hls.tsFile, v.hls.m3u8File],
      ['[app]/[2006]/[01]/[02]/[stream]-[15].[04].[05].[999]-[duration].ts', '[vhost]/[stream].m3u8'],
    ],
    [
      'hls { hls_td_ratio 1.5; hls_aof_ratio 2; hls_ts_floor on; hls_entry_prefix http://cdn/; hls_acodec mp3; hls_vcodec vn; }',
      ({ hls }) => [hls.tdRatio, hls.aofRatio, hls.tsFloor, hls.entryPrefix, hls.acodec, hls.vcodec],
      [1.5, 2, true, 'http://cdn/', 'mp3', 'vn'],
    ],
    [
      'hls { hls_cleanup off; hls_dispose 2m; hls_wait_keyframe off; hls_nb_notify 0; hls_dts_directly off; hls_ctx off; hls_ts_ctx off; }',
      ({ hls }) => [hls.cleanup, hls.disposeMs, hls.waitKeyframe, hls.nbNotify, hls.dtsDirectly, hls.ctx, hls.tsCtx],
      [false, 120_000, false, 0, false, 'off', false],
    ],
    [
      'hls { hls_keys on; hls_fragments_per_key 1; hls_key_file [app]/[stream]-[seq].k; hls_key_file_path /keys; hls_key_url https://keys/; }',
      (v) => v.hls.keys,
      { enabled: true, fragmentsPerKey: 1, keyFile: '[app]/[stream]-[seq].k', keyFilePath: '/keys', keyUrl: 'https://keys/' },
    ],
    [
      'hls { hls_format ll; hls_storage memory; hls_part_duration 500ms; }',
      ({ hls }) => [hls.format, hls.storage, hls.partMs],
      ['ll', 'memory', 500],
    ],
    ['hls { hls_storage ram; }', (v) => v.hls.storage, 'memory'],
    ['hls { hls_storage both; }', (v) => v.hls.storage, 'disk'],
    [
      'dvr { dvr_plan append; dvr_path /data/[vhost]; dvr_apply live/a b/c/d; dvr_retention 720h; dvr_disk_high 90; }',
      ({ dvr }) => [dvr.plan, dvr.path, dvr.apply, dvr.retentionMs, dvr.diskHighPercent],
      ['append', '/data/[vhost]', ['live/a', 'b/c/d'], 2_592_000_000, 90],
    ],
    ['dvr { }', ({ dvr }) => [dvr.apply, dvr.retentionMs, dvr.diskHighPercent], [['all'], 0, 0]],
    [
      'dvr { dvr_upload { enabled on; endpoint http://s3:9000; bucket abc; prefix a/; access_key k; secret_key s; delete_after on; } }',
      (v) => v.dvr.upload,
      {
        enabled: true,
        endpoint: 'http://s3:9000',
        region: 'us-east-1',
        bucket: 'abc',
        prefix: 'a/',
        accessKey: 'k',
        secretKey: 's',
        deleteAfter: true,
      },
    ],
    [
      'http_remux { mount /x/[app]/[stream].ts; has_audio off; has_video off; guess_has_av off; drop_if_not_match off; hstrs off; }',
      ({ httpRemux: remux }) => [
        remux.mount,
        [remux.hasAudio, remux.hasVideo, remux.guessHasAv, remux.dropIfNotMatch, remux.hstrs],
      ],
      ['/x/[app]/[stream].ts', [false, false, false, false, false]],
    ],
    [
      'http_hooks { on_dvr http://a/; on_hls http://b/ http://c/; on_hls_notify http://d/[app]/[stream]/[ts_url][param]; }',
      ({ hooks }) => [hooks.onDvr, hooks.onHls, hooks.onHlsNotify],
      [['http://a/'], ['http://b/', 'http://c/'], ['http://d/[app]/[stream]/[ts_url][param]']],
    ],
    ['refer a.com b.com;', (v) => v.refer, ['a.com', 'b.com']],
    ['http_hooks { on_play http://a/1 https://b/2?x=y; }', (v) => v.hooks.onPlay, ['http://a/1', 'https://b/2?x=y']],
    ['bandcheck { interval 0.5; }', (v) => v.bandcheck.intervalMs, 500],
    [
      'security { deny publish 10.0.0.0/8; allow play all; allow publish ::1; }',
      (v) => v.security.rules,
      [
        { action: 'deny', activity: 'publish', who: '10.0.0.0/8' },
        { action: 'allow', activity: 'play', who: 'all' },
        { action: 'allow', activity: 'publish', who: '::1' },
      ],
    ],
  ];
  it.each(vhostCases)('%s', (text, read, value) => {
    expect(read(loadVhost(text))).toEqual(value);
  });

  it('ingests and transcodes keep their engines in order, with the free parameters', () => {
    const vhost = loadVhost(`
      ingest live { enabled on; input { type stream; url rtsp://cam/1; } ffmpeg /f; engine { output rtmp://a/b; } }
      transcode { enabled on; ffmpeg /f;
        engine hd { enabled on; vfps 29.97; vfilter { i ./logo.png; filter_complex 'overlay=10:10'; } }
        engine hd { vparams { t 100; coder 1; b_strategy 2; } }
      }
      transcode live/x { enabled off; }`);
    expect(vhost.ingests).toMatchObject([
      {
        name: 'live',
        enabled: true,
        input: { type: 'stream', url: 'rtsp://cam/1' },
        ffmpeg: '/f',
        engines: [{ name: '', output: 'rtmp://a/b' }],
      },
    ]);
    expect(vhost.transcodes.map((transcode) => [transcode.name, transcode.enabled])).toEqual([
      ['', true],
      ['live/x', false],
    ]);
    const [first, second] = vhost.transcodes[0]!.engines;
    expect(first).toMatchObject({
      name: 'hd',
      videoFps: 29.97,
      videoFilters: [
        { name: 'i', value: './logo.png' },
        { name: 'filter_complex', value: 'overlay=10:10' },
      ],
    });
    expect(second?.videoParams).toEqual([
      { name: 't', value: '100' },
      { name: 'coder', value: '1' },
      { name: 'b_strategy', value: '2' },
    ]);
  });

  it('sizes and the number of workers', () => {
    const config = load('listen 1; vhost a {} ring { initial_size 524288; max_size 8M; memory 1g; }', { cpuCount: 12 });
    expect(config.ring).toEqual({ initialSizeBytes: 524288, maxSizeBytes: 8 * 1024 ** 2, memoryBytes: 1024 ** 3 });
    expect(config.workers.stream).toBe(12);
    expect(load('listen 1; workers { stream 3; }', { cpuCount: 12 }).workers.stream).toBe(3);
    expect(load('listen 1;', { cpuCount: 9999 }).workers.stream).toBe(256);
  });

  it('http_server is another name of http_stream, and a private API port is local', () => {
    const config = load(
      'listen 1; http_server { enabled on; listen 127.0.0.1:80; crossdomain off; https { enabled on; key k; } } private_api { listen 4000; }',
    );
    expect(config.httpStream).toEqual({
      enabled: true,
      listen: { host: '127.0.0.1', port: 80 },
      dir: './objs/nginx/html',
      startPage: false,
      crossdomain: false,
      https: { enabled: true, listen: { host: '0.0.0.0', port: 8088 }, key: 'k', cert: './conf/server.crt' },
    });
    expect(config.privateApi.listen).toEqual({ host: '127.0.0.1', port: 4000 });
  });

  it('a vhost takes chunk and acknowledgement sizes from the root, and nothing from the default vhost', () => {
    const config = load(
      `listen 1; chunk_size 4096; out_ack_size 7; vhost __defaultVhost__ { gop_cache off; chunk_size 512; } vhost a {}`,
    );
    const vhost = config.vhosts.get('a')!;
    expect([vhost.chunkSize, vhost.outAckSize, vhost.gopCache]).toEqual([4096, 7, true]);
    expect(config.vhosts.get('__defaultVhost__')?.chunkSize).toBe(512);
  });

  it('the first of two directives, and of two vhosts, counts', () => {
    const config = load('listen 1; max_connections 5; max_connections 6; vhost a { atc on; } vhost b {} vhost a { atc off; }');
    expect(config.maxConnections).toBe(5);
    expect([...config.vhosts.keys()]).toEqual(['a', 'b']);
    expect(config.vhosts.get('a')?.atc).toBe(true);
  });

  it('the whole configuration is frozen', () => {
    const config = load('listen 1; vhost a { ingest { engine { vparams { a b; } } } }');
    const seen: unknown[] = [];
    const visit = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      expect(Object.isFrozen(value)).toBe(true);
      seen.push(value);
      for (const item of value instanceof Map ? value.values() : Object.values(value)) visit(item);
    };
    visit(config);
    expect(seen.length).toBeGreaterThan(30);
    expect(deepFreeze(config)).toBe(config);
  });

  it('a copy for another process is equal and can be frozen again', () => {
    const config = load('listen 1; vhost a { http_hooks { on_play http://a/ http://b/; } }');
    const copy = deepFreeze(structuredClone(config));
    expect(isSameConfig(copy, config)).toBe(true);
    expect(Object.isFrozen(copy.vhosts.get('a')?.hooks.onPlay)).toBe(true);
  });

  it('two configurations that say the same are the same, however they are written', () => {
    const one = load('listen 1935; vhost a { gop_cache on; hls { } } vhost b {}');
    const two = load('# x\nlisten 0.0.0.0:1935; vhost b { play { mw_latency 350ms; } } vhost a { cluster { mode local; } }');
    expect(isSameConfig(one, two)).toBe(true);
    expect(isSameConfig(one.vhosts.get('a')?.hls, load('listen 1; vhost a { hls { enabled on; } }').vhosts.get('a')?.hls)).toBe(
      false,
    );
    expect(isSameConfig(one, load('listen 1935; vhost a {} vhost b {} vhost c {}'))).toBe(false);
    expect(isSameConfig([1, 2], [1, 2, 3])).toBe(false);
    expect(isSameConfig({ a: undefined }, { b: undefined })).toBe(false);
  });
});

describe('warnings', () => {
  const cases: readonly (readonly [fact: string, text: string, warnings: readonly string[]])[] = [
    ['nothing to say', 'gop_cache off; atc on;', []],
    ['a cluster with coworkers', 'cluster { origin_cluster on; coworkers 10.0.0.1; }', []],
    [
      'a cluster of one',
      'cluster { origin_cluster on; }',
      [
        'srs.conf:2: origin_cluster of vhost a.com is on and has neither registry nor coworkers, streams are found on this server only',
      ],
    ],
    [
      'coworkers beside a registry',
      'cluster { origin_cluster on; registry redis://10.0.0.5;\ncoworkers 10.0.0.1; }',
      ['srs.conf:3: coworkers of vhost a.com are not asked: it has a registry'],
    ],
    [
      'a text that is neither on nor off',
      'gop_cache yes;\natc ON;',
      [
        'srs.conf:2: gop_cache yes is neither on nor off, the default counts: on',
        'srs.conf:3: atc ON is neither on nor off, the default counts: off',
      ],
    ],
    ['a number with a tail', 'chunk_size 4096k;', ['srs.conf:2: chunk_size 4096k is not a plain number and is read as 4096']],
    ['a fraction that is cut', 'queue_length 2500ms;', ['srs.conf:2: queue_length 2500ms is cut to whole seconds: 2']],
    ['an unknown word', 'time_jitter none;', ['srs.conf:2: time_jitter none is not one of full | zero | off and counts as off']],
    ['a directive without a value', 'time_jitter;', ['srs.conf:2: time_jitter has no value, the default counts: full']],
    ['a second value', 'atc off on;', ['srs.conf:2: atc takes one value, ignored: on']],
    [
      'a missing semicolon',
      'atc off\nrefer a.com;',
      ['srs.conf:2: atc takes one value, ignored: refer a.com; is a ; missing before refer?'],
    ],
    ['a directive twice', 'atc off;\natc on;', ['srs.conf:3: atc is given twice, the one in line 2 counts']],
    [
      'a directive under two names',
      'gop_cache on;\nplay { gop_cache off; }',
      ['srs.conf:3: play / gop_cache says the same as gop_cache in line 2, which counts'],
    ],
    ['a block without braces', 'play;', ['srs.conf:2: play is a block and is empty like this; write play { ... }']],
    ['a transcode twice', 'transcode a {}\ntranscode a {}', ['srs.conf:3: transcode a is given twice, the one in line 2 counts']],
    [
      'names that SRS never looks at',
      'ingest { input { kind x; } engine { codec y; } }',
      [
        'srs.conf:2: unknown directive kind in vhost a.com / ingest / input',
        'srs.conf:2: unknown directive codec in vhost a.com / ingest / engine; did you mean vcodec?',
      ],
    ],
    [
      'outputs that are built',
      'hls { enabled on; hls_keys on; } dvr { enabled on; dvr_apply live/a; } http { enabled on; } http_remux { enabled on; } }\nhttp_stream { enabled on;',
      [],
    ],
    [
      'all that outputs have',
      'hls { enabled on; hls_format ll; hls_storage ram; hls_part_duration 0.5; }\ndvr { dvr_upload { enabled on; endpoint http://s3; bucket abc; access_key a; secret_key b; } }',
      [],
    ],
    [
      'files that streams share',
      'hls { hls_m3u8_file [app]/live.m3u8;\nhls_ts_file [app]/[timestamp].ts; }\ndvr { dvr_path ./[app].[timestamp].flv; }',
      [
        'srs.conf:2: hls_m3u8_file [app]/live.m3u8 has no [stream], so streams may write to the same file',
        'srs.conf:3: hls_ts_file [app]/[timestamp].ts has no [stream], so streams may write to the same file',
        'srs.conf:4: dvr_path ./[app].[timestamp].flv has no [stream], so streams may write to the same file',
      ],
    ],
    [
      'recordings of one name',
      'dvr { enabled on;\ndvr_path ./[app]/[stream].mp4; dvr_plan segment; }',
      [
        'srs.conf:3: dvr_path ./[app]/[stream].mp4 gives each recording of a stream the name of the one before; [timestamp] tells them apart',
      ],
    ],
    ['a recording that goes on', 'dvr { enabled on; dvr_path ./[app]/[stream].flv; dvr_plan append; }', []],
    [
      'codecs that HLS does not announce',
      'hls { hls_acodec opus;\nhls_vcodec av1; }',
      [
        'srs.conf:2: hls_acodec opus is not one of aac | mp3 | an and counts as aac',
        'srs.conf:3: hls_vcodec av1 is not one of h264 | h265 | vn and counts as h264',
      ],
    ],
    [
      'features that are not built, once, if they are switched on',
      'bandcheck { enabled on; } transcode { enabled off; ffmpeg f; } forward a b;\nmode local; ingest { enabled on; } debug_srs_upnode off; }\nvhost b { bandcheck { enabled on; }',
      ['srs.conf: not built yet: ingest, bandcheck'],
    ],
  ];
  it.each(cases)('%s', (_fact, text, warnings) => {
    expect(warningsOf(text)).toEqual(warnings);
  });

  it('a stream_caster of a kind that is not built, once, and what that kind alone knows', () => {
    const block = 'stream_caster { enabled on; caster gb28181; listen 9000; rtp_port_min 58200; }';
    const { warnings, config } = loadConfig(`listen 1935; vhost a { }\n${block}\n${block}`, { fileName: 'srs.conf' });
    expect(warnings.map(formatProblem)).toEqual([
      'srs.conf:2: unknown directive rtp_port_min in stream_caster',
      'srs.conf:3: unknown directive rtp_port_min in stream_caster',
      'srs.conf: not built yet: caster gb28181',
    ]);
    expect(config.streamCasters.map(({ listen }) => listen.port)).toEqual([9000, 9000]);
  });

  it('no vhost at all', () => {
    const { warnings } = loadConfig('listen 1935;', { fileName: 'srs.conf' });
    expect(warnings.map(formatProblem)).toEqual(['srs.conf: no vhost is configured, every client will be refused']);
  });

  it('a network index that the machine does not have', () => {
    const at = (localAddressCount: number) =>
      warningsOf('} stats { network 1;', { localAddressCount }).filter((text) => text.includes('network'));
    expect(at(2)).toEqual([]);
    expect(at(1)).toEqual(["srs.conf:2: network 1 is none of this machine's IPv4 addresses, 0..0"]);
    expect(warningsOf('', { localAddressCount: 0 })).toEqual([]);
  });
});

describe('environment', () => {
  const text =
    'listen 1935; chunk_size 4096; http_server { listen 80; } vhost a {} vhost __defaultVhost__ { hls { hls_fragment 2; } mw_latency 1; }';

  it('overrides the file, in blocks under whatever name and in the default vhost', () => {
    const env = {
      SRS_LISTEN: ' 1936  127.0.0.1:1937 ',
      SRS_CHUNK_SIZE: '128',
      SRS_HTTP_STREAM_LISTEN: '81',
      SRS_LOG_LEVEL: 'warn',
      SRS_SRS_LOG_FORMAT: 'json',
      SRS_VHOST_HLS_HLS_FRAGMENT: '3',
      SRS_VHOST_PLAY_MW_LATENCY: '20',
      SRS_HTTP_SERVER_HTTPS_LISTEN: '82',
      SRS_VHOST_HLS_HLS_KEYS: 'on',
      SRS_VHOST_DVR_DVR_UPLOAD_BUCKET: 'recordings',
      SRS_VHOST_DVR_DVR_APPLY: 'live/a live/b',
      SRS_VHOST_PLAY_GOP_CACHE: 'off',
      SRS_PID: '',
      PATH: '/bin',
    };
    const { config, warnings } = loadConfig(text, { fileName: 'srs.conf', env });
    expect(warnings).toEqual([]);
    expect(config.listen.map((address) => address.port)).toEqual([1936, 1937]);
    expect([config.chunkSize, config.httpStream.listen.port, config.pid]).toEqual([128, 81, './objs/srs.pid']);
    expect([config.log.level, config.log.format]).toEqual(['warn', 'json']);
    const vhost = config.vhosts.get('__defaultVhost__')!;
    expect([vhost.hls.fragmentMs, vhost.play.mwLatencyMs, vhost.gopCache]).toEqual([3000, 20, false]);
    expect([config.httpStream.https.listen.port, vhost.hls.keys.enabled]).toEqual([82, true]);
    expect([vhost.dvr.upload.bucket, vhost.dvr.apply]).toEqual(['recordings', ['live/a', 'live/b']]);
    expect(config.vhosts.get('a')?.hls.fragmentMs).toBe(10_000);
  });

  it('makes the default vhost if it is missing, and only when a variable is about it', () => {
    const at = (env: Record<string, string>) => [...load('listen 1; vhost a {}', { env }).vhosts.keys()];
    expect(at({ SRS_VHOST_ATC: 'on' })).toEqual(['a', '__defaultVhost__']);
    expect(at({ SRS_LISTEN: '2' })).toEqual(['a']);
  });

  it('an unknown variable is warned about with the nearest name', () => {
    const { warnings } = loadConfig('listen 1; vhost a {}', { fileName: 'srs.conf', env: { SRS_LISTN: '1', SRS_XYZ: '2' } });
    expect(warnings.map(formatProblem)).toEqual([
      'environment variable SRS_LISTN: sets no directive; did you mean SRS_LISTEN?',
      'environment variable SRS_XYZ: sets no directive',
    ]);
  });

  it('a bad value names the variable', () => {
    const run = () => load('listen 1; vhost a {}', { env: { SRS_CHUNK_SIZE: '1' } });
    expect(run).toThrow(ConfigError);
    expect(run).toThrow(/^environment variable SRS_CHUNK_SIZE: chunk_size 1 must be 128\.\.65536 bytes$/);
  });

  it('alone makes a configuration with the default vhost', () => {
    const { config, warnings } = configFromEnv({ SRS_LISTEN: '1935', SRS_DAEMON: 'off' }, { cpuCount: 2 });
    expect(warnings).toEqual([]);
    expect(config.daemon).toBe(false);
    expect([...config.vhosts.keys()]).toEqual(['__defaultVhost__']);
    expect(isSameConfig(config, load('listen 1935; daemon off; vhost __defaultVhost__ {}', { cpuCount: 2 }))).toBe(true);
    expect(() => configFromEnv({})).toThrow('environment: listen is required');
  });
});
