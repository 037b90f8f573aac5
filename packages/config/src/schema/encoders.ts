/** Blocks of a vhost that run ffmpeg: ingest and transcode, and the engine both have. */
import { block, many, row } from '../field.ts';
import { ffmpegParams } from '../rule-type.ts';
import { choice, flag, integer, maxInt, path, real, text } from '../value-type.ts';

const count = integer({ min: 0, max: maxInt });

/** The values are not looked into here: which of them an engine needs depends on its codecs, and is told when it starts. */
const engineFields = {
  enabled: row('enabled', flag, 'off', { doc: 'Run this engine.', live: 'at once' }),
  inputFormat: row('iformat', text, 'flv', { doc: 'Format of the input, or `off` to let ffmpeg find out.', live: 'at once' }),
  videoFilters: row('vfilter', ffmpegParams, undefined, {
    doc: 'Each child `name value;` becomes `-name value` after the input.',
    live: 'at once',
    example: "{ i ./doc/ffmpeg-logo.png; filter_complex 'overlay=10:10'; }",
  }),
  videoCodec: row('vcodec', text, undefined, {
    doc: '`libx264`, `copy`, or `vn` for no video.',
    live: 'at once',
    example: 'libx264',
  }),
  videoKbps: row('vbitrate', count, '0', { doc: 'Video bitrate in kbps.', live: 'at once' }),
  videoFps: row('vfps', real({ min: 0, max: 1000 }), '0', { doc: 'Frames per second.', live: 'at once' }),
  videoWidth: row('vwidth', count, '0', { doc: 'Width in pixels, rounded down to an even number.', live: 'at once' }),
  videoHeight: row('vheight', count, '0', { doc: 'Height in pixels, rounded down to an even number.', live: 'at once' }),
  videoThreads: row('vthreads', count, '0', { doc: 'Threads of the video encoder.', live: 'at once' }),
  videoProfile: row('vprofile', text, undefined, { doc: 'Profile of the video encoder.', live: 'at once', example: 'main' }),
  videoPreset: row('vpreset', text, undefined, { doc: 'Preset of the video encoder.', live: 'at once', example: 'medium' }),
  videoParams: row('vparams', ffmpegParams, undefined, {
    doc: 'More video parameters, as in `vfilter`.',
    live: 'at once',
    example: '{ g 100; }',
  }),
  audioCodec: row('acodec', text, undefined, {
    doc: 'An AAC encoder, `copy`, or `an` for no audio.',
    live: 'at once',
    example: 'aac',
  }),
  audioKbps: row('abitrate', count, '0', { doc: 'Audio bitrate in kbps.', live: 'at once' }),
  audioSampleRate: row('asample_rate', count, '0', { doc: 'Audio samples per second.', live: 'at once' }),
  audioChannels: row('achannels', count, '0', { doc: 'Audio channels, 1 or 2.', live: 'at once' }),
  audioParams: row('aparams', ffmpegParams, undefined, {
    doc: 'More audio parameters, as in `vfilter`.',
    live: 'at once',
    example: '{ profile:a aac_low; }',
  }),
  outputFormat: row('oformat', text, 'flv', { doc: 'Format of the output, or `off` to let ffmpeg choose.', live: 'at once' }),
  output: row('output', text, undefined, {
    doc: 'URL of the output, with the variables [vhost] [port] [app] [stream] [engine]; for ingest [vhost] and [port] only.',
    live: 'at once',
    example: 'rtmp://127.0.0.1:[port]/[app]?vhost=[vhost]/[stream]_[engine]',
  }),
};

export const ingest = many(
  'ingest',
  {
    enabled: row('enabled', flag, 'off', { doc: 'Run this ingest.', live: 'at once' }),
    input: block(
      'input',
      {
        type: row('type', choice(['file', 'stream']), 'file', {
          doc: '`file` is read at its natural speed and in a loop; `stream` is any URL ffmpeg can open.',
          live: 'at once',
        }),
        url: row('url', path, undefined, {
          doc: 'Path or URL of the input.',
          live: 'at once',
          example: './doc/source.200kbps.768x320.flv',
        }),
      },
      { doc: 'What is read.', live: 'at once', isLoose: true },
    ),
    ffmpeg: row('ffmpeg', path, undefined, { doc: 'Path of ffmpeg.', live: 'at once', example: '/usr/bin/ffmpeg' }),
    engines: many('engine', engineFields, {
      doc: 'How the input is encoded; without one the streams are copied. One process for each.',
      argument: 'NAME',
      example: 'low',
      sameName: 'allowed',
      isLoose: true,
      live: 'at once',
    }),
  },
  {
    doc: 'Publishes a file or a stream with ffmpeg.',
    argument: 'ID',
    example: 'livestream',
    sameName: 'refused',
    live: 'at once',
    isBuilt: false,
  },
);

export const transcode = many(
  'transcode',
  {
    enabled: row('enabled', flag, 'off', { doc: 'Transcode.', live: 'at once' }),
    ffmpeg: row('ffmpeg', path, undefined, { doc: 'Path of ffmpeg.', live: 'at once', example: '/usr/bin/ffmpeg' }),
    engines: many('engine', engineFields, {
      doc: 'One encoding of the stream; one process for each.',
      argument: 'NAME',
      example: 'low',
      sameName: 'allowed',
      live: 'at once',
    }),
  },
  {
    doc: 'Encodes published streams again with ffmpeg: all streams of the vhost, those of an app, or one (`app/stream`).',
    argument: 'SCOPE',
    example: 'live/livestream',
    sameName: 'first counts',
    live: 'at once',
    isBuilt: false,
  },
);
