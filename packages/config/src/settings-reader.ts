/** Reads a tree of directives into typed settings, field by field. */
import { type Directive, findPath, findPathOf } from './directive.ts';
import type { EffectiveConfig } from './effective-config.ts';
import type { Field, Fields, Many, Row, Settings } from './field.ts';
import { blockTitle, joinPath } from './names.ts';
import { nearestName } from './nearest-name.ts';
import { type ProblemList, showValue } from './problem.ts';
import { hiddenValue, type ReadContext } from './value-type.ts';

/** Where in a tree fields are looked for. */
interface Scope {
  /** The block the fields, and the aliases of their rows, belong to: the file, a vhost, an ingest. */
  readonly instance: Directive | undefined;
  /** The names that lead from the instance to the fields; more than one where a block has aliases. */
  readonly prefixes: readonly (readonly string[])[];
  /** The path for problems. */
  readonly where: string;
}

export interface ReaderOptions {
  readonly errors: ProblemList;
  readonly warnings: ProblemList;
  readonly cpuCount: number;
  /** All names of the schema: one of them among the values of another directive means that a semicolon is missing. */
  readonly knownNames: ReadonlySet<string>;
  /** Is told of every row that is read. */
  readonly effective?: EffectiveConfig | undefined;
}

/** Values of default texts, so that a vhost costs no reading of what it does not give. */
const knownDefaults = new WeakMap<Row<unknown>, unknown>();

/** The paths of a row from its block instance. A row stands in one place of the schema, so they never change. */
const knownPaths = new WeakMap<Row<unknown>, readonly (readonly string[])[]>();

function pathsOf(row: Row<unknown>, prefixes: readonly (readonly string[])[]): readonly (readonly string[])[] {
  let paths = knownPaths.get(row);
  if (paths === undefined) {
    paths = [...prefixes.map((prefix) => [...prefix, row.name]), ...row.aliases.map((alias) => alias.split('/'))];
    knownPaths.set(row, paths);
  }
  return paths;
}

export class SettingsReader {
  readonly #options: ReaderOptions;
  /** What rows that inherit take their defaults from. */
  #root: Readonly<Record<string, unknown>> = {};

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /** Reads the fields of a block instance. */
  read<F extends Fields>(fields: F, instance: Directive | undefined, where: string): Settings<F> {
    return this.#readFields(fields, { instance, prefixes: [[]], where }) as Settings<F>;
  }

  /** Gives the values that `inherits` refers to. */
  setRoot(root: Readonly<Record<string, unknown>>): void {
    this.#root = root;
  }

  /** The value of a row that is not given. */
  defaultOf(row: Row<unknown>): unknown {
    if (row.inherits !== undefined) return this.#root[row.inherits];
    if (row.defaultText === undefined) return row.type.absent;
    let value = knownDefaults.get(row);
    if (value === undefined) {
      value = row.type.read(row.defaultText.split(' '), this.#contextOf(row, undefined, row.name));
      if (!row.type.dependsOnMachine) knownDefaults.set(row, value);
    }
    return value;
  }

  #readFields(fields: Fields, scope: Scope): Record<string, unknown> {
    const settings: Record<string, unknown> = {};
    for (const [property, field] of Object.entries(fields)) settings[property] = this.#readField(field, scope);
    return settings;
  }

