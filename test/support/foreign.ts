/** Real publishers and players of other projects, as child processes with limits. A test that uses one calls `requires` first. */
import { ChildProgram, type ChildProgramOptions, type FinishedProgram } from './child-program.ts';
import { findProgram, missingNote, type Program } from './programs.ts';

/** No foreign program runs longer, so that a test that fails ends. */
const DEFAULT_LIMIT_MS = 60_000;

/** Starts a foreign program; it is killed after `limitMs` (60 s unless told). */
export async function startForeign(
  program: Program,
  args: readonly string[],
  options: ChildProgramOptions = {},
): Promise<ChildProgram> {
  return await ChildProgram.start(pathOf(program), args, { limitMs: DEFAULT_LIMIT_MS, ...options });
}

/** Runs a foreign program to its end. */
export async function runForeign(
  program: Program,
  args: readonly string[],
  options: ChildProgramOptions = {},
): Promise<FinishedProgram> {
  return await ChildProgram.run(pathOf(program), args, { limitMs: DEFAULT_LIMIT_MS, ...options });
}

function pathOf(program: Program): string {
  const path = findProgram(program);
  if (path === undefined) throw new Error(`${missingNote([program])}; a test that starts it calls requires('${program}') first`);
  return path;
}

const ffmpegQuiet = ['-nostdin', '-hide_banner', '-loglevel', 'info', '-y'];

export interface PublishOptions extends ChildProgramOptions {
  /** Rounds through the file; for ever unless told. */
  readonly rounds?: number;
  /** Send as fast as the connection takes it, instead of in real time. */
  readonly isUnpaced?: boolean;
  /** More output options, before the address. */
  readonly outputArgs?: readonly string[];
}

/** ffmpeg publishes an FLV file in real time, without touching its packets. */
export async function publishWithFfmpeg(file: string, url: string, options: PublishOptions = {}): Promise<ChildProgram> {
  const loop = options.rounds === undefined ? -1 : options.rounds - 1;
  const pace = options.isUnpaced === true ? [] : ['-re'];
  const input = [...pace, '-stream_loop', String(loop), '-i', file];
  return await startForeign(
    'ffmpeg',
    [...ffmpegQuiet, ...input, '-c', 'copy', ...(options.outputArgs ?? []), '-f', 'flv', url],
    options,
  );
}

export interface PlayOptions extends ChildProgramOptions {
  /** End after so much media; without it the player ends with the stream. */
  readonly seconds?: number;
  /** Input options, before the address. */
  readonly inputArgs?: readonly string[];
}

/** ffmpeg plays an address into a file, without touching the packets. The name of the file gives its format. */
export async function recordWithFfmpeg(url: string, file: string, options: PlayOptions = {}): Promise<ChildProgram> {
  const length = options.seconds === undefined ? [] : ['-t', String(options.seconds)];
  // All pictures and sound. Without -map ffmpeg keeps one track of each kind; with all of `0` it stumbles over data tracks.
  const args = [
    ...ffmpegQuiet,
    ...(options.inputArgs ?? []),
    '-i',
    url,
    '-map',
    '0:v?',
    '-map',
    '0:a?',
    '-c',
    'copy',
    ...length,
    file,
  ];
  return await startForeign('ffmpeg', args, options);
}

/** rtmpdump plays an address into an FLV file. */
export async function recordWithRtmpdump(url: string, file: string, options: PlayOptions = {}): Promise<ChildProgram> {
  const length = options.seconds === undefined ? [] : ['--stop', String(options.seconds)];
  return await startForeign('rtmpdump', ['--live', '--rtmp', url, '--flv', file, ...length], options);
}

/** GStreamer publishes an FLV file with rtmp2sink, in real time, without touching its packets. Ends with the file. */
export async function publishWithGstreamer(file: string, url: string, options: ChildProgramOptions = {}): Promise<ChildProgram> {
  const read = ['filesrc', `location=${file}`, '!', 'flvdemux', 'name=d'];
  const write = ['flvmux', 'name=m', 'streamable=true', '!', 'rtmp2sink', `location=${url}`, 'sync=true'];
  const video = ['d.video', '!', 'queue', '!', 'h264parse', '!', 'm.'];
  const audio = ['d.audio', '!', 'queue', '!', 'aacparse', '!', 'm.'];
  return await startForeign('gst-launch-1.0', ['-q', ...read, ...video, ...audio, ...write], options);
}

/** GStreamer plays an address with rtmp2src into an FLV file. */
export async function recordWithGstreamer(url: string, file: string, options: ChildProgramOptions = {}): Promise<ChildProgram> {
  return await startForeign(
    'gst-launch-1.0',
    ['-q', '-e', 'rtmp2src', `location=${url}`, '!', 'filesink', `location=${file}`],
    options,
  );
}

/** What ffprobe says of a file or address, as its JSON: `ffprobe(['-show_streams', file])`. */
export async function ffprobe(args: readonly string[], options: ChildProgramOptions = {}): Promise<unknown> {
  const probe = await runForeign('ffprobe', ['-v', 'error', '-of', 'json', ...args], options);
  if (probe.code !== 0) throw new Error(`ffprobe ${args.join(' ')}: ${probe.stderr}`);
  return JSON.parse(probe.stdout) as unknown;
}
