/** Blocks of a vhost that are about what is made of its streams: HLS, recordings, files, hooks, bandwidth tests. */
import { block, group, row } from '../field.ts';
import { keyTemplate, playlistTemplate, recordingPath, segmentTemplate, streamMount } from '../template-type.ts';
import {
  bucketName,
  choice,
  duration,
  flag,
  httpUrl,
  httpUrlList,
  integer,
  integerOrZero,
  maxInt,
  mountPath,
  path,
  real,
  secretText,
  streamList,
  text,
  withFormerWords,
} from '../value-type.ts';

const wholeSeconds = (min: number) => duration({ min, max: 604_800, unit: 's', isWhole: true });

const formerStorage = new Map([
  ['ram', 'memory'],
  // SRS 2 wrote files and kept them in memory as well.
  ['both', 'disk'],
]);

/** The encryption of HLS, whose rows stand among the others. */
const hlsKeys = group({
  enabled: row('hls_keys', flag, 'off', { doc: 'Encrypt the segments with AES-128.', since: '3.0', live: 'at once' }),
  fragmentsPerKey: row('hls_fragments_per_key', integer({ min: 1, max: maxInt }), '5', {
    doc: 'As many segments are encrypted with one key.',
    since: '3.0',
    live: 'at once',
  }),
  keyFile: row('hls_key_file', keyTemplate, '[app]/[stream]-[seq].key', {
    doc: 'Name of a key below `hls_key_file_path`, with the variables of `hls_ts_file` but [duration].',
    since: '3.0',
    live: 'at once',
  }),
  keyFilePath: row('hls_key_file_path', path, './objs/nginx/html', {
    doc: 'Directory of the keys. Whoever can read a key can read its segments.',
    since: '3.0',
    live: 'at once',
  }),
  keyUrl: row('hls_key_url', text, undefined, {
    doc: 'Stands before the name of a key in the playlist, for keys that another server delivers.',
    since: '3.0',
    live: 'at once',
    example: 'https://localhost:8080',
  }),
});

