/** Every foreign publisher and player of the interop tests, by name, behind one interface each. */
import type { ChildProgram } from '../support/child-program.ts';
import { publishWithFfmpeg, recordWithFfmpeg, recordWithRtmpdump, startForeign } from '../support/foreign.ts';
import { type Packets, type ProbedPackets, packetArgs, packetHashes, packetsIn } from '../support/media.ts';

/** Sends a file as fast as the server takes it and ends. */
export type StartPublisher = (file: string, url: string) => Promise<ChildProgram>;

/** An FLV file through one of GStreamer's RTMP sinks, its packets untouched; `pace` is `sync=true` for real time. */
export function gstreamerArgs(
  file: string,
  sink: 'rtmpsink' | 'rtmp2sink',
  url: string,
  pace: 'sync=true' | 'sync=false',
): string[] {
  const remux = ['filesrc', `location=${file}`, '!', 'flvdemux', 'name=d', 'flvmux', 'name=m', 'streamable=true'];
  const video = ['d.video', '!', 'queue', '!', 'h264parse', '!', 'm.'];
  const audio = ['d.audio', '!', 'queue', '!', 'aacparse', '!', 'm.'];
  return ['-q', ...remux, '!', sink, `location=${url}`, pace, ...video, ...audio];
}

export const publishers = {
  ffmpeg: (file, url) => publishWithFfmpeg(file, url, { rounds: 1, isUnpaced: true }),
  // librtmp.
  rtmpsink: (file, url) => startForeign('gst-launch-1.0', gstreamerArgs(file, 'rtmpsink', url, 'sync=false')),
  // GStreamer's own implementation.
  rtmp2sink: (file, url) => startForeign('gst-launch-1.0', gstreamerArgs(file, 'rtmp2sink', url, 'sync=false')),
} as const satisfies Record<string, StartPublisher>;

export type PublisherName = keyof typeof publishers;

interface PlayerKind {
  /** Plays `url`; what arrives goes to `path`, as far as this player writes files. */
  start(url: string, path: string): Promise<ChildProgram>;
  /** What it got, once it has ended. */
  packets(program: ChildProgram, path: string): Promise<Packets>;
}

const sinkTo = (path: string) => ['filesink', `location=${path}`, 'buffer-mode=unbuffered'];

const fromFile: PlayerKind['packets'] = (_, path) => packetHashes(path);

export const players = {
  ffmpeg: { start: (url, path) => recordWithFfmpeg(url, path), packets: fromFile },
  ffprobe: {
    start: (url) => startForeign('ffprobe', ['-v', 'error', '-of', 'json', ...packetArgs, url], { keepStdout: true }),
    packets: async (program) => packetsIn(JSON.parse(program.stdout().toString()) as ProbedPackets),
  },
  rtmpdump: { start: (url, path) => recordWithRtmpdump(url, path), packets: fromFile },
  // An unbuffered sink, so that the file is whole when the pipeline ends with an error instead of an end of stream.
  // librtmp, which asks for a recording unless it is told that this is live.
  rtmpsrc: {
    start: (url, path) => startForeign('gst-launch-1.0', ['-q', '-e', 'rtmpsrc', `location=${url} live=1`, '!', ...sinkTo(path)]),
    packets: fromFile,
  },
  rtmp2src: {
    start: (url, path) => startForeign('gst-launch-1.0', ['-q', '-e', 'rtmp2src', `location=${url}`, '!', ...sinkTo(path)]),
    packets: fromFile,
  },
} as const satisfies Record<string, PlayerKind>;

export type PlayerName = keyof typeof players;

export const playerNames = Object.keys(players) as readonly PlayerName[];
