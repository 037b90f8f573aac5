/** Pictures that carry their number where a browser can read it, so that the way from the publisher to the screen can be timed. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClipPlayout, FlvClip, RtmpPublisher } from '@srs/client';
import { frameTypes, systemClock } from '@srs/kernel';
import { runForeign } from '../support/foreign.ts';
import type { StartPage } from './browser-test-support.ts';

/*
 *   the picture, 600 x 96: one bar for each bit of its number, the lowest on the left; white is 1
 *   +-----+-----+-----+--- -+------+
 *   |  1  |  2  |  4  | ... | 2048 |
 *   +-----+-----+-----+--- -+------+
 */
const BITS = 12;
const BAR_WIDTH = 50;
const HEIGHT = 96;
const FPS = 25;
/** Longer than a test looks at it. */
const SECONDS = 60;
const AVC_NALU = 1;

let clip: Promise<FlvClip> | undefined;

async function makeClip(): Promise<FlvClip> {
  const directory = mkdtempSync(join(tmpdir(), 'srs-test-'));
  try {
    const file = join(directory, 'numbered.flv');
    const bars = Array.from({ length: BITS }, (_, bit) => {
      const isSet = `gt(mod(floor(n/${2 ** bit})\\,2)\\,0)`;
      return `drawbox=x=${bit * BAR_WIDTH}:y=0:w=${BAR_WIDTH}:h=${HEIGHT}:color=white:t=fill:enable='${isSet}'`;
    });
    const picture = `color=black:size=${BITS * BAR_WIDTH}x${HEIGHT}:rate=${FPS}:duration=${SECONDS},${bars.join(',')}`;
    const sound = `sine=duration=${SECONDS}:sample_rate=44100`;
    const inputs = ['-f', 'lavfi', '-i', picture, '-f', 'lavfi', '-i', sound];
    const h264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-bf', '0', '-g', String(FPS)];
    const end = await runForeign('ffmpeg', ['-nostdin', '-v', 'error', ...inputs, ...h264, '-c:a', 'aac', file]);
    if (end.code !== 0) throw new Error(`ffmpeg: ${end.stderr}`);
    return FlvClip.read(readFileSync(file));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A picture as a browser showed it. */
export interface SeenPicture {
  readonly number: number;
  /** When it was read, as `Date.now()`. */
  readonly wallMs: number;
}

/** Publishes numbered pictures in real time, and remembers when it sent which. */
export class NumberedPublisher {
  readonly #publisher: RtmpPublisher;
  readonly #playout: ClipPlayout;
  readonly #sentMs: number[] = [];

  private constructor(publisher: RtmpPublisher, clipToPlay: FlvClip) {
    this.#publisher = publisher;
    this.#playout = new ClipPlayout(
      clipToPlay,
      {
        write: (type, timestampMs, payload) => {
          if (type === frameTypes.video && payload[1] === AVC_NALU) this.#sentMs.push(Date.now());
          return publisher.write(type, timestampMs, payload);
        },
        drained: () => publisher.drained(),
      },
      systemClock,
    );
  }

  static async start(url: string): Promise<NumberedPublisher> {
    clip ??= makeClip();
    const made = await clip;
    return new NumberedPublisher(await RtmpPublisher.open(url), made);
  }

  /** Milliseconds from the sending of a picture to its being seen. */
  delayOf({ number, wallMs }: SeenPicture): number {
    const sentMs = this.#sentMs[number];
    if (sentMs === undefined) throw new Error(`picture ${number} was seen, but ${this.#sentMs.length} were sent`);
    return wallMs - sentMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#playout.stop();
    await this.#publisher.close();
  }
}

/** The number of the next picture that gets to the screen of the page. */
export async function readPictureNumber(page: StartPage): Promise<SeenPicture> {
  return await page.onVideo<SeenPicture>(
    `(video, bits) => new Promise((resolve) => {
      video.requestVideoFrameCallback(() => {
        const wallMs = Date.now();
        const canvas = document.createElement('canvas');
        canvas.width = video.videoWidth;
        canvas.height = video.videoHeight;
        const context = canvas.getContext('2d');
        context.drawImage(video, 0, 0);
        let number = 0;
        for (let bit = 0; bit < bits; bit++) {
          const x = (bit + 0.5) * canvas.width / bits;
          if (context.getImageData(x, canvas.height / 2, 1, 1).data[0] > 127) number += 2 ** bit;
        }
        resolve({ number, wallMs });
      });
    })`,
    BITS,
  );
}
