/** Blocks of a vhost that are about what is made of its streams: HLS, recordings, files, hooks, bandwidth tests. */
import { block, row } from '../field.ts';
import { choice, duration, flag, httpUrlList, integer, maxInt, mountPath, path, secretText } from '../value-type.ts';

const wholeSeconds = (min: number) => duration({ min, max: 604_800, unit: 's', isWhole: true });

export const hls = block(
  'hls',
  {
    enabled: row('enabled', flag, 'off', { doc: 'Write HLS for every stream of the vhost.', live: 'at once' }),
    path: row('hls_path', path, './objs/nginx/html', { doc: 'Files go to the directory `hls_path/app/`.', live: 'at once' }),
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
  },
  { doc: 'HLS output.', live: 'at once', isBuilt: false },
);

/** Unknown text counts as `off`, in SRS and here. */
export const timeJitter = choice(['full', 'zero', 'off'], 'off');

export const dvr = block(
  'dvr',
  {
    enabled: row('enabled', flag, 'off', { doc: 'Record every stream of the vhost.', live: 'at once' }),
    path: row('dvr_path', path, './objs/nginx/html', {
      doc: 'Files are named `dvr_path/app/stream.<unix time in ms>.flv`.',
      live: 'at once',
    }),
    plan: row('dvr_plan', choice(['session', 'segment'], 'session'), 'session', {
      doc: '`session` writes one file for each publish, `segment` a new file after each `dvr_duration`.',
      live: 'at once',
    }),
    durationMs: row('dvr_duration', wholeSeconds(1), '30', { doc: 'Length of a file of the plan `segment`.', live: 'at once' }),
    waitKeyframe: row('dvr_wait_keyframe', flag, 'on', { doc: 'Plan `segment`: cut at key frames only.', live: 'at once' }),
    timeJitter: row('time_jitter', timeJitter, 'full', {
      doc: 'Correction of timestamps before they are recorded.',
      live: 'at once',
    }),
  },
  { doc: 'Recording to FLV files.', live: 'at once', isBuilt: false },
);

export const httpStatic = block(
  'http',
  {
    enabled: row('enabled', flag, 'off', { doc: 'Mount a directory in the HTTP server.', live: 'at once' }),
    mount: row('mount', mountPath, '/', { doc: 'The first part of the URL path.', live: 'at once' }),
    dir: row('dir', path, './objs/nginx/html', { doc: 'The directory that is mounted.', live: 'at once' }),
  },
  { doc: 'Files of this vhost in the HTTP server.', aliases: ['http_static'], live: 'at once', isBuilt: false },
);

export const httpRemux = block(
  'http_remux',
  {
    enabled: row('enabled', flag, 'off', { doc: 'Serve live streams over HTTP.', since: '2.0', live: 'at once' }),
    mount: row('mount', mountPath, '[vhost]/[app]/[stream].flv', {
      doc: 'URL of a stream; the ending chooses the format.',
      since: '2.0',
      live: 'at once',
    }),
    fastCacheMs: row('fast_cache', duration({ min: 0, max: 3600, unit: 's' }), '0', {
      doc: 'Seconds of audio kept for the start of audio-only formats.',
      since: '2.0',
      live: 'at once',
    }),
  },
  { doc: 'Live streams over HTTP-FLV.', since: '2.0', live: 'at once', isBuilt: false },
);

const hook = (name: string, when: string) =>
  row(name, httpUrlList, undefined, { doc: `Called ${when}.`, example: `http://127.0.0.1:8085/api/v1/hooks` });

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
    timeoutMs: row('timeout', duration({ min: 0.1, max: 300, unit: 's' }), '10', {
      doc: 'How long each URL may take for its answer, while the client waits.',
      since: 'new',
    }),
    retries: row('retries', integer({ min: 0, max: 20 }), '3', {
      doc: 'How often on_close, on_unpublish and on_stop are tried again, with growing pauses, at a URL that cannot be reached or is not able to answer.',
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