export const hls = block(
  'hls',
  {
    enabled: row('enabled', flag, 'off', { doc: 'Write HLS for every stream of the vhost.', live: 'at once' }),
    path: row('hls_path', path, './objs/nginx/html', {
      doc: 'Directory below which playlists and segments are written.',
      live: 'at once',
    }),
    fragmentMs: row('hls_fragment', wholeSeconds(0), '10', {
      doc: 'Length a segment should have; whole seconds, a fraction is cut off.',
      live: 'at once',
    }),
    windowMs: row('hls_window', wholeSeconds(0), '60', {
      doc: 'How much the playlist lists; whole seconds, a fraction is cut off.',
      live: 'at once',
    }),
    onError: row('hls_on_error', choice(['ignore', 'disconnect', 'continue'], 'disconnect'), 'ignore', {
      doc: 'What media that does not fit into HLS does: `ignore` ends HLS for this publish, `disconnect` closes the publisher, `continue` skips the message where possible.',
    }),
    tdRatio: row('hls_td_ratio', real({ min: 0.1, max: 100 }), '1.0', {
      doc: 'The target duration in the playlist is `hls_fragment` times this, or the longest segment if that is longer.',
      since: '2.0',
      live: 'at once',
    }),
    aofRatio: row('hls_aof_ratio', real({ min: 1, max: 100 }), '2.1', {
      doc: 'A segment that is longer than `hls_fragment` times this ends without waiting for a key frame.',
      since: '2.0',
      live: 'at once',
    }),
    m3u8File: row('hls_m3u8_file', playlistTemplate, '[app]/[stream].m3u8', {
      doc: 'Name of the playlist below `hls_path`, with the variables [vhost] [app] [stream].',
      since: '2.0',
      live: 'at once',
    }),
    tsFile: row('hls_ts_file', segmentTemplate, '[app]/[stream]-[seq].ts', {
      doc: 'Name of a segment below `hls_path`, with the variables [vhost] [app] [stream], [seq] (number in the playlist), [duration] and [timestamp] (milliseconds), and the time of its begin: [2006] year, [01] month, [02] day, [15] hour, [04] minute, [05] second, [999] millisecond.',
      since: '2.0',
      live: 'at once',
    }),
    tsFloor: row('hls_ts_floor', flag, 'off', {
      doc: 'Make [timestamp] in `hls_ts_file` the number of fragments since 1970, the time divided by `hls_fragment`, so that several servers name segments alike.',
      since: '2.0',
      live: 'at once',
    }),
    entryPrefix: row('hls_entry_prefix', text, undefined, {
      doc: 'Stands before the name of a segment in the playlist, for segments that another server delivers.',
      since: '2.0',
      live: 'at once',
      example: 'http://your-server',
    }),
    acodec: row('hls_acodec', choice(['aac', 'mp3', 'an'], 'aac'), 'aac', {
      doc: '`an` leaves the audio out; the others have no effect, for segments announce what the stream has.',
      since: '2.0',
      live: 'at once',
    }),
    vcodec: row('hls_vcodec', choice(['h264', 'h265', 'vn'], 'h264'), 'h264', {
      doc: '`vn` leaves the video out; the others have no effect, for segments announce what the stream has.',
      since: '2.0',
      live: 'at once',
    }),
    cleanup: row('hls_cleanup', flag, 'on', {
      doc: 'Delete the segments that have left the playlist.',
      since: '2.0',
      live: 'at once',
    }),
    disposeMs: row('hls_dispose', duration({ min: 0, max: 604_800, unit: 's' }), '0', {
      doc: 'Delete playlist and segments when a stream has not been published for so long; 0 keeps them, in memory for two minutes. The end of the server removes no file, so that numbers go on when it starts again.',
      since: '2.0',
      live: 'at once',
    }),
    waitKeyframe: row('hls_wait_keyframe', flag, 'on', {
      doc: 'Cut at key frames; `off` cuts at any picture as soon as a segment is long enough.',
      since: '2.0',
      live: 'at once',
    }),
    nbNotify: row('hls_nb_notify', integer({ min: 0, max: maxInt, unit: 'bytes' }), '64', {
      doc: 'How much of an answer to `on_hls_notify` is read.',
      since: '2.0',
      live: 'at once',
    }),
    dtsDirectly: row('hls_dts_directly', flag, 'on', {
      doc: 'Accepted, without effect: segments always have the timestamps of the publisher.',
      since: '3.0',
      live: 'at once',
    }),
    keys: hlsKeys,
    ctx: row('hls_ctx', choice(['auto', 'on', 'off']), 'auto', {
      doc: 'Give each viewer a session, which the API lists and the hooks are told about: the first playlist is then one of playlists. `auto` does so where plays are told to hooks, or held to `security`, `refer`, `play_auth` or `players_per_ip`. The rules count in any case; `off` asks no hook.',
      since: '5.0',
      live: 'at once',
    }),
    tsCtx: row('hls_ts_ctx', flag, 'on', {
      doc: 'Name the session in the addresses of the segments too, so that their bytes are counted for it, and nobody else gets them.',
      since: '5.0',
      live: 'at once',
    }),
    format: row('hls_format', choice(['ts', 'fmp4', 'll']), 'ts', {
      doc: '`ts` makes segments of MPEG-TS, `fmp4` of fragmented MP4, `ll` low-latency HLS with parts of fragmented MP4, which is kept in memory.',
      since: 'new',
      live: 'at once',
    }),
    storage: row('hls_storage', withFormerWords(choice(['disk', 'memory']), formerStorage), 'disk', {
      doc: 'Where playlists and segments are kept. The words of SRS 2 are understood: `ram` for `memory`, `both` for `disk`.',
      since: '2.0',
      live: 'at once',
    }),
    originBackup: row('hls_origin_backup', flag, 'off', {
      doc: 'Make segments whose cuts, numbers and bytes follow from the timestamps of the encoder alone, so that two servers that get the same stream can stand in for each other at any segment. Needs `atc on`, `hls_storage memory`, `hls_format ts`, `hls_ctx off`.',
      since: 'new',
      live: 'at once',
    }),
    partMs: row('hls_part_duration', duration({ min: 0.1, max: 5, unit: 's' }), '0.33', {
      doc: 'Length a part of low-latency HLS should have.',
      since: 'new',
      live: 'at once',
    }),
  },
  { doc: 'HLS output.', live: 'at once' },
);

/** Unknown text counts as `off`, in SRS and here. */
export const timeJitter = choice(['full', 'zero', 'off'], 'off');

