/** The names the schema knows, block by block, and the check of a tree against them. */
import type { Directive } from './directive.ts';
import type { Block, Fields, Many, Row } from './field.ts';
import { nearestName } from './nearest-name.ts';
import { type ProblemList, showValue } from './problem.ts';

/** What a name means in its block. Two names of one thing share one entry. */
export interface NameEntry {
  readonly kind: 'row' | 'block' | 'many';
  /** The names inside, by which the children are checked; undefined when they are free or there can be none. */
  readonly children: Names | undefined;
  readonly hasBraces: boolean;
  readonly mayRepeat: boolean;
  readonly sameName: Many<Fields>['sameName'];
  /** An unknown name inside is only warned about. */
  readonly isLoose: boolean;
  /** What the name means with braces, where it means something else without them. */
  readonly asBlock?: NameEntry;
}

export type Names = Map<string, NameEntry>;

/** Indexes the fields of a block instance; aliases of its rows may add names to the blocks inside. */
export function indexNames(fields: Fields): Names {
  const names: Names = new Map();
  addFields(fields, names, names);
  return names;
}

function addFields(fields: Fields, names: Names, instance: Names): void {
  for (const field of Object.values(fields)) {
    switch (field.kind) {
      case 'row':
        addRow(field, names, instance);
        break;
      case 'block': {
        const entry = openBlock(names, field.name, field);
        for (const alias of field.aliases) names.set(alias, entry);
        addFields(field.fields, entry.children!, instance);
        break;
      }
      case 'many':
        names.set(field.name, {
          kind: 'many',
          children: indexNames(field.fields),
          hasBraces: true,
          mayRepeat: true,
          sameName: field.sameName,
          isLoose: field.isLoose,
        });
        break;
      case 'group':
        addFields(field.fields, names, instance);
    }
  }
}

function addRow(row: Row<unknown>, names: Names, instance: Names): void {
  const entry: NameEntry = {
    kind: 'row',
    children: undefined,
    hasBraces: row.type.isPairs ?? false,
    mayRepeat: row.type.repeats !== undefined,
    sameName: 'allowed',
    isLoose: false,
  };
  for (const name of row.type.repeats ?? [row.name]) {
    const known = names.get(name);
    names.set(name, known?.kind === 'block' ? { ...entry, asBlock: known } : entry);
  }
  for (const alias of row.aliases) {
    const path = alias.split('/');
    let target = instance;
    for (const blockName of path.slice(0, -1)) target = openBlock(target, blockName).children!;
    target.set(path.at(-1)!, entry);
  }
}

/** The block of that name, which an alias may have needed before its own turn came. */
function openBlock(names: Names, name: string, field?: Block<Fields>): NameEntry {
  const known = names.get(name);
  const block = known === undefined ? undefined : blockEntry(known);
  if (block?.children !== undefined) return block;
  const entry: NameEntry = {
    kind: 'block',
    children: new Map(),
    hasBraces: true,
    mayRepeat: false,
    sameName: 'allowed',
    isLoose: field?.isLoose ?? false,
  };
  names.set(name, known === undefined ? entry : { ...known, asBlock: entry });
  return entry;
}

/** What a name means where it leads to others inside. */
export function blockEntry(entry: NameEntry): NameEntry {
  return entry.asBlock ?? entry;
}

/** The directive as problems name it: the blocks around it, then its name. */
export function joinPath(where: string, name: string): string {
  return where === '' ? name : `${where} / ${name}`;
}

/** A block as it is named in the path of what it holds: `vhost demo.srs.com`. */
export function blockTitle(directive: Directive): string {
  const [argument] = directive.args;
  return argument === undefined ? directive.name : `${directive.name} ${showValue(argument)}`;
}

/** Finds unknown names, blocks without braces and the reverse, and directives that are given more than once. */
export class NameCheck {
  readonly #errors: ProblemList;
  readonly #warnings: ProblemList;

  constructor(errors: ProblemList, warnings: ProblemList) {
    this.#errors = errors;
    this.#warnings = warnings;
  }

  /** @param where the path of the block, empty for the root */
  check(parent: Directive, names: Names, where: string, isLoose = false): void {
    const seen = new Map<NameEntry, Directive>();
    const titles = new Map<string, Directive>();
    for (const directive of parent.children) {
      const named = names.get(directive.name);
      if (named === undefined) {
        this.#reportUnknown(directive, names, where, isLoose);
        continue;
      }
      const entry = directive.isBlock ? blockEntry(named) : named;
      if (!this.#checkBraces(directive, entry, where)) continue;
      if (entry.kind === 'many') this.#checkSameName(directive, entry, titles, where);
      else if (!entry.mayRepeat) this.#checkRepeated(directive, entry, seen, where);
      if (entry.children !== undefined) {
        this.check(directive, entry.children, joinPath(where, blockTitle(directive)), entry.isLoose);
      }
    }
  }

  #reportUnknown(directive: Directive, names: Names, where: string, isLoose: boolean): void {
    const list = isLoose ? this.#warnings : this.#errors;
    const nearest = list.isFull ? undefined : nearestName(directive.name, names.keys());
    const place = where === '' ? '' : ` in ${where}`;
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
    list.add(directive, `unknown directive ${showValue(directive.name)}${place}${hint}`, {
      directive: joinPath(where, directive.name),
      nearest,
    });
  }

  #checkBraces(directive: Directive, entry: NameEntry, where: string): boolean {
    if (directive.isBlock === entry.hasBraces) return true;
    const { name } = directive;
    const details = { directive: joinPath(where, name) };
    if (directive.isBlock) {
      this.#errors.add(directive, `${name} takes no { block }; is a ; missing before the {?`, details);
      return false;
    }
    // SRS takes it for an empty block, so it must not stop the start.
    this.#warnings.add(directive, `${name} is a block and is empty like this; write ${name} { ... }`, details);
    return true;
  }

  #checkSameName(directive: Directive, entry: NameEntry, titles: Map<string, Directive>, where: string): void {
    const title = blockTitle(directive);
    const first = titles.get(title);
    if (first === undefined) {
      titles.set(title, directive);
      return;
    }
    const details = { directive: joinPath(where, title), value: directive.args[0] };
    if (entry.sameName === 'refused') {
      this.#errors.add(directive, `${title} is given twice, first in line ${first.line}; give each a name of its own`, details);
    } else if (entry.sameName === 'first counts') {
      this.#warnings.add(directive, `${title} is given twice, the one in line ${first.line} counts`, details);
    }
  }

  #checkRepeated(directive: Directive, entry: NameEntry, seen: Map<NameEntry, Directive>, where: string): void {
    const first = seen.get(entry);
    if (first === undefined) {
      seen.set(entry, directive);
      return;
    }
    // A variable of the environment stands before what it overrides.
    if (first.line === 0) return;
    const { name } = directive;
    const details = { directive: joinPath(where, name) };
    if (first.name === name) {
      this.#warnings.add(directive, `${name} is given twice, the one in line ${first.line} counts`, details);
    } else {
      this.#errors.add(directive, `${name} and ${first.name} in line ${first.line} are two names of the same; keep one`, details);
    }
  }
}
