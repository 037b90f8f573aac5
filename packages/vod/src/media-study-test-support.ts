/** What FFmpeg finds in a recording, and in what is played of it. */
import { readFileSync } from 'node:fs';
import { ffprobe } from '../../../test/support/foreign.ts';
import { runFfmpeg, type TestFiles } from './media-test-support.ts';
import type { TestLibrary } from './vod-test-support.ts';

export type Track = 'video' | 'audio';
export type Tracks<Value> = Readonly<Record<Track, Value>>;

export interface Times {
  readonly ptsMs: number;
  readonly dtsMs: number;
}

interface Probe {
  readonly codecs: Tracks<string | undefined>;
  readonly seconds: number;
  /** As the file says. */
  readonly times: Tracks<readonly Times[]>;
  readonly keyFrames: number;
}

interface Hashes {
  readonly packets: Tracks<readonly string[]>;
  readonly pictures: readonly string[];
}

/** Brings pictures of either container into one form: start codes, without parameter sets, delimiters and remarks. */
const pictureFilters: Readonly<Record<string, string>> = {
  h264: 'filter_units=remove_types=7|8|9',
  hevc: 'filter_units=remove_types=32|33|34|35|39|40',
};

export async function probe(path: string): Promise<Probe> {
  const entries = 'packet=codec_type,pts_time,dts_time,flags:stream=codec_type,codec_name:format=duration';
  const { streams, packets, format } = (await ffprobe(['-show_entries', entries, path])) as {
    streams: { codec_type: string; codec_name: string }[];
    packets: { codec_type: string; pts_time: string; dts_time: string; flags: string }[];
    format: { duration: string };
  };
  const codecOf = (kind: Track) => streams.find(({ codec_type }) => codec_type === kind)?.codec_name;
  const timesOf = (kind: Track) =>
    packets
      .filter(({ codec_type }) => codec_type === kind)
      .map(({ pts_time, dts_time }) => ({ ptsMs: Number(pts_time) * 1000, dtsMs: Number(dts_time) * 1000 }));
  return {
    codecs: { video: codecOf('video'), audio: codecOf('audio') },
    seconds: Number(format.duration),
    times: { video: timesOf('video'), audio: timesOf('audio') },
    keyFrames: packets.filter(({ codec_type, flags }) => codec_type === 'video' && flags.includes('K')).length,
  };
}

export interface Study {
  readonly source: Probe;
  readonly sourceHashes: Hashes;
  /** Where it is. */
  readonly playlist: string;
  readonly playedHashes: Hashes;
  readonly segments: readonly Buffer[];
}

export class MediaStudies {
  readonly #library: TestLibrary;
  readonly #files: TestFiles;
  readonly #decoded: ReadonlySet<string>;
  readonly #studies = new Map<string, Promise<Study>>();

  /** @param decoded files of which the pictures are looked at as well */
  constructor(library: TestLibrary, files: TestFiles, decoded: ReadonlySet<string>) {
    this.#library = library;
    this.#files = files;
    this.#decoded = decoded;
  }

  /** The file and what is played, looked at once for all tests. */
  of(name: string): Promise<Study> {
    const study = this.#studies.get(name) ?? this.#study(name);
    this.#studies.set(name, study);
    return study;
  }

  async #study(name: string): Promise<Study> {
    const path = await this.#files.path(name);
    const source = await probe(path);
    const playlist = await this.#library.writePlaylist(name);
    const inputs = ['-i', path, ...slowStart(name), '-i', playlist];
    const picturesPath = this.#decoded.has(name) ? this.#library.path('pictures.md5') : undefined;
    const [sourceHashes, playedHashes] = await hashesOf(inputs, source.codecs, picturesPath);
    return { source, sourceHashes, playlist, playedHashes, segments: await this.#library.segments(name) };
  }
}

/** FFmpeg looks for each track for five seconds only. */
export function slowStart(name: string): readonly string[] {
  return name.startsWith('late-') ? ['-analyzeduration', '20000000', '-probesize', '100000000'] : [];
}

/**
 * What ffmpeg makes of the packets of two inputs in one go, the file and its playlist, and if that is wanted of their pictures.
 * Whatever the container, pictures are compared behind start codes and sound without heads.
 */
async function hashesOf(
  inputs: readonly string[],
  { video, audio }: Probe['codecs'],
  picturesPath: string | undefined,
): Promise<readonly [source: Hashes, played: Hashes]> {
  const maps: string[] = [];
  const add = (map: string, filter: string | undefined): number => {
    const stream = maps.filter((arg) => arg === '-map').length;
    maps.push('-map', map, ...(filter === undefined ? [] : [`-bsf:${stream}`, filter]));
    return stream;
  };
  const tracks = (input: number, videoFilters: string, audioFilter: string | undefined): Tracks<number | undefined> => ({
    video: video === undefined ? undefined : add(`${input}:v`, videoFilters),
    audio: audio === undefined ? undefined : add(`${input}:a`, audioFilter),
  });
  const filter = pictureFilters[video ?? ''] ?? '';
  const source = tracks(0, `${video}_mp4toannexb,${filter}`, undefined);
  const played = tracks(1, filter, audio === 'aac' ? 'aac_adtstoasc' : undefined);
  const decoding = ['-map', '0:v', '-map', '1:v', '-fps_mode', 'passthrough', '-f', 'framemd5'];
  const pictures = picturesPath === undefined ? [] : [...decoding, picturesPath];
  const rows = rowsOf(await runFfmpeg([...inputs, ...maps, '-c', 'copy', '-f', 'framemd5', '-', ...pictures]));
  const pictureRows = picturesPath === undefined ? [] : rowsOf(readFileSync(picturesPath, 'utf8'));
  const hashes = (streams: Tracks<number | undefined>, input: number): Hashes => ({
    packets: { video: hashesAt(rows, streams.video), audio: hashesAt(rows, streams.audio) },
    pictures: hashesAt(pictureRows, input),
  });
  return [hashes(source, 0), hashes(played, 1)];
}

function hashesAt(rows: readonly (readonly string[])[], stream: number | undefined): readonly string[] {
  return rows.filter(([index]) => Number(index) === stream).map((row) => row[5]!);
}

function rowsOf(frameMd5: string): string[][] {
  const lines = frameMd5.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((line) => line.split(',').map((field) => field.trim()));
}
