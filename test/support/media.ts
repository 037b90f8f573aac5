/** Clips to publish, and the proof that what a player got is a contiguous part of what was published. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { ffprobe, runForeign } from './foreign.ts';

const FPS = 25;
const picture = (seconds: number) => ['-f', 'lavfi', '-i', `testsrc2=size=320x180:rate=${FPS}:duration=${seconds}`];
// A rising tone under noise: no two packets are alike, so a packet's hash tells its place.
const tone = "aevalsrc='0.2*sin(2*PI*(220+40*t)*t)+0.02*random(0)':sample_rate=44100";
const sound = (seconds: number) => ['-f', 'lavfi', '-i', `${tone}:duration=${seconds}`];
const h264 = (gopFrames: number, ...more: string[]) => {
  const gop = ['-g', String(gopFrames), '-keyint_min', String(gopFrames), '-sc_threshold', '0'];
  return ['-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p', '-b:v', '300k', ...gop, ...more];
};
const noReordering = ['-bf', '0'];
const aac = ['-c:a', 'aac', '-b:a', '64k', '-ac', '2'];
const mp3 = ['-c:a', 'libmp3lame', '-b:a', '64k', '-ac', '2'];
const x265 = `keyint=${FPS}:bframes=0:log-level=none`;
const hevc = ['-c:v', 'libx265', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-b:v', '300k', '-x265-params', x265];

/** All are FLV of 10 s (long-gop: 20 s), 320x180, 25 frames a second, a key frame each second, about 400 kbps. */
const recipes = {
  'h264-aac': [...picture(10), ...sound(10), ...h264(FPS, ...noReordering), ...aac],
  /** With B-frames: composition times differ from decoding times. */
  'h264-bframes-aac': [...picture(10), ...sound(10), ...h264(FPS, '-bf', '2'), ...aac],
  'h264-mp3': [...picture(10), ...sound(10), ...h264(FPS, ...noReordering), ...mp3],
  'h264-only': [...picture(10), ...h264(FPS, ...noReordering)],
  'aac-only': [...sound(10), ...aac],
  'mp3-only': [...sound(10), ...mp3],
  /** A key frame every 10 s. */
  'long-gop': [...picture(20), ...sound(20), ...h264(10 * FPS, ...noReordering), ...aac],
  /** Enhanced RTMP. ffmpeg writes it since version 6.1: see `canMakeClip`. */
  'hevc-aac': [...picture(10), ...sound(10), ...hevc, ...aac],
} as const satisfies Record<string, readonly string[]>;

export type ClipName = keyof typeof recipes;

const cache = join(tmpdir(), `srs-test-clips-${userInfo().uid}`);
const made = new Map<ClipName, Promise<string>>();

/** The path of a clip, made by the local ffmpeg on first use and kept for later runs. */
export function clip(name: ClipName): Promise<string> {
  let path = made.get(name);
  if (path === undefined) {
    path = makeClip(name);
    made.set(name, path);
  }
  return path;
}

