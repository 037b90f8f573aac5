/** What the schema is made of: rows (one directive), blocks, blocks that may stand many times, and groups. */
import type { ValueType } from './value-type.ts';

/**
 * When a reload makes a changed value count: at once for everything that runs, at the next use (next connection, publish, play or
 * call), or only when the server is started again.
 */
export type LiveRule = 'at once' | 'next use' | 'restart';

interface Described {
  /** The directive's name in the file. */
  readonly name: string;
  /** What it means, as the reference prints it; one or more full sentences. */
  readonly doc: string;
  readonly live: LiveRule;
  /** The first SRS version that knew it, or `new` for a directive of this server. */
  readonly since: string;
  /** False while the feature behind it does not exist: it is read and checked, and its use is warned about. */
  readonly isBuilt: boolean;
}

/** One directive with a value. */
export interface Row<T> extends Described {
  readonly kind: 'row';
  readonly type: ValueType<T>;
  /** The default as it would be written in the file; undefined when the directive is absent by default. */
  readonly defaultText: string | undefined;
  /** A value for the example file when there is no default to show. */
  readonly example: string | undefined;
  /**
   * Other places that give the same value, as paths from the block instance (the file, or the vhost) the row belongs to: `mw_latency`
   * for `play/mw_latency`. The row's own place counts first.
   */
  readonly aliases: readonly string[];
  /** The server does not start without it. */
  readonly isRequired: boolean;
  /** Takes the default from the root block's value of this property instead of from `defaultText`. */
  readonly inherits: string | undefined;
  /** Values for which the feature does not exist yet, though the others do: their use is warned about. */
  readonly notBuiltWords: readonly string[];
}

/** A directive with braces that stands once. */
export interface Block<F extends Fields> extends Described {
  readonly kind: 'block';
  readonly fields: F;
  /** Other names of the same block. */
  readonly aliases: readonly string[];
  /** SRS never looked at the names in this block, so an unknown one is a warning. */
  readonly isLoose: boolean;
}

/** A directive with braces and a name that may stand many times: `ingest ID { ... }`. */
export interface Many<F extends Fields> extends Described {
  readonly kind: 'many';
  readonly fields: F;
  /** What the name in the argument is called in the reference; the name may be left out. Empty when there is none. */
  readonly argument: string;
  /** A name for the example file. */
  readonly example: string;
  readonly sameName: 'refused' | 'first counts' | 'allowed';
  readonly isLoose: boolean;
}

/** Rows that belong together in the typed configuration although the file has no block around them. */
export interface Group<F extends Fields> {
  readonly kind: 'group';
  readonly fields: F;
}

// biome-ignore lint/suspicious/noExplicitAny: a row of any value type is a field; `unknown` would refuse them all (ValueType is invariant).
export type Field = Row<any> | Block<Fields> | Many<Fields> | Group<Fields>;

/** Property name of the typed configuration to what is read into it. */
export interface Fields {
  readonly [property: string]: Field;
}

/** The typed configuration a set of fields is read into. */
export type Settings<F extends Fields> = {
  readonly [P in keyof F]: F[P] extends Row<infer T>
    ? T
    : F[P] extends Block<infer G> | Group<infer G>
      ? Settings<G>
      : F[P] extends Many<infer G>
        ? readonly (Settings<G> & { readonly name: string })[]
        : never;
};

export interface RowOptions {
  readonly doc: string;
  readonly live?: LiveRule;
  readonly since?: string;
  readonly isBuilt?: boolean;
  readonly aliases?: readonly string[];
  readonly example?: string;
  readonly isRequired?: boolean;
  readonly inherits?: string;
  readonly notBuiltWords?: readonly string[];
}

export interface BlockOptions {
  readonly doc: string;
  readonly live?: LiveRule;
  readonly since?: string;
  readonly isBuilt?: boolean;
  readonly aliases?: readonly string[];
  readonly isLoose?: boolean;
}

function describe(name: string, options: RowOptions | BlockOptions): Described {
  return {
    name,
    doc: options.doc,
    live: options.live ?? 'next use',
    since: options.since ?? '1.0',
    isBuilt: options.isBuilt ?? true,
  };
}

/** @param defaultText the default as written in the file */
export function row<T>(name: string, type: ValueType<T>, defaultText: string | undefined, options: RowOptions): Row<T> {
  return {
    kind: 'row',
    ...describe(name, options),
    type,
    defaultText,
    example: options.example,
    aliases: options.aliases ?? [],
    isRequired: options.isRequired ?? false,
    inherits: options.inherits,
    notBuiltWords: options.notBuiltWords ?? [],
  };
}

export function block<const F extends Fields>(name: string, fields: F, options: BlockOptions): Block<F> {
  return {
    kind: 'block',
    ...describe(name, options),
    fields,
    aliases: options.aliases ?? [],
    isLoose: options.isLoose ?? false,
  };
}

export function many<const F extends Fields>(
  name: string,
  fields: F,
  options: BlockOptions & Pick<Many<F>, 'argument' | 'example' | 'sameName'>,
): Many<F> {
  return {
    kind: 'many',
    ...describe(name, options),
    fields,
    argument: options.argument,
    example: options.example,
    sameName: options.sameName,
    isLoose: options.isLoose ?? false,
  };
}

export function group<const F extends Fields>(fields: F): Group<F> {
  return { kind: 'group', fields };
}
