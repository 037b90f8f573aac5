/** The log of one process: pino behind the `Log` interface, as classic lines or as JSON, to a file or the console. */
import { type Log, type LogLevel, redact } from '@srs/kernel';
import { type DestinationStream, destination, type Logger, pino } from 'pino';
import { formatClassicLine } from './classic-line.ts';

export interface LogOptions {
  readonly tank: 'console' | 'file';
  /** Lines below it are dropped; `off` is what SRS does with a level it does not know. */
  readonly level: LogLevel | 'off';
  /** Path of the file when `tank` is `file`. */
  readonly file: string;
  readonly format: 'classic' | 'json';
  /** Classic lines bear UTC instead of local time; the JSON ones have a number that is neither. */
  readonly isUtc: boolean;
}

/** Our words in rising order; pino's own numbers, so that tools which read pino's JSON understand it. */
const levelNumbers: Readonly<Record<LogLevel, number>> = { verbose: 10, info: 20, trace: 30, warn: 40, error: 50 };
const levelOfNumber = new Map<number, LogLevel>(
  Object.entries(levelNumbers).map(([level, number]) => [number, level as LogLevel]),
);

type LevelLogger = Logger<'verbose' | 'info' | 'trace' | 'warn' | 'error'>;

export interface ProcessLog {
  /** The logger of the process itself (its main part). */
  readonly log: Log;
  /** Opens the log file again, after somebody renamed it. */
  readonly reopen: () => void;
  /**
   * Follows a reload; what is not different is left alone.
   * @throws the system's error when a new log file cannot be opened: the old one is kept
   */
  readonly configure: (previous: LogOptions, next: LogOptions) => void;
  readonly setLevel: (level: LogLevel | 'off') => void;
  /** Nothing is buffered: after this the file is closed. */
  readonly close: () => void;
}

/** @throws the system's error when the log file cannot be opened */
export function openProcessLog(options: LogOptions, mainCid: number): ProcessLog {
  let outlet = openOutlet(options);
  const logger = pino(
    {
      level: pinoLevel(options.level),
      customLevels: levelNumbers,
      useOnlyCustomLevels: true,
      base: { pid: process.pid },
      timestamp: () => `,"time":${Date.now()}`,
    },
    lineStream((line) => outlet.write(line)),
  ) as unknown as LevelLogger;
  return {
    log: new PinoLog(logger, mainCid),
    reopen: () => outlet.reopen(),
    configure: (previous, next) => {
      // The level that somebody has set by hand holds until the configuration has another one.
      if (next.level !== previous.level) logger.level = pinoLevel(next.level);
      if (!needsOutlet(previous, next)) return;
      const opened = openOutlet(next);
      outlet.close();
      outlet = opened;
    },
    setLevel: (level) => {
      logger.level = pinoLevel(level);
    },
    close: () => outlet.close(),
  };
}

const pinoLevel = (level: LogOptions['level']): string => (level === 'off' ? 'silent' : level);

function needsOutlet(previous: LogOptions, next: LogOptions): boolean {
  return (['tank', 'file', 'format', 'isUtc'] as const).some((property) => previous[property] !== next[property]);
}

/** Where lines go, and in which form. */
interface Outlet {
  write(line: LineFacts): void;
  reopen(): void;
  close(): void;
}

function openOutlet({ tank, file, format, isUtc }: LogOptions): Outlet {
  const isConsole = tank === 'console';
  // Written at once and whole: several processes append to the same file, and the last line before a crash must be there.
  const out = isConsole
    ? destination({ dest: 1, sync: true })
    : destination({ dest: file, sync: true, append: true, mkdir: true, mode: 0o664 });
  // A full disk or a closed terminal must not end the server.
  out.on('error', () => {});
  const useColour = isConsole && process.stdout.isTTY === true;
  return {
    write: (line) => void out.write(format === 'json' ? line.json : classicLine(line, useColour, isUtc)),
    reopen: () => {
      if (!isConsole) out.reopen();
    },
    close: () => {
      if (!isConsole) out.destroy();
    },
  };
}

class PinoLog implements Log {
  readonly cid: number;
  readonly #logger: LevelLogger;

  constructor(logger: LevelLogger, cid: number) {
    this.cid = cid;
    this.#logger = logger;
  }

  verbose(text: string, fields?: object): void {
    this.#logger.verbose({ ...fields, cid: this.cid }, redact(text));
  }

  info(text: string, fields?: object): void {
    this.#logger.info({ ...fields, cid: this.cid }, redact(text));
  }

  trace(text: string, fields?: object): void {
    this.#logger.trace({ ...fields, cid: this.cid }, redact(text));
  }

  warn(text: string, fields?: object): void {
    this.#logger.warn({ ...fields, cid: this.cid }, redact(text));
  }

  error(text: string, fields?: object): void {
    this.#logger.error({ ...fields, cid: this.cid }, redact(text));
  }

  child(cid: number): Log {
    // The id is a field of each line, not a pino child: a level that changes at run time then holds for every connection.
    return new PinoLog(this.#logger, cid);
  }
}

/** What pino tells a destination about the line it is given. */
interface MetadataStream extends DestinationStream {
  lastLevel: number;
  lastMsg: string | undefined;
  lastObj: unknown;
}

/** One line in all forms that an outlet may want. */
interface LineFacts {
  readonly json: string;
  readonly level: LogLevel;
  readonly text: string;
  readonly fields: { readonly cid?: number; readonly errno?: number } | null | undefined;
}

function lineStream(write: (line: LineFacts) => void): DestinationStream {
  const stream: MetadataStream & { [key: symbol]: boolean } = {
    [Symbol.for('pino.metadata')]: true,
    lastLevel: 0,
    lastMsg: undefined,
    lastObj: undefined,
    write(json) {
      write({
        json,
        level: levelOfNumber.get(stream.lastLevel) ?? 'error',
        text: stream.lastMsg ?? '',
        fields: stream.lastObj as LineFacts['fields'],
      });
    },
  };
  return stream;
}

function classicLine({ level, text, fields }: LineFacts, useColour: boolean, isUtc: boolean): string {
  return formatClassicLine({
    level,
    wallMs: Date.now(),
    pid: process.pid,
    cid: fields?.cid ?? 0,
    text,
    errno: Math.abs(fields?.errno ?? 0),
    useColour,
    isUtc,
  });
}