const dvrUpload = block(
  'dvr_upload',
  {
    enabled: row('enabled', flag, 'off', {
      doc: 'Copy each complete recording to an object store.',
      since: 'new',
      live: 'at once',
    }),
    endpoint: row('endpoint', httpUrl, undefined, {
      doc: 'Address of the object store.',
      since: 'new',
      live: 'at once',
      example: 'https://s3.us-east-1.amazonaws.com',
    }),
    region: row('region', text, 'us-east-1', { doc: 'Region for the signature.', since: 'new', live: 'at once' }),
    bucket: row('bucket', bucketName, undefined, {
      doc: 'Bucket the recordings go to.',
      since: 'new',
      live: 'at once',
      example: 'recordings',
    }),
    prefix: row('prefix', text, undefined, {
      doc: 'Stands before the name of a recording in the bucket.',
      since: 'new',
      live: 'at once',
      example: 'srs/',
    }),
    accessKey: row('access_key', secretText, undefined, {
      doc: 'Access key of the object store.',
      since: 'new',
      live: 'at once',
      example: 'change-me',
    }),
    secretKey: row('secret_key', secretText, undefined, {
      doc: 'Secret key that goes with it.',
      since: 'new',
      live: 'at once',
      example: 'change-me-too',
    }),
    deleteAfter: row('delete_after', flag, 'off', {
      doc: 'Delete the local file when it has been copied.',
      since: 'new',
      live: 'at once',
    }),
  },
  { doc: 'Recordings in an object store that speaks S3.', since: 'new', live: 'at once' },
);

export const dvr = block(
  'dvr',
  {
    enabled: row('enabled', flag, 'off', { doc: 'Record streams of the vhost.', live: 'at once' }),
    path: row('dvr_path', recordingPath, './objs/nginx/html', {
      doc: 'A directory, whose files are named `[app]/[stream].[timestamp].flv`; or the path of the files, which ends in `.flv` or `.mp4` and may have the variables [vhost] [app] [stream], [timestamp] (of the begin, in milliseconds), and parts of that time: [2006] year, [01] month, [02] day, [15] hour, [04] minute, [05] second, [999] millisecond.',
      live: 'at once',
    }),
    plan: row('dvr_plan', choice(['session', 'segment', 'append'], 'session'), 'session', {
      doc: '`session` writes one file for each publish, `segment` a new file after each `dvr_duration`, `append` goes on with the file that is there.',
      live: 'at once',
    }),
    durationMs: row('dvr_duration', wholeSeconds(1), '30', { doc: 'Length of a file of the plan `segment`.', live: 'at once' }),
    waitKeyframe: row('dvr_wait_keyframe', flag, 'on', { doc: 'Plan `segment`: cut at key frames only.', live: 'at once' }),
    timeJitter: row('time_jitter', timeJitter, 'full', {
      doc: 'Correction of timestamps before they are recorded.',
      live: 'at once',
    }),
    apply: row('dvr_apply', streamList, 'all', {
      doc: 'The streams that are recorded.',
      since: '3.0',
      live: 'at once',
    }),
    retentionMs: row('dvr_retention', duration({ min: 0, max: 315_360_000, unit: 's' }), '0', {
      doc: 'Recordings older than this are deleted; 0 keeps them for ever.',
      since: 'new',
      live: 'at once',
    }),
    diskHighPercent: row('dvr_disk_high', integerOrZero({ min: 50, max: 99, unit: 'percent' }), '0', {
      doc: 'The oldest recordings are deleted while the file system is fuller than this; 0 deletes none.',
      since: 'new',
      live: 'at once',
    }),
    upload: dvrUpload,
  },
  { doc: 'Recording to files.', live: 'at once' },
);

export const httpStatic = block(
  'http',
  {
    enabled: row('enabled', flag, 'off', { doc: 'Mount a directory in the HTTP server.', live: 'at once' }),
    mount: row('mount', mountPath, '/', {
      doc: 'The first part of the URL path; [vhost] before it serves requests for the host of that name only.',
      live: 'at once',
    }),
    dir: row('dir', path, './objs/nginx/html', { doc: 'The directory that is mounted.', live: 'at once' }),
  },
  { doc: 'Files of this vhost in the HTTP server.', aliases: ['http_static'], live: 'at once' },
);

