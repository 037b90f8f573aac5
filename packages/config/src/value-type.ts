/** How the arguments of a directive become a value: the interface, and the plain types (flags, numbers, durations, sizes, words). */

/** What a value type may ask and tell while it reads the arguments of one directive. */
export interface ReadContext {
  readonly name: string;
  readonly defaultText: string | undefined;
  /** The directive is one of SRS 1.0, whose numbers were read as C's `atoi` does: leading digits, the rest ignored. */
  readonly isLenient: boolean;
  readonly cpuCount: number;
  /** The value counts, but not in the way its text suggests. */
  warn(value: string, message: string): void;
  /** The value cannot be used: `NAME VALUE must be ALLOWED`. `known` are the words from which the nearest is named. */
  refuse(value: string, allowed: string, known?: readonly string[]): void;
}

export interface ValueType<T> {
  /** What is accepted, for messages and the reference: `128..65536 bytes`. */
  readonly allowed: string;
  /** Whether more than the first argument is used. */
  readonly takesMany: boolean;
  /** The value of a directive that is not given and has no default. */
  readonly absent: T;
  /** What a text means differs from machine to machine. */
  readonly dependsOnMachine?: boolean;
  /** The value must never be shown: not in messages, nor in a dump of the configuration. */
  readonly isSecret?: boolean;
  /** What may be shown of it in a dump all the same. */
  readonly publicPart?: (text: string) => string;
  /** Children are free `name value;` pairs instead of arguments. */
  readonly isPairs?: boolean;
  /** Children of these names, repeated in any order, are the value; the arguments come as name, arg, arg, ... */
  readonly repeats?: readonly string[];
  /** @returns undefined when the default counts, because the value was refused or is one of the texts that mean the default */
  read(args: readonly string[], context: ReadContext): T | undefined;
}

/** On or off. SRS knows no boolean type: any text but the opposite of the default means the default. */
export const flag: ValueType<boolean> = {
  allowed: 'on | off',
  takesMany: false,
  absent: false,
  read([text = ''], context) {
    if (text === 'on' || text === 'off') return text === 'on';
    context.warn(text, `is neither on nor off, the default counts: ${context.defaultText ?? 'off'}`);
    return undefined;
  },
};

/** One of some words. `otherwise` is what SRS takes any other text for; without it another text is refused. */
export function choice<const W extends string>(words: readonly W[], otherwise?: W): ValueType<W> {
  const allowed = words.join(' | ');
  return {
    allowed,
    takesMany: false,
    absent: words[0]!,
    read([text = ''], context) {
      const word = words.find((known) => known === text);
      if (word !== undefined) return word;
      if (otherwise === undefined) context.refuse(text, allowed, words);
      else context.warn(text, `is not one of ${allowed} and counts as ${otherwise}`);
      return otherwise;
    },
  };
}

/** A type that understands former words too: each counts as the word it has become. */
export function withFormerWords<T>(type: ValueType<T>, former: ReadonlyMap<string, string>): ValueType<T> {
  return {
    ...type,
    read: ([text = ''], context) => type.read([former.get(text) ?? text], context),
  };
}

export interface NumberLimits {
  readonly min: number;
  readonly max: number;
  /** Follows the limits in texts: `bytes`. */
  readonly unit?: string;
}

/** The greatest whole number SRS can hold in its `int`. */
export const maxInt = 0x7fffffff;

function limitText(limits: NumberLimits): string {
  const unit = limits.unit === undefined ? '' : ` ${limits.unit}`;
  if (limits.max === maxInt) return `${limits.min} or more${unit}`;
  return `${limits.min}..${limits.max}${unit}`;
}

function isWithin(value: number, limits: NumberLimits): boolean {
  return value >= limits.min && value <= limits.max;
}

/** What C's `atoi` and `atof` would read, and whether that is the whole text. */
function leadingNumber(text: string, pattern: RegExp): { readonly value: number; readonly isWhole: boolean } {
  const digits = pattern.exec(text)?.[0] ?? '';
  return { value: digits === '' ? 0 : Number(digits), isWhole: digits !== '' && digits.length === text.length };
}

