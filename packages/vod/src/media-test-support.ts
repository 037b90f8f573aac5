/** Real recordings, made by FFmpeg: few are encoded, the others have their packets in another form. */
import { copyFileSync, renameSync } from 'node:fs';
import { runForeign } from '../../../test/support/foreign.ts';
import { type ClipName, clip } from '../../../test/support/media.ts';
import type { TestLibrary } from './vod-test-support.ts';

const picture = (seconds: number, rate = '25') => ['-f', 'lavfi', '-i', `testsrc2=size=192x108:rate=${rate}:duration=${seconds}`];
// A rising tone under noise: no two packets are alike.
const tone = "aevalsrc='0.2*sin(2*PI*(220+40*t)*t)+0.02*random(0)':sample_rate";
const sound = (seconds: number, rate = 44_100) => ['-f', 'lavfi', '-i', `${tone}=${rate}:duration=${seconds}`];
const h264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];
const x265 = 'keyint=50:bframes=2:log-level=none';
const hevc = ['-c:v', 'libx265', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-x265-params', x265];
const aac = ['-c:a', 'aac'];
const fragmented = ['-movflags', 'frag_keyframe+empty_moov', '-frag_duration', '500000'];
const oddGroups = ['-force_key_frames', 'expr:if(isnan(prev_forced_t),1,gte(t,prev_forced_t*1.7+0.3))', '-g', '1000'];

interface Recipe {
  /** Files that are made before, in this order the inputs. */
  readonly from?: readonly string[];
  readonly input?: readonly string[];
  readonly output: readonly string[];
}

const copied = (from: string, ...output: readonly string[]): Recipe => ({ from: [from], output: ['-c', 'copy', ...output] });

/** Name to what makes it. */
export const recipes: Readonly<Record<string, Recipe>> = {
  'bframes.nut': { input: [...picture(20), ...sound(20)], output: [...h264, '-bf', '3', '-g', '50', ...aac] },
  'bframes.flv': copied('bframes.nut'),
  'indexed.flv': copied('bframes.nut', '-flvflags', 'add_keyframe_index'),
  'bframes.mp4': copied('bframes.nut'),
  // Offsets of either sign instead of an edit list.
  'negative-offsets.mp4': copied('bframes.nut', '-an', '-movflags', 'negative_cts_offsets'),
  'fragmented.mp4': copied('bframes.nut', ...fragmented),
  'audio-only.mp4': copied('bframes.nut', '-vn'),
  'mp3.mp4': { from: ['bframes.nut'], output: ['-c:v', 'copy', '-c:a', 'libmp3lame'] },
  'late-sound.mp4': {
    from: ['bframes.nut', 'bframes.nut'],
    input: ['-itsoffset', '7.3'],
    output: ['-map', '1:v', '-map', '0:a', '-c', 'copy', '-t', '20'],
  },
  'ntsc.mp4': { input: [...picture(14, '30000/1001'), ...sound(14, 48_000)], output: [...h264, '-bf', '2', '-g', '60', ...aac] },
  'odd-groups.flv': { input: [...picture(20), ...sound(20)], output: [...h264, '-bf', '2', ...oddGroups, ...aac] },
  'no-groups.nut': {
    input: [...picture(40, '20'), ...sound(40)],
    output: [...h264, '-bf', '2', '-g', '5000', '-sc_threshold', '0', ...aac],
  },
  'no-groups.flv': copied('no-groups.nut'),
  'no-groups.mp4': copied('no-groups.nut'),
  // Half a megabyte each.
  'large-pictures.flv': {
    input: ['-f', 'lavfi', '-i', 'testsrc2=size=1280x720:rate=2:duration=13'],
    output: ['-vf', 'noise=alls=60:allf=t', ...h264, '-qp', '20', '-bf', '0', '-g', '2'],
  },
  'hevc.mp4': { input: [...picture(14), ...sound(14)], output: [...hevc, '-tag:v', 'hvc1', ...aac] },
  'mono-22050.flv': { input: sound(14, 22_050), output: [...aac, '-ac', '1'] },
  'vp9.mp4': {
    input: [...picture(0.2), ...sound(0.2, 48_000)],
    output: ['-c:v', 'libvpx-vp9', '-b:v', '100k', '-deadline', 'realtime', '-cpu-used', '8', ...aac],
  },
  'opus.mp4': {
    input: [...picture(0.2), ...sound(0.2, 48_000)],
    output: [...h264, '-strict', '-2', '-c:a', 'libopus', '-b:a', '64k'],
  },
  'faststart.mp4': copied('bframes.mp4', '-movflags', '+faststart'),
};

/** The files of a library, each made when it is first asked for. */
export class TestFiles {
  readonly #library: TestLibrary;
  readonly #made = new Map<string, Promise<string>>();

  constructor(library: TestLibrary) {
    this.#library = library;
  }

  /**
   * @param name of a recipe, or of a clip
   * @returns where the file is
   */
  path(name: string): Promise<string> {
    const path = this.#made.get(name) ?? this.#make(name);
    this.#made.set(name, path);
    return path;
  }

  async #make(name: string): Promise<string> {
    const path = this.#library.path(name);
    const recipe = recipes[name];
    if (recipe === undefined) {
      copyFileSync(await clip(name.replace('.flv', '') as ClipName), path);
      return path;
    }
    const inputs: string[] = [...(recipe.input ?? [])];
    for (const from of recipe.from ?? []) inputs.push('-i', await this.path(from));
    const unfinished = this.#library.path(`tmp-${name}`);
    await runFfmpeg([...inputs, ...recipe.output, unfinished]);
    renameSync(unfinished, path);
    return path;
  }
}

/** It must have nothing to complain about. */
export async function runFfmpeg(args: readonly string[]): Promise<string> {
  const run = await runForeign('ffmpeg', ['-nostdin', '-v', 'warning', '-xerror', '-y', ...args]);
  if (run.code !== 0 || run.stderr !== '') throw new Error(`ffmpeg ${args.join(' ')}: ${run.code} ${run.stderr}`);
  return run.stdout;
}