export const httpRemux = block(
  'http_remux',
  {
    enabled: row('enabled', flag, 'off', { doc: 'Serve live streams over HTTP.', since: '2.0', live: 'at once' }),
    mount: row('mount', streamMount, '[vhost]/[app]/[stream].flv', {
      doc: 'URL of a stream, with the variables [vhost] [app] [stream]; the ending chooses the format: one that ends in `.flv` is also for `.ts`, `.aac` and `.mp3`, one of another ending for that alone.',
      since: '2.0',
      live: 'at once',
    }),
    fastCacheMs: row('fast_cache', duration({ min: 0, max: 3600, unit: 's' }), '0', {
      doc: 'Seconds of audio that a listener of `.aac` or `.mp3` gets at once, at most `queue_length` and what the ring of the stream holds.',
      since: '2.0',
      live: 'at once',
    }),
    hasAudio: row('has_audio', flag, 'on', { doc: 'Send audio.', since: '6.0', live: 'at once' }),
    hasVideo: row('has_video', flag, 'on', { doc: 'Send video.', since: '6.0', live: 'at once' }),
    guessHasAv: row('guess_has_av', flag, 'on', {
      doc: 'Let the header of a stream tell of audio and video what the stream has, instead of `has_audio` and `has_video`.',
      since: '6.0',
      live: 'at once',
    }),
    dropIfNotMatch: row('drop_if_not_match', flag, 'on', {
      doc: 'Leave out audio and video that the header has not told of.',
      since: '6.0',
      live: 'at once',
    }),
    hstrs: row('hstrs', flag, 'on', {
      doc: 'Accepted, without effect: an edge always gets a stream when a viewer asks for it.',
      since: '2.0',
      live: 'at once',
    }),
  },
  { doc: 'Live streams over HTTP: FLV, MPEG-TS, AAC and MP3.', since: '2.0', live: 'at once' },
);

const hook = (name: string, when: string, since = '1.0') =>
  row(name, httpUrlList, undefined, { doc: `Called ${when}.`, example: `http://127.0.0.1:8085/api/v1/hooks`, since });

export const hooks = block(
  'http_hooks',
  {
    enabled: row('enabled', flag, 'off', { doc: 'Call the URLs below.' }),
    onConnect: hook('on_connect', 'when a client connects, which it may refuse'),
    onClose: hook('on_close', 'when a client has gone'),
    onPublish: hook('on_publish', 'when a client publishes, which it may refuse'),
    onUnpublish: hook('on_unpublish', 'when a publish has ended'),
    onPlay: hook('on_play', 'when a client plays, which it may refuse'),
    onStop: hook('on_stop', 'when a play has ended'),
    onDvr: hook('on_dvr', 'when a recording is complete', '2.0'),
    onHls: hook('on_hls', 'when a segment of HLS is complete', '2.0'),
    onHlsNotify: row('on_hls_notify', httpUrlList, undefined, {
      doc: 'Called with GET when a segment of HLS is complete; [server_id] [app] [stream] [ts_url] [param] in the URL stand for those of the segment.',
      example: 'http://127.0.0.1:8085/api/v1/hls/[server_id]/[app]/[stream]/[ts_url][param]',
      since: '2.0',
    }),
    timeoutMs: row('timeout', duration({ min: 0.1, max: 300, unit: 's' }), '10', {
      doc: 'How long each URL may take for its answer, while the client waits.',
      since: 'new',
    }),
    retries: row('retries', integer({ min: 0, max: 20 }), '3', {
      doc: 'How often on_close, on_unpublish, on_stop, on_dvr, on_hls and on_hls_notify are tried again, with growing pauses, at a URL that cannot be reached or is not able to answer.',
      since: 'new',
    }),
  },
  { doc: 'HTTP callbacks, one or more URLs for each event.' },
);

export const bandcheck = block(
  'bandcheck',
  {
    enabled: row('enabled', flag, 'off', { doc: 'Serve bandwidth tests on this vhost, and nothing else.' }),
    key: row('key', secretText, undefined, {
      doc: 'Must stand as `key=TEXT` in the URL of the client.',
      example: '35c9b402c12a7246868752e2878f7e0e',
    }),
    intervalMs: row('interval', duration({ min: 0, max: 604_800, unit: 's' }), '30', {
      doc: 'Least time between two tests of the whole server.',
    }),
    limitKbps: row('limit_kbps', integer({ min: 1, max: maxInt, unit: 'kbps' }), '1000', { doc: 'Greatest rate of a test.' }),
  },
  { doc: 'Bandwidth tests by the client.', isBuilt: false },
);
