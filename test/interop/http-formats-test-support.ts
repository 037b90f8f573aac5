/** Viewers of live MPEG-TS that hold every packet to the rules, and what FFmpeg finds in a stream or a file. */
import { EventEmitter } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { accessUnitsOf, TsReader } from '@srs/mpegts';
import { within } from '../support/deadline.ts';
import { runForeign } from '../support/foreign.ts';
import type { Packet } from '../support/media.ts';

const WAIT_LIMIT_MS = 15_000;

export class TsViewer implements Disposable {
  /** Of each picture its decoding time, in ms. */
  readonly picturesMs: number[] = [];
  sounds = 0;
  /** Clock references that are no continuation of the last. */
  breaks = 0;
  /** Of the stream, or its early end. */
  fault: Error | undefined;
  #isLeaving = false;
  readonly #changes = new EventEmitter<{ change: [] }>();
  readonly #close: () => void;
  response: IncomingMessage | undefined;

  readonly #explain: () => string;

  /**
   * @param url of `http:` or `ws:`
   * @param explain what the server said, for a viewer that waits in vain
   */
  constructor(url: string, explain: () => string = () => '') {
    this.#explain = explain;
    const reader = new TsReader({
      onClock: (_pcr, isDiscontinuity) => {
        if (isDiscontinuity) this.breaks += 1;
      },
      onPes: (pes) => {
        for (const unit of accessUnitsOf(pes)) {
          if ('nalUnits' in unit) this.picturesMs.push(Math.round(unit.dts / 90));
          else this.sounds += 1;
        }
      },
    });
    const receive = (bytes: Buffer): void => {
      try {
        if (this.fault === undefined) reader.receive(bytes);
      } catch (error) {
        this.fault = error instanceof Error ? error : new Error(String(error));
      }
      this.#changes.emit('change');
    };
    const end = (): void => {
      if (!this.#isLeaving) this.fault ??= new Error(`the server has ended the connection\n${this.#explain()}`);
      this.#changes.emit('change');
    };
    if (url.startsWith('ws:')) {
      const socket = new WebSocket(url);
      socket.binaryType = 'arraybuffer';
      socket.addEventListener('message', ({ data }) => receive(Buffer.from(data as ArrayBuffer)));
      socket.addEventListener('close', end);
      this.#close = () => socket.close();
    } else {
      const request = get(url, (response) => {
        this.response = response;
        response.on('data', receive);
        response.on('error', () => {});
        if (response.statusCode === 200) response.on('close', end);
        this.#changes.emit('change');
      });
      request.on('error', () => {});
      this.#close = () => request.destroy();
    }
  }

  async waitFor(what: string, probe: () => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => {
      if (probe() || this.fault !== undefined) resolve();
    };
    this.#changes.on('change', look);
    look();
    try {
      await within(
        promise,
        WAIT_LIMIT_MS,
        () => `no ${what}: ${this.picturesMs.length} pictures, ${this.sounds} sounds\n${this.#explain()}`,
      );
    } finally {
      this.#changes.off('change', look);
    }
    if (this.fault !== undefined) throw this.fault;
  }

  [Symbol.dispose](): void {
    this.#isLeaving = true;
    this.#close();
  }
}

/** Whatever the container, pictures come out behind start codes and without what stands in the header, and sound bare. */
const pictures = 'filter_units=remove_types=7|8|9';

/** The packets of an FLV file of H.264, AAC or MP3. */
export async function publishedPackets(file: string): Promise<FfmpegRun> {
  return await runFfmpeg(['-i', file], `h264_mp4toannexb,${pictures}`, undefined);
}

export interface FfmpegRun {
  readonly video: readonly Packet[];
  readonly audio: readonly Packet[];
  /** What it had to complain about. */
  readonly complaints: string;
}

/** What FFmpeg reads and decodes of some seconds; it ends at the first fault. */
export async function playedPackets(url: string, seconds: number): Promise<FfmpegRun> {
  const audio = url.includes('.aac') || url.includes('/aac') ? 'aac_adtstoasc' : undefined;
  return await runFfmpeg(['-analyzeduration', '1000000', '-i', url], pictures, audio, String(seconds));
}

async function runFfmpeg(
  input: readonly string[],
  video: string,
  audio: string | undefined,
  seconds?: string,
): Promise<FfmpegRun> {
  const length = seconds === undefined ? [] : ['-t', seconds];
  const copies = [
    '-map',
    '0:v?',
    '-map',
    '0:a?',
    '-c',
    'copy',
    '-bsf:v',
    video,
    ...(audio === undefined ? [] : ['-bsf:a', audio]),
  ];
  const hashes = [...copies, ...length, '-f', 'framemd5', '-'];
  // Decoded as well, where the input is played: damage shows there.
  const decoded = seconds === undefined ? [] : ['-map', '0', ...length, '-f', 'null', '-'];
  const end = await runForeign('ffmpeg', ['-nostdin', '-v', 'warning', '-xerror', ...input, ...hashes, ...decoded]);
  const kinds = new Map<string, string>();
  for (const [, index, kind] of end.stdout.matchAll(/^#media_type (\d+): (\w+)/gm)) kinds.set(index!, kind!);
  const rows = end.stdout.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const packetsOf = (wanted: string): Packet[] =>
    rows
      .map((row) => row.split(',').map((field) => field.trim()))
      .filter(([index]) => kinds.get(index!) === wanted)
      .map(([, dts, pts, , size, hash]) => ({
        hash: hash!,
        isKeyFrame: false,
        dtsMs: Number(dts),
        ptsMs: Number(pts),
        sizeBytes: Number(size),
      }));
  const complaints = `${end.code === 0 ? '' : `status ${end.code} `}${end.stderr}`;
  return { video: packetsOf('video'), audio: packetsOf('audio'), complaints };
}