/** Whether the local ffmpeg can make the clip; false says why in `note`, fit for `context.skip(!can, note)`. */
export async function canMakeClip(name: ClipName): Promise<{ readonly can: boolean; readonly note: string }> {
  try {
    await clip(name);
    return { can: true, note: '' };
  } catch (thrown) {
    return {
      can: false,
      note: `the local ffmpeg cannot make the clip ${name}: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
    };
  }
}

async function makeClip(name: ClipName): Promise<string> {
  const recipe = recipes[name];
  // Another recipe is another file, so nobody ever has to clear the cache.
  const path = join(cache, `${name}-${createHash('sha256').update(recipe.join(' ')).digest('hex').slice(0, 8)}.flv`);
  if (existsSync(path)) return path;
  mkdirSync(cache, { recursive: true });
  const unfinished = join(cache, `${process.pid}-${name}.flv`);
  const end = await runForeign('ffmpeg', [
    '-nostdin',
    '-v',
    'error',
    '-y',
    ...recipe,
    '-flags',
    '+bitexact',
    '-fflags',
    '+bitexact',
    unfinished,
  ]);
  if (end.code !== 0) {
    rmSync(unfinished, { force: true });
    throw new Error(end.stderr.split('\n')[0] ?? '');
  }
  // Renamed when whole: test files that run side by side see all of it or nothing.
  renameSync(unfinished, path);
  return path;
}

export interface Packet {
  readonly hash: string;
  readonly isKeyFrame: boolean;
  readonly ptsMs: number;
  readonly dtsMs: number;
  readonly sizeBytes: number;
}

/** The packets of a file by kind, in the order of the file. */
export interface Packets {
  readonly video: readonly Packet[];
  readonly audio: readonly Packet[];
}

interface ProbedPacket {
  readonly codec_type: string;
  readonly pts_time?: string;
  readonly dts_time?: string;
  readonly size: string;
  readonly flags: string;
  readonly data_hash: string;
}

export interface ProbedPackets {
  readonly packets: readonly ProbedPacket[];
}

/** Hash, times and key-frame mark of every packet of a media file, by ffprobe. */
export async function packetHashes(file: string): Promise<Packets> {
  return packetsIn((await ffprobe([...packetArgs, file])) as ProbedPackets);
}

/** The arguments with which ffprobe prints what `packetsIn` takes. */
export const packetArgs = ['-show_packets', '-show_data_hash', 'MD5'] as const;

/** Takes apart what ffprobe has printed, as its JSON, for `packetArgs`. */
export function packetsIn(probed: ProbedPackets): Packets {
  const of = (kind: string): Packet[] =>
    probed.packets
      .filter((packet) => packet.codec_type === kind)
      .map((packet) => ({
        hash: packet.data_hash,
        isKeyFrame: packet.flags.includes('K'),
        ptsMs: Math.round(Number(packet.pts_time ?? packet.dts_time ?? 0) * 1000),
        dtsMs: Math.round(Number(packet.dts_time ?? packet.pts_time ?? 0) * 1000),
        sizeBytes: Number(packet.size),
      }));
  return { video: of('video'), audio: of('audio') };
}

export interface PartOptions {
  /** The publisher sends its file again and again: after the last packet comes the first. */
  readonly isLooped?: boolean;
  /** The player may begin anywhere; by default its video begins at a key frame. */
  readonly mayStartAnywhere?: boolean;
}

export interface PartResult {
  readonly isPart: boolean;
  /** The first difference, readable; empty when it is a part. */
  readonly difference: string;
  /** Where in the publisher's list the player's begins; -1 when nowhere. */
  readonly firstIndex: number;
}

/**
 * Whether the player's packets of one kind are a contiguous part of the publisher's: it may begin later and end earlier, but
 * inside nothing is lost, doubled, reordered or changed.
 */
export function isContiguousPart(player: readonly Packet[], publisher: readonly Packet[], options: PartOptions = {}): PartResult {
  const not = (difference: string, firstIndex = -1): PartResult => ({ isPart: false, difference, firstIndex });
  const first = player[0];
  if (first === undefined) return not('the player got no packet');
  const starts = publisher.flatMap((packet, index) => (packet.hash === first.hash ? [index] : []));
  if (starts.length === 0) return not(`the player's first packet (${describe(first)}) was never published`);

  // Equal packets can stand in several places; the longest match is the place that is meant.
  const at = (index: number) => publisher[options.isLooped === true ? index % publisher.length : index];
  let start = -1;
  let length = 0;
  for (const candidate of starts) {
    let matched = 0;
    while (matched < player.length && player[matched]!.hash === at(candidate + matched)?.hash) matched++;
    if (matched > length) {
      start = candidate;
      length = matched;
    }
  }
  if (length < player.length) return not(describeDifference(player, publisher, length, at(start + length), options), start);
  if (options.mayStartAnywhere !== true && !first.isKeyFrame)
    return not(`the player's first packet (${describe(first)}) is no key frame`, start);
  return { isPart: true, difference: '', firstIndex: start };
}

/**
 * Holds all tracks of a player to `isContiguousPart`. A track that was published and did not arrive is a difference.
 *
 * @throws Error that names the track and the first difference
 */
export function expectContiguousPart(player: Packets, publisher: Packets, options: PartOptions = {}): void {
  for (const kind of ['video', 'audio'] as const) {
    if (player[kind].length === 0 && publisher[kind].length === 0) continue;
    const result = isContiguousPart(player[kind], publisher[kind], options);
    if (!result.isPart) throw new Error(`${kind}: ${result.difference}`);
  }
}

function describe(packet: Packet): string {
  return `${packet.sizeBytes} bytes at ${packet.dtsMs} ms${packet.isKeyFrame ? ', key frame' : ''}`;
}

function describeDifference(
  player: readonly Packet[],
  publisher: readonly Packet[],
  index: number,
  expected: Packet | undefined,
  options: PartOptions,
): string {
  const got = player[index]!;
  const where = `packet ${index} of the player (${describe(got)})`;
  if (expected === undefined) return `${where} comes after the publisher's last of ${publisher.length} packets`;
  if (player[index - 1]!.hash === got.hash) return `${where} is the one before it again`;
  const from = publisher.indexOf(expected);
  const ahead = publisher.findIndex((packet, at) => at > from && packet.hash === got.hash);
  const wrapped = ahead < 0 && options.isLooped === true ? publisher.findIndex((packet) => packet.hash === got.hash) : -1;
  if (ahead >= 0) return `${where} skips ${ahead - from} published packets, the first of them ${from} (${describe(expected)})`;
  if (wrapped >= 0 && wrapped < from) {
    return `${where} skips ${publisher.length - from + wrapped} published packets, the first of them ${from} (${describe(expected)})`;
  }
  const behind = publisher.findIndex((packet) => packet.hash === got.hash);
  if (behind >= 0)
    return `${where} is published packet ${behind}, which came before; expected was ${from} (${describe(expected)})`;
  return `${where} was never published; expected was packet ${from} (${describe(expected)})`;
}
