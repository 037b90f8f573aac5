/** The log as the pure packages see it; a process gives the real one. */

/**
 * One logger speaks for one connection, stream or process part and puts its trackable id into every line. `trace` is what SRS
 * prints by default; `fields` are extra values for the JSON form.
 */
export interface Log {
  /** The trackable id of the connection or part that speaks. */
  readonly cid: number;
  verbose(text: string, fields?: object): void;
  info(text: string, fields?: object): void;
  trace(text: string, fields?: object): void;
  warn(text: string, fields?: object): void;
  error(text: string, fields?: object): void;
  /** A logger for another trackable id that writes to the same place. */
  child(cid: number): Log;
}

export const logLevels = ['verbose', 'info', 'trace', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/** A log that keeps nothing. */
export const silentLog: Log = {
  cid: 0,
  verbose: () => {},
  info: () => {},
  trace: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLog,
};

export interface LogLine {
  readonly level: LogLevel;
  readonly cid: number;
  readonly text: string;
}

/** A log that keeps its lines in memory, for tests. */
export function memoryLog(lines: LogLine[] = [], cid = 0): Log & { readonly lines: readonly LogLine[] } {
  const at = (level: LogLevel) => (text: string) => {
    lines.push({ level, cid, text });
  };
  return {
    cid,
    lines,
    verbose: at('verbose'),
    info: at('info'),
    trace: at('trace'),
    warn: at('warn'),
    error: at('error'),
    child: (childCid) => memoryLog(lines, childCid),
  };
}
