/** `srs-cli top`: looks at the server every second and draws what it sees, until a key or a signal ends it. */
import { constants } from 'node:os';
import type { ServerAddress } from '@srs/config';
import { isColorful, SrsError } from '@srs/kernel';
import picocolors from 'picocolors';
import { BadArguments } from '../cli-commands.ts';
import type { Report } from '../cli-report.ts';
import type { StatusDocument } from '../cli-status.ts';
import type { Colors } from '../cli-table.ts';
import { drawFrame, type Frame, frameText } from './top-frame.ts';
import { type TopClient, type TopSample, type TopStream, type TopWorker, takeSample } from './top-sample.ts';
import { type EndSignal, type TopProcess, TopTerminal } from './top-terminal.ts';
import { firstView, pressKey, type TopKey, type TopView } from './top-view.ts';

const INTERVAL_MS = 1_000;
/** Between two looks at least, however long one takes. */
const MIN_PAUSE_MS = 200;
/** To describe clients costs their workers time: 10,000 of them are asked for every five seconds. */
const PAUSE_MS_PER_CLIENT = 0.5;

export interface TopDocument extends Omit<StatusDocument, 'workers'> {
  readonly workers: readonly TopWorker[];
  readonly streams: readonly TopStream[];
  readonly clients: readonly TopClient[];
}

interface TopOptions {
  readonly api: ServerAddress;
  readonly timeoutMs: number;
}

/** One look with everything, for scripts. */
export async function topOnce({ api, timeoutMs }: TopOptions): Promise<Report<TopDocument>> {
  const sample = await takeSample(api, { timeoutMs, withClients: true });
  const { look, workers, streams, clients } = sample;
  return {
    document: { ...look.status, workers, streams, clients: clients ?? [] },
    text: (colors) => frameText(sample, firstView, colors),
  };
}

/** @returns the exit status: 0, or that of a program ended by a signal. @throws BadArguments without a terminal */
export async function runTop(options: TopOptions, process: TopProcess): Promise<number> {
  const { stdin, stdout, env } = process;
  if (stdin.isTTY !== true || stdout.isTTY !== true) {
    throw new BadArguments('top needs a terminal; top --once prints one frame');
  }
  // Before the terminal is touched, so that a missing master is an ordinary error.
  const first = await takeSample(options.api, { timeoutMs: options.timeoutMs, withClients: false });
  const top = new Top(options, first, process, picocolors.createColors(isColorful(stdout, env)));
  return await top.run();
}

class Top {
  readonly #options: TopOptions;
  readonly #terminal: TopTerminal;
  readonly #colors: Colors;
  /** Resolves when it is over, with the exit status. */
  readonly #end = Promise.withResolvers<number>();
  #isOver = false;
  #view: TopView = firstView;
  #sample: TopSample;
  #frame: Frame | undefined;
  #trouble: string | undefined;
  /** Ends the pause between two looks. */
  #hurry: () => void = () => {};

  constructor(options: TopOptions, first: TopSample, process: TopProcess, colors: Colors) {
    this.#options = options;
    this.#sample = first;
    this.#colors = colors;
    this.#terminal = new TopTerminal(process, {
      onKey: (key) => this.#onKey(key),
      onResize: () => this.#draw(),
      onSignal: (signal) => this.#finish(exitCodeOf(signal)),
    });
  }

  async run(): Promise<number> {
    this.#terminal.open();
    try {
      this.#draw();
      // A look that is under way when it ends is waited for by nobody.
      return await Promise.race([this.#end.promise, this.#lookAgainAndAgain()]);
    } finally {
      this.#terminal.close();
    }
  }

  async #lookAgainAndAgain(): Promise<never> {
    let tookMs = 0;
    for (;;) {
      const clients = this.#sample.clients?.length ?? 0;
      await this.#pause(Math.max(INTERVAL_MS - tookMs, MIN_PAUSE_MS, clients * PAUSE_MS_PER_CLIENT));
      if (this.#isOver) return await new Promise<never>(() => {});
      const startMs = performance.now();
      await this.#look();
      tookMs = performance.now() - startMs;
      this.#draw();
    }
  }

  async #look(): Promise<void> {
    const { api, timeoutMs } = this.#options;
    try {
      const withClients = this.#view.list === 'clients';
      this.#sample = await takeSample(api, { timeoutMs, withClients, previous: this.#sample });
      this.#trouble = undefined;
    } catch (error) {
      if (!(error instanceof SrsError)) throw error;
      this.#trouble = `${error.message}; these are old figures`;
    }
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #onKey(key: TopKey): void {
    const effect = pressKey(this.#view, key, this.#frame?.page ?? 1, this.#frame?.length ?? 0);
    if (effect === 'quit') this.#finish(0);
    else if (effect === 'suspend') this.#terminal.suspend();
    else {
      this.#view = effect;
      this.#draw();
      if (effect.list === 'clients' && this.#sample.clients === null) this.#hurry();
    }
  }

  #draw(): void {
    if (this.#isOver) return;
    this.#frame = drawFrame(this.#sample, {
      view: this.#view,
      height: this.#terminal.height,
      colors: this.#colors,
      trouble: this.#trouble,
    });
    this.#terminal.draw(this.#frame.lines);
  }

  #finish(exitCode: number): void {
    this.#isOver = true;
    this.#hurry();
    this.#end.resolve(exitCode);
  }
}

/** As shells tell it of a program that a signal has ended. */
const exitCodeOf = (signal: EndSignal): number => 128 + constants.signals[signal];
