import { describe, expect, it } from 'vitest';
import { maxProblems } from './limits.ts';
import { loadConfig } from './load.ts';
import { ConfigError, formatProblem } from './problem.ts';

const facts = { fileName: 'srs.conf', openFilesLimit: 4096, localAddressCount: 2 };

function errorsOf(text: string): readonly string[] {
  try {
    loadConfig(text, facts);
  } catch (thrown) {
    if (thrown instanceof ConfigError) return thrown.problems.map(formatProblem);
    throw thrown;
  }
  return [];
}

/** Text after `listen 1935;` on line 1. */
const root = (text: string) => `listen 1935;\n${text}`;
/** Text inside a vhost, on line 2. */
const vhost = (text: string) => `listen 1935; vhost a.com {\n${text}\n}`;

const port = 'a port (1..65535), ip:port or [ipv6]:port';
const server = 'host, host:port or [ipv6]:port';
const destination =
  'host, host:port, [ipv6]:port, or rtmp://host[:port]/app/stream, the same with rtmps, with the variables [vhost] [app] [stream] [param]';

const clock = '[2006] [01] [02] [15] [04] [05] [999]';
const sequence = 'must be a relative path without .., with [seq] or [timestamp] or [15] [04] [05]';
const mount = 'must be a path that begins with / or [vhost], has [stream], and ends in .flv, .ts, .aac or .mp3';

const elsewhere =
  'of stream_caster is another server; a caster publishes into this one: rtmp://127.0.0.1/APP/STREAM, or with the name of a vhost, or [vhost], for 127.0.0.1 (forward hands streams on)';

