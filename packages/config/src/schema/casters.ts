/** Streams that come in another way than RTMP. */
import { anyHost, listenAddress } from '../address-type.ts';
import { casterOutput } from '../caster-output-type.ts';
import { many, row } from '../field.ts';
import { choice, flag } from '../value-type.ts';

export const streamCasters = many(
  'stream_caster',
  {
    enabled: row('enabled', flag, 'off', { doc: 'Run this caster.', since: '2.0', live: 'at once' }),
    caster: row('caster', choice(['flv', 'mpegts_over_udp', 'gb28181', 'rtsp']), 'flv', {
      doc: 'How streams come in: `flv` takes the body of a POST over HTTP, which may be FLV or MPEG-TS.',
      since: '2.0',
      live: 'at once',
      notBuiltWords: ['mpegts_over_udp', 'gb28181', 'rtsp'],
    }),
    listen: row('listen', listenAddress(anyHost), '8936', { doc: 'Address of the caster.', since: '2.0', live: 'at once' }),
    output: row('output', casterOutput, 'rtmp://127.0.0.1/[app]/[stream]', {
      doc: 'What is published, on this server: app and stream are those of the URL that was posted to, [vhost] is its host. The host is a vhost, or 127.0.0.1 for the default one.',
      since: '2.0',
    }),
  },
  {
    doc: 'Makes a publish of a stream that comes in another way than RTMP. May stand several times.',
    argument: '',
    example: '',
    sameName: 'allowed',
    since: '2.0',
    live: 'at once',
    // The other casters have directives of their own.
    isLoose: true,
  },
);
