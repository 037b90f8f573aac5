/** What is wrong with a configuration: single problems, the list that collects them, and the exception that carries them. */
import { SrsError } from '@srs/kernel';
import { maxProblems } from './limits.ts';

export interface ConfigProblem {
  /** Path of the file as the user gave it, or `environment variable SRS_...`. */
  readonly file: string;
  /** Counted from 1; 0 when the problem belongs to no line (a missing directive, an environment variable). */
  readonly line: number;
  /** The directive with the blocks around it: `vhost demo.srs.com / hls / hls_fragment`; empty for a problem of the language. */
  readonly directive: string;
  /** The text that was refused or changed in meaning, if there is one. */
  readonly value: string | undefined;
  /** What is wrong, without file and line. */
  readonly message: string;
  /** What would be accepted: `128..65536 bytes`. */
  readonly allowed: string | undefined;
  /** The known name that looks most like an unknown one. */
  readonly nearest: string | undefined;
}

export type ConfigErrorName = 'ConfigInvalid' | 'ConfigBlockEnd' | 'ConfigEnd' | 'FileOpen';

/** `FILE:LINE: message`, the form in which editors jump to the place. */
export function formatProblem(problem: ConfigProblem): string {
  const place = problem.line > 0 ? `${problem.file}:${problem.line}` : problem.file;
  return `${place}: ${problem.message}`;
}

/** A configuration that cannot be used. The message has one line for each problem found. */
export class ConfigError extends SrsError {
  readonly problems: readonly ConfigProblem[];

  constructor(
    problems: readonly ConfigProblem[],
    options: { readonly errorName?: ConfigErrorName; readonly cause?: unknown } = {},
  ) {
    super(options.errorName ?? 'ConfigInvalid', problems.map(formatProblem).join('\n'), options);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** Where a problem is; a directive fits. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

export interface ProblemDetails {
  readonly directive?: string;
  readonly value?: string | undefined;
  readonly allowed?: string | undefined;
  readonly nearest?: string | undefined;
}

export function describeProblem(place: Place, message: string, details: ProblemDetails = {}): ConfigProblem {
  return {
    file: place.file,
    line: place.line,
    directive: details.directive ?? '',
    value: details.value,
    message,
    allowed: details.allowed,
    nearest: details.nearest,
  };
}

/** Collects problems up to `maxProblems` and counts the others, so that a file of rubbish gives a bounded answer. */
export class ProblemList {
  readonly #problems: ConfigProblem[] = [];
  #omitted = 0;

  get isFull(): boolean {
    return this.#problems.length >= maxProblems;
  }

  get isEmpty(): boolean {
    return this.#problems.length === 0;
  }

  add(place: Place, message: string, details?: ProblemDetails): void {
    if (this.isFull) this.#omitted++;
    else this.#problems.push(describeProblem(place, message, details));
  }

  /** All that were kept; a last entry tells how many were not. */
  toArray(): readonly ConfigProblem[] {
    const last = this.#problems.at(-1);
    if (last === undefined || this.#omitted === 0) return this.#problems;
    return [...this.#problems, describeProblem({ file: last.file, line: 0 }, `${this.#omitted} more of the kind are not shown`)];
  }
}

const maxShownChars = 80;

/** A value as messages show it: bare when it is a plain word, else quoted, escaped and cut to a bounded length. */
export function showValue(value: string): string {
  const shown = value.length > maxShownChars ? `${value.slice(0, maxShownChars)}...` : value;
  return /^[\x21-\x7e]+$/.test(shown) ? shown : JSON.stringify(shown);
}