const cases: readonly (readonly [name: string, text: string, message: string])[] = [
  ['empty file', '', 'srs.conf: the configuration has no directive, it needs at least listen'],
  ['comment only', '# listen 1935;', 'srs.conf: the configuration has no directive, it needs at least listen'],
  // Names, at every level SRS checks.
  ['unknown at root', root('listne 1;'), 'srs.conf:2: unknown directive listne; did you mean listen?'],
  ['unknown without a near name', root('qwertzuiop 1;'), 'srs.conf:2: unknown directive qwertzuiop'],
  ['unknown with an odd name', root('"a b" 1;'), 'srs.conf:2: unknown directive "a b"'],
  ['names are case-sensitive', root('Daemon off;'), 'srs.conf:2: unknown directive Daemon; did you mean daemon?'],
  [
    'unknown in http_api',
    root('http_api { lissten 1; }'),
    'srs.conf:2: unknown directive lissten in http_api; did you mean listen?',
  ],
  ['unknown in http_stream', root('http_stream { root x; }'), 'srs.conf:2: unknown directive root in http_stream'],
  ['unknown in heartbeat', root('heartbeat { uri x; }'), 'srs.conf:2: unknown directive uri in heartbeat; did you mean url?'],
  ['unknown in stats', root('stats { disc a; }'), 'srs.conf:2: unknown directive disc in stats; did you mean disk?'],
  [
    'unknown in pithy_print',
    root('pithy_print { plays 1; }'),
    'srs.conf:2: unknown directive plays in pithy_print; did you mean play?',
  ],
  ['unknown in vhost', vhost('gop_cahe on;'), 'srs.conf:2: unknown directive gop_cahe in vhost a.com; did you mean gop_cache?'],
  [
    'unknown in dvr',
    vhost('dvr { dvr_plans x; }'),
    'srs.conf:2: unknown directive dvr_plans in vhost a.com / dvr; did you mean dvr_plan?',
  ],
  ['unknown in ingest', vhost('ingest i { outputs x; }'), 'srs.conf:2: unknown directive outputs in vhost a.com / ingest i'],
  ['unknown in http', vhost('http { mnt /; }'), 'srs.conf:2: unknown directive mnt in vhost a.com / http'],
  ['unknown in hls', vhost('hls { fragment 1; }'), 'srs.conf:2: unknown directive fragment in vhost a.com / hls'],
  [
    'unknown in http_hooks',
    vhost('http_hooks { on_pubish http://a/; }'),
    'srs.conf:2: unknown directive on_pubish in vhost a.com / http_hooks; did you mean on_publish?',
  ],
  [
    'unknown in an engine of transcode',
    vhost('transcode { engine x { vbitrat 1; } }'),
    'srs.conf:2: unknown directive vbitrat in vhost a.com / transcode / engine x; did you mean vbitrate?',
  ],
  [
    'unknown in bandcheck',
    vhost('bandcheck { kee 1; }'),
    'srs.conf:2: unknown directive kee in vhost a.com / bandcheck; did you mean key?',
  ],
  ['vhost directive at root', root('hls { }'), 'srs.conf:2: unknown directive hls'],
  ['root directive in vhost', vhost('max_connections 1;'), 'srs.conf:2: unknown directive max_connections in vhost a.com'],
  ['object names are no directives', root('__proto__ 1;'), 'srs.conf:2: unknown directive __proto__'],
  // Shape.
  ['block for a plain directive', root('pid {}'), 'srs.conf:2: pid takes no { block }; is a ; missing before the {?'],
  [
    'missing semicolon before vhost',
    root('daemon off\nvhost a {}'),
    'srs.conf:2: daemon takes no { block }; is a ; missing before the {?',
  ],
  [
    'two names of one block',
    root('http_stream { }\nhttp_server { }'),
    'srs.conf:3: http_server and http_stream in line 2 are two names of the same; keep one',
  ],
  [
    'same ingest twice',
    vhost('ingest a {}\ningest b {}\ningest a {}'),
    'srs.conf:4: ingest a is given twice, first in line 2; give each a name of its own',
  ],
  [
    'unnamed ingest twice',
    vhost('ingest {} ingest {}'),
    'srs.conf:2: ingest is given twice, first in line 2; give each a name of its own',
  ],
  [
    'vhost without a name',
    root('vhost { }'),
    'srs.conf:2: vhost without a name must have a name of at most 253 letters, digits or other signs without blanks and /',
  ],
  [
    'vhost with a slash',
    root('vhost a/b { }'),
    'srs.conf:2: vhost a/b must have a name of at most 253 letters, digits or other signs without blanks and /',
  ],
  // listen
  [
    'no listen',
    'daemon off;',
    'srs.conf: listen is required, for example: listen 1935; (or the environment variable SRS_LISTEN)',
  ],
  [
    'listen without a port',
    '\nlisten;',
    'srs.conf:2: listen is required, for example: listen 1935; (or the environment variable SRS_LISTEN)',
  ],
  ['listen 0', 'listen 0;', `srs.conf:1: listen 0 must be ${port}`],
  ['listen negative', 'listen 1935 -1;', `srs.conf:1: listen -1 must be ${port}`],
  ['listen above 65535', 'listen 65536;', `srs.conf:1: listen 65536 must be ${port}`],
  ['listen text', 'listen rtmp;', `srs.conf:1: listen rtmp must be ${port}`],
  ['listen on an address without port', 'listen 127.0.0.1;', `srs.conf:1: listen 127.0.0.1 must be ${port}`],
  ['listen on an address with leading zeros', 'listen 010.0.0.1:1935;', `srs.conf:1: listen 010.0.0.1:1935 must be ${port}`],
  ['listen on a bad address', 'listen 256.0.0.1:1935;', `srs.conf:1: listen 256.0.0.1:1935 must be ${port}`],
  ['listen on a host name', 'listen localhost:1935;', `srs.conf:1: listen localhost:1935 must be ${port}`],
  ['listen on bad IPv6', 'listen [1::2::3]:1935;', `srs.conf:1: listen [1::2::3]:1935 must be ${port}`],
  ['listen on IPv6 without brackets', 'listen ::1:1935;', `srs.conf:1: listen ::1:1935 must be ${port}`],
  [
    'missing semicolon after listen',
    'listen 1935\nmax_connections 1000;',
    `srs.conf:1: listen max_connections must be ${port}; is a ; missing before max_connections?`,
  ],
  // Numbers.
  ['max_connections 0', root('max_connections 0;'), 'srs.conf:2: max_connections 0 must be 1 or more'],
  ['max_connections text', root('max_connections many;'), 'srs.conf:2: max_connections many must be 1 or more'],
  [
    'max_connections above the limit of open files',
    root('max_connections 4097;'),
    'srs.conf:2: max_connections 4097 must be 1..4096, as many files as this process may open; ulimit -HSn 4107 raises that',
  ],
  [
    'stream_labels beyond what Prometheus can bear',
    root('exporter { stream_labels 1001; }'),
    'srs.conf:2: stream_labels 1001 must be 0..1000',
  ],
  [
    'a stream_caster whose output is no URL of a stream',
    root('stream_caster { output rtmp://127.0.0.1/live; }'),
    'srs.conf:2: output rtmp://127.0.0.1/live must be rtmp://HOST[:PORT]/APP/STREAM, with the variables [vhost] [app] [stream]',
  ],
  [
    'a stream_caster with a variable that there is not',
    root('stream_caster { output rtmp://127.0.0.1/[app]/[name]; }'),
    'srs.conf:2: output rtmp://127.0.0.1/[app]/[name] must be made with [vhost] [app] [stream]; [name] is none of them',
  ],
  [
    'a stream_caster to another server',
    root('stream_caster { enabled on;\noutput rtmp://origin.test/[app]/[stream]; }'),
    `srs.conf:3: output rtmp://origin.test/[app]/[stream] ${elsewhere}`,
  ],
  [
    'a stream_caster to another port',
    root('stream_caster { enabled on;\noutput rtmp://127.0.0.1:1936/[app]/[stream]; }'),
    `srs.conf:3: output rtmp://127.0.0.1:1936/[app]/[stream] ${elsewhere}`,
  ],
  [
    'a stream_caster of a kind that there is not',
    root('stream_caster { caster flw; }'),
    'srs.conf:2: caster flw must be flv | mpegts_over_udp | gb28181 | rtsp; did you mean flv?',
  ],
  [
    'two stream_casters on one port',
    root('stream_caster { enabled on; }\nstream_caster { enabled on;\nlisten 127.0.0.1:8936; }'),
    'srs.conf:4: stream_caster / listen 127.0.0.1:8936 is the same port as stream_caster / listen 0.0.0.0:8936',
  ],
  [
    'unknown in exporter',
    root('exporter { labels x; }'),
    'srs.conf:2: unknown directive labels in exporter; did you mean label?',
  ],
  ['heartbeat interval 0', root('heartbeat { interval 0; }'), 'srs.conf:2: interval 0 must be 0.1..604800 s'],
  [
    'heartbeat interval that SRS divides by zero for',
    root('heartbeat { interval 0.09; }'),
    'srs.conf:2: interval 0.09 must be 0.1..604800 s',
  ],
  ['stats network negative', root('stats { network -1; }'), 'srs.conf:2: network -1 must be 0 or more'],
  ['http_api listen 0', root('http_api { listen 0; }'), `srs.conf:2: listen 0 must be ${port}`],
  ['http_stream listen negative', root('http_stream { listen -8080; }'), `srs.conf:2: listen -8080 must be ${port}`],
  ['global chunk size too small', root('chunk_size 127;'), 'srs.conf:2: chunk_size 127 must be 128..65536 bytes'],
  ['global chunk size too large', root('chunk_size 65537;'), 'srs.conf:2: chunk_size 65537 must be 128..65536 bytes'],
  ['vhost chunk size', vhost('chunk_size 0;'), 'srs.conf:2: chunk_size 0 must be 128..65536 bytes'],
  ['queue_length 0', vhost('queue_length 0;'), 'srs.conf:2: queue_length 0 must be 1..3600 s'],
  [
    'a number larger than an int',
    root('max_connections 99999999999;'),
    'srs.conf:2: max_connections 99999999999 must be 1 or more',
  ],
  ['a newer number with a tail', root('in_ack_size 5x;'), 'srs.conf:2: in_ack_size 5x must be 0 or more bytes'],
  ['a duration above its limit', vhost('publish { normal_timeout 2h; }'), 'srs.conf:2: normal_timeout 2h must be 1..3600000 ms'],
  [
    'a duration in an unknown unit',
    vhost('publish { normal_timeout 2d; }'),
    'srs.conf:2: normal_timeout 2d must be 1..3600000 ms',
  ],
  ['workers stream 0', root('workers { stream 0; }'), 'srs.conf:2: stream 0 must be auto | 1..256'],
  ['workers back_source 65', root('workers { back_source 65; }'), 'srs.conf:2: back_source 65 must be 1..64'],
  [
    'ring size too small',
    root('ring { initial_size 1k; }'),
    'srs.conf:2: initial_size 1k must be 512k..1g (bytes, or with the unit k, m or g)',
  ],
  [
    'ring size in an unknown unit',
    root('ring { max_size 1t; }'),
    'srs.conf:2: max_size 1t must be 512k..1g (bytes, or with the unit k, m or g)',
  ],
  [
    'ring larger than its limit',
    root('ring { initial_size 128m; }'),
    'srs.conf:2: initial_size is 134217728 bytes, must be at most max_size, 67108864',
  ],
  [
    'ring larger than the memory',
    root('ring { memory 32m; }'),
    'srs.conf:2: max_size is 67108864 bytes, must be at most memory, 33554432',
  ],
  // Words.
  ['workers mode', root('workers { mode multy; }'), 'srs.conf:2: mode multy must be multi | single; did you mean multi?'],
  ['log format', root('srs_log_format xml;'), 'srs.conf:2: srs_log_format xml must be classic | json'],
  ['publish busy', vhost('publish { busy replce; }'), 'srs.conf:2: busy replce must be reject | replace; did you mean replace?'],
  ['ingest type device', vhost('ingest { input { type device; } }'), 'srs.conf:2: type device must be file | stream'],
  ['line end in a path', root('pid "a\nb";'), 'srs.conf:2: pid "a\\nb" must be text without control characters'],
  ['NUL in a path', root('srs_log_file a\0b;'), 'srs.conf:2: srs_log_file "a\\u0000b" must be text without control characters'],
  [
    'hook that is no URL',
    vhost('http_hooks { on_play 127.0.0.1:80; }'),
    'srs.conf:2: on_play 127.0.0.1:80 must be an http:// or https:// URL',
  ],
  ['origin with a bad port', vhost('mode remote; origin a:0;'), `srs.conf:2: origin a:0 must be ${server}`],
  [
    'forward to a URL without a stream',
    vhost('forward rtmp://a/live;'),
    `srs.conf:2: forward rtmp://a/live must be ${destination}`,
  ],
  [
    'edge without origin',
    vhost('mode remote;'),
    'srs.conf:2: vhost a.com is an edge (mode remote) and must have an origin host[:port]',
  ],
  [
    'edge in a cluster block without origin',
    vhost('cluster { mode remote; }'),
    'srs.conf:2: vhost a.com is an edge (mode remote) and must have an origin host[:port]',
  ],
  [
    'registry that is no Redis URL, whose password is not shown',
    vhost('cluster { registry http://u:hidden@a/; }'),
    'srs.conf:2: registry *** must be redis://[[user]:password@]host[:port][/database], or the same with rediss for TLS',
  ],
  [
    'announce of a bad address',
    vhost('cluster { announce a:0; }'),
    'srs.conf:2: announce a:0 must be host, host:port or [ipv6]:port',
  ],
  [
    'coworker of a bad address',
    vhost('cluster { coworkers 10.0.0.1 10.0.0.2:99999; }'),
    'srs.conf:2: coworkers 10.0.0.2:99999 must be host, host:port or [ipv6]:port',
  ],
  [
    'prefix with a blank',
    vhost('cluster { registry_prefix "a b"; }'),
    'srs.conf:2: registry_prefix "a b" must be 1..64 letters, digits and . _ - : { }',
  ],
  ['lease of no time', vhost('cluster { registry_lease 0; }'), 'srs.conf:2: registry_lease 0 must be 1..3600 s'],
  ['on_miss of another word', vhost('cluster { on_miss push; }'), 'srs.conf:2: on_miss push must be pull | redirect'],
  [
    'auth without a key',
    vhost('publish_auth { enabled on; }'),
    'srs.conf:2: publish_auth of vhost a.com is enabled and must have a key or a secret: key KEY; or secret SECRET; (openssl rand -hex 32 makes one)',
  ],
  [
    'a key that is short is not shown',
    vhost('play_auth { enabled on; key hunter2; }'),
    'srs.conf:2: key *** must be 1..16 words of 8..256 letters, digits, _ and -',
  ],
  [
    'a secret with other signs is not shown',
    vhost('play_auth { secret correct/horse/battery; }'),
    'srs.conf:2: secret *** must be 1..16 words of 16..256 letters, digits, _ and -',
  ],
  ['limits below zero', root('limits { players_per_ip -1; }'), 'srs.conf:2: players_per_ip -1 must be 0 or more'],
  [
    'exempt from limits',
    root('limits { exempt 10.0.0.0/8 localhost; }'),
    'srs.conf:2: exempt localhost must be IP addresses or networks (10.0.0.0/8), or none',
  ],
  [
    'security rule',
    vhost('security { allow play 10.0.0.0/33; }'),
    'srs.conf:2: allow "play 10.0.0.0/33" must be play or publish, then all, an IP address or a network (10.0.0.0/8)',
  ],
  // Names of files and URLs.
  [
    'playlist outside of its directory',
    vhost('hls { hls_m3u8_file ../[stream].m3u8; }'),
    'srs.conf:2: hls_m3u8_file ../[stream].m3u8 must be a relative path without .., with [vhost] [app] [stream]',
  ],
  [
    'playlist at an absolute path',
    vhost('hls { hls_m3u8_file /www/[stream].m3u8; }'),
    'srs.conf:2: hls_m3u8_file /www/[stream].m3u8 must be a relative path without .., with [vhost] [app] [stream]',
  ],
  [
    'playlist that is a directory',
    vhost('hls { hls_m3u8_file [stream]/; }'),
    'srs.conf:2: hls_m3u8_file [stream]/ must be a relative path without .., with [vhost] [app] [stream]',
  ],
  [
    'playlist whose name would change',
    vhost('hls { hls_m3u8_file [stream]-[timestamp].m3u8; }'),
    'srs.conf:2: hls_m3u8_file [stream]-[timestamp].m3u8 must be made with [vhost] [app] [stream]; [timestamp] is none of them',
  ],
  [
    'segments of one name',
    vhost('hls { hls_ts_file [app]/[stream].ts; }'),
    `srs.conf:2: hls_ts_file [app]/[stream].ts ${sequence}`,
  ],
  [
    'segments of one name every hour',
    vhost('hls { hls_ts_file [stream]-[04]-[05].ts; }'),
    `srs.conf:2: hls_ts_file [stream]-[04]-[05].ts ${sequence}`,
  ],
  [
    'segments at an absolute path',
    vhost('hls { hls_ts_file /[stream]-[seq].ts; }'),
    `srs.conf:2: hls_ts_file /[stream]-[seq].ts ${sequence}`,
  ],
  [
    'segments outside of their directory',
    vhost('hls { hls_ts_file [app]/../../[stream]-[seq].ts; }'),
    `srs.conf:2: hls_ts_file [app]/../../[stream]-[seq].ts ${sequence}`,
  ],
  [
    'unknown variable in the name of a segment',
    vhost('hls { hls_ts_file [stream]-[seq]-[name].ts; }'),
    `srs.conf:2: hls_ts_file [stream]-[seq]-[name].ts must be made with [vhost] [app] [stream] [seq] [duration] [timestamp] ${clock}; [name] is none of them`,
  ],
  [
    'line end in the name of a segment',
    vhost('hls { hls_ts_file "[stream]\n[seq].ts"; }'),
    'srs.conf:2: hls_ts_file "[stream]\\n[seq].ts" must be text without control characters',
  ],
  [
    'keys outside of their directory',
    vhost('hls { hls_key_file ../[seq].key; }'),
    `srs.conf:2: hls_key_file ../[seq].key ${sequence}`,
  ],
  ['keys of one name', vhost('hls { hls_key_file [stream].key; }'), `srs.conf:2: hls_key_file [stream].key ${sequence}`],
  [
    'a key cannot know how long its segment will be',
    vhost('hls { hls_key_file [stream]-[seq]-[duration].key; }'),
    `srs.conf:2: hls_key_file [stream]-[seq]-[duration].key must be made with [vhost] [app] [stream] [seq] [timestamp] ${clock}; [duration] is none of them`,
  ],
  [
    'unknown variable in the path of a recording',
    vhost('dvr { dvr_path /data/[app]/[2026].flv; }'),
    `srs.conf:2: dvr_path /data/[app]/[2026].flv must be made with [vhost] [app] [stream] [seq] [duration] [timestamp] ${clock}; [2026] is none of them`,
  ],
  ['URL of streams without a stream', vhost('http_remux { mount /live.flv; }'), `srs.conf:2: mount /live.flv ${mount}`],
  [
    'URL of streams in an unknown format',
    vhost('http_remux { mount [vhost]/[app]/[stream].mp4; }'),
    `srs.conf:2: mount [vhost]/[app]/[stream].mp4 ${mount}`,
  ],
  [
    'URL of streams that is no path',
    vhost('http_remux { mount [app]/[stream].flv; }'),
    `srs.conf:2: mount [app]/[stream].flv ${mount}`,
  ],
  [
    'unknown variable in the URL of streams',
    vhost('http_remux { mount /[ap]/[stream].flv; }'),
    'srs.conf:2: mount /[ap]/[stream].flv must be made with [vhost] [app] [stream]; [ap] is none of them',
  ],
  [
    'mount that is no path',
    vhost('http { mount files/; }'),
    'srs.conf:2: mount files/ must be a path that begins with /, or with [vhost]',
  ],
  // Outputs.
  ['hls_td_ratio 0', vhost('hls { hls_td_ratio 0; }'), 'srs.conf:2: hls_td_ratio 0 must be 0.1..100'],
  ['hls_aof_ratio below 1', vhost('hls { hls_aof_ratio 0.9; }'), 'srs.conf:2: hls_aof_ratio 0.9 must be 1..100'],
  ['hls_fragments_per_key 0', vhost('hls { hls_fragments_per_key 0; }'), 'srs.conf:2: hls_fragments_per_key 0 must be 1 or more'],
  ['hls_nb_notify negative', vhost('hls { hls_nb_notify -1; }'), 'srs.conf:2: hls_nb_notify -1 must be 0 or more bytes'],
  ['hls_dispose negative', vhost('hls { hls_dispose -1; }'), 'srs.conf:2: hls_dispose -1 must be 0..604800 s'],
  ['hls_part_duration 10ms', vhost('hls { hls_part_duration 10ms; }'), 'srs.conf:2: hls_part_duration 10ms must be 0.1..5 s'],
  ['hls_format', vhost('hls { hls_format mp4; }'), 'srs.conf:2: hls_format mp4 must be ts | fmp4 | ll; did you mean fmp4?'],
  ['hls_storage', vhost('hls { hls_storage raam; }'), 'srs.conf:2: hls_storage raam must be disk | memory'],
  ['dvr_duration 0', vhost('dvr { dvr_duration 0; }'), 'srs.conf:2: dvr_duration 0 must be 1..604800 s'],
  ['dvr_apply', vhost('dvr { dvr_apply live/a livestream; }'), 'srs.conf:2: dvr_apply livestream must be app/stream, or all'],
  ['dvr_retention in days', vhost('dvr { dvr_retention 7d; }'), 'srs.conf:2: dvr_retention 7d must be 0..315360000 s'],
  ['dvr_disk_high 1', vhost('dvr { dvr_disk_high 1; }'), 'srs.conf:2: dvr_disk_high 1 must be 0 | 50..99 percent'],
  ['dvr_disk_high 100', vhost('dvr { dvr_disk_high 100; }'), 'srs.conf:2: dvr_disk_high 100 must be 0 | 50..99 percent'],
  ['dvr_disk_high 80%', vhost('dvr { dvr_disk_high 80%; }'), 'srs.conf:2: dvr_disk_high 80% must be 0 | 50..99 percent'],
  [
    'bucket with a slash',
    vhost('dvr { dvr_upload { bucket records/2026; } }'),
    'srs.conf:2: bucket records/2026 must be 3..63 small letters, digits, dots and dashes',
  ],
  [
    'endpoint that is no URL',
    vhost('dvr { dvr_upload { endpoint s3.example.com; } }'),
    'srs.conf:2: endpoint s3.example.com must be an http:// or https:// URL',
  ],
  [
    'origin backup without what it needs',
    vhost(
      'hls { enabled on; hls_fragment 0; hls_keys on; hls_format fmp4; hls_wait_keyframe off; hls_ts_file [timestamp].ts;\nhls_origin_backup on; }',
    ),
    [
      'atc on: segments are cut and numbered by the timestamps of the encoder',
      'hls_storage memory: a file would outlive its time',
      'hls_format ts: init segments and parts are numbered by each server',
      'hls_keys off: each server makes keys of its own',
      'hls_ctx off: a session is known to one server only',
      'an hls_fragment of 1 s at least: segments are counted in it',
      'hls_wait_keyframe on: segments begin at key frames',
      'hls_ts_file with [seq]: the number is what both servers know of a segment',
    ]
      .map((need) => `srs.conf:3: hls_origin_backup of vhost a.com needs ${need}`)
      .join('\n'),
  ],
  [
    'upload without anywhere to go',
    vhost('dvr { \ndvr_upload { enabled on; } }'),
    ['endpoint', 'bucket', 'access_key', 'secret_key']
      .map((row) => `srs.conf:3: dvr_upload of vhost a.com is enabled and must have ${row}`)
      .join('\n'),
  ],
  [
    'a secret that is refused is not shown',
    vhost('dvr { dvr_upload { secret_key "hunter2\n"; } }'),
    'srs.conf:2: secret_key *** must be text without control characters',
  ],
  ['on_hls that is no URL', vhost('http_hooks { on_hls /api; }'), 'srs.conf:2: on_hls /api must be an http:// or https:// URL'],
  // Ports.
  [
    'API on the RTMP port',
    root('http_api { enabled on;\nlisten 1935; }'),
    'srs.conf:3: http_api / listen 0.0.0.0:1935 is the same port as listen 0.0.0.0:1935',
  ],
  [
    'metrics on the port of the API',
    'listen 1935;\nhttp_api { enabled on; }\nexporter { enabled on; listen 1985; }\nvhost __defaultVhost__ { }',
    'srs.conf:3: exporter / listen 0.0.0.0:1985 is the same port as http_api / listen 0.0.0.0:1985',
  ],
  [
    'API over TLS on the plain port',
    root('http_api { enabled on; https { enabled on;\nlisten 1985; } }'),
    'srs.conf:3: http_api / https / listen 0.0.0.0:1985 is the same port as http_api / listen 0.0.0.0:1985',
  ],
  [
    'HTTP server over TLS on the port of the API over TLS',
    root(
      'http_api { enabled on; https { enabled on; } }\nhttp_server { enabled on; https { enabled on;\nlisten 127.0.0.1:1990; } }',
    ),
    'srs.conf:4: http_stream / https / listen 127.0.0.1:1990 is the same port as http_api / https / listen 0.0.0.0:1990',
  ],
  [
    'API that asks for credentials and has none',
    root('http_api { enabled on;\nauth { enabled on; username admin; } }'),
    'srs.conf:3: http_api / auth is enabled and must have a username and a password, or a token',
  ],
  [
    'private API on the RTMP port',
    root('private_api { listen 1935; }'),
    'srs.conf:2: private_api / listen 127.0.0.1:1935 is the same port as listen 0.0.0.0:1935',
  ],
];

