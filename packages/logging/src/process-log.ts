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
  readonly setLevel: (level: LogLevel | 'off') => void;
  /** Nothing is buffered: after this the file is closed. */
  readonly close: () => void;
}

/** @throws the system's error when the log file cannot be opened */
export function openProcessLog(options: LogOptions, mainCid: number): ProcessLog {
  const isConsole = options.tank === 'console';
  // Written at once and whole: several processes append to the same file, and the last line before a crash must be there.
  const out = isConsole
    ? destination({ dest: 1, sync: true })
    : destination({ dest: options.file, sync: true, append: true, mkdir: true, mode: 0o664 });
  // A full disk or a closed terminal must not end the server.
  out.on('error', () => {});
  const useColour = isConsole && process.stdout.isTTY === true;
  const stream = options.format === 'json' ? out : classicStream((line) => out.write(line), useColour, options.isUtc);
  const logger = pino(
    {
      level: options.level === 'off' ? 'silent' : options.level,
      customLevels: levelNumbers,
      useOnlyCustomLevels: true,
      base: { pid: process.pid },
      timestamp: () => `,"time":${Date.now()}`,
    },
    stream,
  ) as unknown as LevelLogger;
  return {
    log: new PinoLog(logger, mainCid),
    reopen: () => {
      if (!isConsole) out.reopen();
    },
    setLevel: (level) => {
      logger.level = (level === 'off' ? 'silent' : level) as typeof logger.level;
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

function classicStream(write: (line: string) => void, useColour: boolean, isUtc: boolean): DestinationStream {
  const stream: MetadataStream & { [key: symbol]: boolean } = {
    [Symbol.for('pino.metadata')]: true,
    lastLevel: 0,
    lastMsg: undefined,
    lastObj: undefined,
    write() {
      const fields = stream.lastObj as { readonly cid?: number; readonly errno?: number } | null | undefined;
      write(
        formatClassicLine({
          level: levelOfNumber.get(stream.lastLevel) ?? 'error',
          wallMs: Date.now(),
          pid: process.pid,
          cid: fields?.cid ?? 0,
          text: stream.lastMsg ?? '',
          errno: Math.abs(fields?.errno ?? 0),
          useColour,
          isUtc,
        }),
      );
    },
  };
  return stream;
}