const leadingInteger = /^[+-]?\d+/;
const leadingReal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/;

function readNumber(text: string, pattern: RegExp, limits: NumberLimits, context: ReadContext): number | undefined {
  const { value, isWhole } = leadingNumber(text, pattern);
  if (!isWithin(value, limits) || (!isWhole && !context.isLenient)) {
    context.refuse(text, limitText(limits));
    return undefined;
  }
  if (!isWhole) context.warn(text, `is not a plain number and is read as ${value}`);
  return value;
}

export function integer(limits: NumberLimits): ValueType<number> {
  return {
    allowed: limitText(limits),
    takesMany: false,
    absent: 0,
    read: ([text = ''], context) => readNumber(text, leadingInteger, limits, context),
  };
}

/** 0, which switches something off, or a whole number within the limits. */
export function integerOrZero(limits: NumberLimits): ValueType<number> {
  const allowed = `0 | ${limitText(limits)}`;
  return {
    allowed,
    takesMany: false,
    absent: 0,
    read([text = ''], context) {
      const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
      if (value === 0 || isWithin(value, limits)) return value;
      context.refuse(text, allowed);
      return undefined;
    },
  };
}

export function real(limits: NumberLimits): ValueType<number> {
  return {
    allowed: limitText(limits),
    takesMany: false,
    absent: 0,
    read: ([text = ''], context) => readNumber(text, leadingReal, limits, context),
  };
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const withTimeUnit = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/;

export interface DurationLimits extends NumberLimits {
  /** What a number without a unit counts; `min` and `max` count the same. */
  readonly unit: 'ms' | 's';
  /** SRS cuts the fraction off. */
  readonly isWhole?: boolean;
}

/** A duration, read into milliseconds. `500ms`, `20s`, `5m` and `1h` are understood beside the plain number. */
export function duration(limits: DurationLimits): ValueType<number> {
  const factor = unitMs[limits.unit]!;
  const allowed = `${limits.min}..${limits.max} ${limits.unit}`;
  return {
    allowed,
    takesMany: false,
    absent: 0,
    read([text = ''], context) {
      const [, digits, unit] = withTimeUnit.exec(text) ?? [];
      if (digits === undefined || unit === undefined) {
        const value = readNumber(text, limits.isWhole ? leadingInteger : leadingReal, limits, context);
        return value === undefined ? undefined : Math.round(value * factor);
      }
      const value = (Number(digits) * unitMs[unit]!) / factor;
      const used = limits.isWhole ? Math.trunc(value) : value;
      if (!isWithin(used, limits)) {
        context.refuse(text, allowed);
        return undefined;
      }
      if (used !== value) context.warn(text, `is cut to whole seconds: ${used}`);
      return Math.round(used * factor);
    },
  };
}

const sizeFactors: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** A number of bytes as people write it: 65536, 64k, 2m, 4g, units of 1024. */
function sizeText(bytes: number): string {
  for (const unit of ['g', 'm', 'k']) {
    const factor = sizeFactors[unit]!;
    if (bytes >= factor && bytes % factor === 0) return `${bytes / factor}${unit}`;
  }
  return String(bytes);
}

/** A size, read into bytes; `64k`, `2m`, `4g` count in units of 1024. */
export function size(limits: { readonly min: number; readonly max: number }): ValueType<number> {
  const allowed = `${sizeText(limits.min)}..${sizeText(limits.max)} (bytes, or with the unit k, m or g)`;
  return {
    allowed,
    takesMany: false,
    absent: 0,
    read([text = ''], context) {
      const [, digits, unit] = /^(\d{1,15})([kmg]?)$/i.exec(text) ?? [];
      const bytes = digits === undefined ? Number.NaN : Number(digits) * sizeFactors[unit!.toLowerCase()]!;
      if (isWithin(bytes, limits)) return bytes;
      context.refuse(text, allowed);
      return undefined;
    },
  };
}

/** `auto`, one for each processor core, or a number. */
export function workerCount(max: number): ValueType<number> {
  const allowed = `auto | 1..${max}`;
  return {
    allowed,
    takesMany: false,
    absent: 1,
    dependsOnMachine: true,
    read([text = ''], context) {
      if (text === 'auto') return Math.min(max, Math.max(1, context.cpuCount));
      const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
      if (isWithin(count, { min: 1, max })) return count;
      context.refuse(text, allowed);
      return undefined;
    },
  };
}

// Control characters have no place in a path, an address or a log line, and a NUL would cut a path short.
const controlChars = /\p{Cc}/u;

/** Whether a text may become part of paths, command arguments, log lines and headers. */
export function isPrintable(text: string): boolean {
  return !controlChars.test(text);
}

function textOf(allowed: string, isAllowed: (text: string) => boolean): ValueType<string> {
  return {
    allowed,
    takesMany: false,
    absent: '',
    read([text = ''], context) {
      if (isPrintable(text) && isAllowed(text)) return text;
      context.refuse(text, isPrintable(text) ? allowed : 'text without control characters');
      return undefined;
    },
  };
}

export const text: ValueType<string> = textOf('text', () => true);

/** What stands for a secret wherever values are shown. */
export const hiddenValue = '***';

/** A text that is as good as a password. */
export const secretText: ValueType<string> = { ...text, isSecret: true };

/** A path; a relative one counts from the working directory of the process. */
export const path: ValueType<string> = textOf('a path', () => true);

const isHttpUrl = (value: string): boolean => /^https?:\/\//.test(value) && URL.canParse(value);

export const httpUrl: ValueType<string> = textOf('an http:// or https:// URL', isHttpUrl);

/** Name of a bucket of an object store, as S3 allows it. */
export const bucketName: ValueType<string> = textOf('3..63 small letters, digits, dots and dashes', (value) =>
  /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(value),
);

/** What keys in a registry begin with. */
export const registryPrefix: ValueType<string> = textOf('1..64 letters, digits and . _ - : { }', (value) =>
  /^[A-Za-z0-9._:{}-]{1,64}$/.test(value),
);

/** The part of a URL path under which something is mounted. */
export const mountPath: ValueType<string> = textOf('a path that begins with /, or with [vhost]', (value) =>
  /^(\/|\[vhost\])/.test(value),
);

function listOf(item: ValueType<string>, allowed: string): ValueType<readonly string[]> {
  return {
    allowed,
    takesMany: true,
    absent: [],
    read(args, context) {
      const items: string[] = [];
      for (const arg of args) {
        const value = item.read([arg], context);
        if (value !== undefined) items.push(value);
      }
      return items;
    },
  };
}

const streamOrAll: ValueType<string> = textOf(
  'app/stream, or all',
  (value) => value === 'all' || /^[^/\s]+(?:\/[^/\s]+)+$/.test(value),
);

/** Some streams of a vhost, or the word `all`. */
export const streamList: ValueType<readonly string[]> = listOf(streamOrAll, 'all, or one or more of: app/stream');
export const textList: ValueType<readonly string[]> = listOf(text, 'one or more words');
export const httpUrlList: ValueType<readonly string[]> = listOf(httpUrl, 'one or more http:// or https:// URLs');

const secretWordPattern = /^[A-Za-z0-9_-]+$/;
const MAX_SECRETS = 16;
const MAX_SECRET_LENGTH = 256;

/**
 * Secrets that are words of URLs, at most 16 so that a wrong one costs little to find out.
 * @param minLength a shorter one could be found by trying
 */
export function secretWords(minLength: number): ValueType<readonly string[]> {
  const allowed = `1..${MAX_SECRETS} words of ${minLength}..${MAX_SECRET_LENGTH} letters, digits, _ and -`;
  return {
    allowed,
    takesMany: true,
    absent: [],
    isSecret: true,
    read(args, context) {
      const isAllowed = (arg: string): boolean =>
        arg.length >= minLength && arg.length <= MAX_SECRET_LENGTH && secretWordPattern.test(arg);
      if (args.length <= MAX_SECRETS && args.every(isAllowed)) return args;
      context.refuse(hiddenValue, allowed);
      return undefined;
    },
  };
}