it('as many connections as files may be open are accepted', () => {
  expect(errorsOf(root('max_connections 4096;'))).toEqual([]);
});

it('a port may be used once for each address and protocol', () => {
  expect(
    errorsOf('listen 1935 [::]:1935; private_api { listen 127.0.0.1:1936; } http_api { enabled on; listen 127.0.0.2:1936; }'),
  ).toEqual([]);
  expect(errorsOf('listen [::]:1935 [::1]:1935;')).toEqual([
    'srs.conf:1: listen [::1]:1935 is the same port as listen [::]:1935',
  ]);
  expect(errorsOf('listen 1935; http_api { enabled off; listen 1935; }')).toEqual([]);
});

describe('configuration errors', () => {
  it.each(cases)('%s', (_name, text, message) => {
    expect(errorsOf(text).join('\n')).toBe(message);
  });

  it('all problems of a file are told: names first, then values, each in the order of the file', () => {
    const text = 'listen 0;\nchunk_size 1;\nfoo;\nvhost a { mode remote; bar;\n hls { baz; } }';
    expect(errorsOf(text)).toEqual([
      'srs.conf:3: unknown directive foo',
      'srs.conf:4: unknown directive bar in vhost a',
      'srs.conf:5: unknown directive baz in vhost a / hls',
      `srs.conf:1: listen 0 must be ${port}`,
      'srs.conf:2: chunk_size 1 must be 128..65536 bytes',
      'srs.conf:4: vhost a is an edge (mode remote) and must have an origin host[:port]',
    ]);
  });

  it('a problem carries its parts', () => {
    const text = vhost('hls { hls_fragment -1; }');
    const thrown = (() => {
      try {
        return loadConfig(text, facts);
      } catch (error) {
        return error;
      }
    })();
    expect(thrown).toBeInstanceOf(ConfigError);
    expect((thrown as ConfigError).code).toBe(1023);
    expect((thrown as ConfigError).problems).toEqual([
      {
        file: 'srs.conf',
        line: 2,
        directive: 'vhost a.com / hls / hls_fragment',
        value: '-1',
        message: 'hls_fragment -1 must be 0..604800 s',
        allowed: '0..604800 s',
        nearest: undefined,
      },
    ]);
  });

  it('rubbish gives a bounded answer', () => {
    const errors = errorsOf('a;\n'.repeat(maxProblems + 50));
    expect(errors).toHaveLength(maxProblems + 1);
    expect(errors.at(-1)).toBe('srs.conf: 51 more of the kind are not shown');
    const [long] = errorsOf(root(`pid "${'\t'.repeat(10_000)}";`));
    expect(long?.length).toBeLessThan(400);
  });
});
