/** A terminal that `srs-cli top` takes over, and gives back as it was. */
import { emitKeypressEvents } from 'node:readline';
import type { TopKey } from './top-view.ts';

/** The part of a process that `srs-cli` needs; a view of it that changes itself needs all. */
export interface TopProcess {
  readonly pid: number;
  readonly stdin: NodeJS.ReadableStream & {
    readonly isTTY?: boolean | undefined;
    setRawMode?(isRaw: boolean): unknown;
  };
  readonly stdout: {
    readonly isTTY?: boolean | undefined;
    readonly rows?: number | undefined;
    write(text: string): unknown;
    on(event: 'resize', listener: () => void): unknown;
    off(event: 'resize', listener: () => void): unknown;
  };
  readonly env: NodeJS.ProcessEnv;
  on(event: TopSignal, listener: () => void): unknown;
  off(event: TopSignal, listener: () => void): unknown;
  kill(pid: number, signal: 'SIGSTOP'): unknown;
}

type TopSignal = EndSignal | 'SIGCONT' | 'exit';
export type EndSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

const endSignals: readonly EndSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

export interface TerminalListener {
  onKey(key: TopKey): void;
  /** The screen has another size, or has to be drawn anew. */
  onResize(): void;
  onSignal(signal: EndSignal): void;
}

/** Another screen without a cursor, on which long lines are cut off by the terminal itself. */
const TAKE = '\x1b[?1049h\x1b[?25l\x1b[?7l';
const GIVE_BACK = '\x1b[?7h\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const CLEAR_LINE = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';

/** Of a terminal that does not tell. */
const DEFAULT_HEIGHT = 24;

export class TopTerminal {
  readonly #process: TopProcess;
  readonly #listener: TerminalListener;
  readonly #removers: (() => void)[] = [];
  #isTaken = false;

  constructor(process: TopProcess, listener: TerminalListener) {
    this.#process = process;
    this.#listener = listener;
  }

  get height(): number {
    const { rows = 0 } = this.#process.stdout;
    return rows > 0 ? rows : DEFAULT_HEIGHT;
  }

  open(): void {
    const { stdin, stdout } = this.#process;
    emitKeypressEvents(stdin);
    const onKey = (_text: string | undefined, key: TopKey): void => this.#listener.onKey(key);
    stdin.on('keypress', onKey);
    const onResize = (): void => this.#listener.onResize();
    stdout.on('resize', onResize);
    this.#removers.push(
      () => stdin.off('keypress', onKey),
      () => stdout.off('resize', onResize),
    );
    for (const signal of endSignals) this.#listen(signal, () => this.#listener.onSignal(signal));
    // Whatever goes wrong elsewhere, the terminal is left in order.
    this.#listen('exit', () => this.#giveBack());
    this.#listen('SIGCONT', () => {
      this.#take();
      this.#listener.onResize();
    });
    this.#take();
  }

  draw(lines: readonly string[]): void {
    if (!this.#isTaken) return;
    this.#process.stdout.write(`${HOME}${lines.map((line) => `${line}${CLEAR_LINE}`).join('\r\n')}${CLEAR_BELOW}`);
  }

  /** To the shell, until it brings the process back with SIGCONT. */
  suspend(): void {
    this.#giveBack();
    this.#process.kill(this.#process.pid, 'SIGSTOP');
  }

  close(): void {
    for (const remove of this.#removers.splice(0)) remove();
    this.#giveBack();
  }

  #listen(event: TopSignal, listener: () => void): void {
    this.#process.on(event, listener);
    this.#removers.push(() => this.#process.off(event, listener));
  }

  #take(): void {
    if (this.#isTaken) return;
    this.#isTaken = true;
    const { stdin, stdout } = this.#process;
    stdin.setRawMode?.(true);
    stdin.resume();
    stdout.write(TAKE);
  }

  #giveBack(): void {
    if (!this.#isTaken) return;
    this.#isTaken = false;
    const { stdin, stdout } = this.#process;
    stdin.setRawMode?.(false);
    stdin.pause();
    stdout.write(GIVE_BACK);
  }
}