  #readField(field: Field, scope: Scope): unknown {
    switch (field.kind) {
      case 'row':
        return this.#readRow(field, scope);
      case 'block': {
        const names = [field.name, ...field.aliases];
        const prefixes = scope.prefixes.flatMap((prefix) => names.map((name) => [...prefix, name]));
        return this.#readFields(field.fields, { ...scope, prefixes, where: joinPath(scope.where, field.name) });
      }
      case 'many':
        return this.#readMany(field, scope);
      case 'group':
        return this.#readFields(field.fields, scope);
    }
  }

  #readMany(field: Many<Fields>, scope: Scope): unknown[] {
    const settings: unknown[] = [];
    const names = new Set<string>();
    const parent = findPath(scope.instance, scope.prefixes[0] ?? []);
    for (const directive of parent?.children ?? []) {
      if (directive.name !== field.name) continue;
      const name = directive.args[0] ?? '';
      if (names.has(name) && field.sameName !== 'allowed') continue;
      names.add(name);
      const where = joinPath(scope.where, blockTitle(directive));
      settings.push({ name, ...this.#readFields(field.fields, { instance: directive, prefixes: [[]], where }) });
    }
    return settings;
  }

  #readRow(row: Row<unknown>, scope: Scope): unknown {
    if (row.type.repeats !== undefined) return this.#readRepeated(row, row.type.repeats, scope);
    const directive = this.#findRow(row, scope);
    const where = joinPath(scope.where, row.name);
    const isGiven = directive !== undefined && (row.type.isPairs === true || directive.args.length > 0);
    this.#options.effective?.add(where, row, isGiven ? [directive] : []);
    if (directive === undefined) return this.defaultOf(row);
    const context = this.#contextOf(row, directive, where);
    if (row.type.isPairs) {
      return directive.children.flatMap(
        (child) => row.type.read([child.name, ...child.args], this.#contextOf(row, child, where)) ?? [],
      );
    }
    if (directive.args.length === 0) {
      const shown = row.defaultText === undefined ? '' : `, the default counts: ${row.defaultText}`;
      this.#options.warnings.add(directive, `${directive.name} has no value${shown}`, {
        directive: where,
        allowed: row.type.allowed,
      });
      return this.defaultOf(row);
    }
    if (directive.args.length > 1 && !row.type.takesMany) this.#warnOfExtraArgs(row, directive, where);
    return row.type.read(directive.args, context) ?? this.defaultOf(row);
  }

  /** The first of the row's own places and its aliases that is given. */
  #findRow(row: Row<unknown>, scope: Scope): Directive | undefined {
    let found: Directive | undefined;
    for (const path of pathsOf(row, scope.prefixes)) {
      const directive = findPathOf(scope.instance, path, { isBlock: row.type.isPairs ?? false });
      if (directive === undefined) continue;
      if (found === undefined) {
        found = directive;
      } else if (found.line > 0) {
        const where = joinPath(scope.where, row.name);
        this.#options.warnings.add(
          directive,
          `${path.join(' / ')} says the same as ${found.name} in line ${found.line}, which counts`,
          {
            directive: where,
          },
        );
      }
    }
    return found;
  }

  #readRepeated(row: Row<unknown>, names: readonly string[], scope: Scope): unknown[] {
    const parent = findPath(scope.instance, scope.prefixes[0] ?? []);
    const given = parent?.children.filter((child) => names.includes(child.name)) ?? [];
    this.#options.effective?.add(joinPath(scope.where, row.name), row, given);
    return given.flatMap((directive) => {
      const context = this.#contextOf(row, directive, joinPath(scope.where, directive.name));
      return row.type.read([directive.name, ...directive.args], context) ?? [];
    });
  }

  #warnOfExtraArgs(row: Row<unknown>, directive: Directive, where: string): void {
    const extra = directive.args.slice(1).map((arg) => (row.type.isSecret ? hiddenValue : arg));
    const hint = this.#semicolonHint(extra);
    const shown = extra.slice(0, 3).map(showValue).join(' ');
    this.#options.warnings.add(directive, `${directive.name} takes one value, ignored: ${shown}${hint}`, {
      directive: where,
      value: extra[0],
    });
  }

  #semicolonHint(args: readonly string[]): string {
    const name = args.find((arg) => this.#options.knownNames.has(arg));
    return name === undefined ? '' : `; is a ; missing before ${name}?`;
  }

  /** @param directive what is read; undefined for a default, which must be right */
  #contextOf(row: Row<unknown>, directive: Directive | undefined, where: string): ReadContext {
    const { errors, warnings, cpuCount } = this.#options;
    const name = directive?.name ?? row.name;
    const place = directive ?? { file: 'the built-in defaults', line: 0 };
    const show = (value: string): string => (row.type.isSecret ? hiddenValue : value);
    return {
      name,
      defaultText: row.defaultText,
      isLenient: row.since === '1.0',
      cpuCount,
      warn(text, message) {
        const value = show(text);
        warnings.add(place, `${name} ${showValue(value)} ${message}`, { directive: where, value, allowed: row.type.allowed });
      },
      refuse: (text, allowed, known = []) => {
        const value = show(text);
        const nearest = errors.isFull ? undefined : nearestName(value, known);
        const hint = nearest === undefined ? this.#semicolonHint([value]) : `; did you mean ${nearest}?`;
        errors.add(place, `${name} ${showValue(value)} must be ${allowed}${hint}`, { directive: where, value, allowed, nearest });
      },
    };
  }
}
