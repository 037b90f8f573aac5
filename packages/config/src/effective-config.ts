/** Every directive with the value it has and where that comes from, as an operator reads it. */
import { redact } from '@srs/kernel';
import type { Directive } from './directive.ts';
import type { Fields, Row } from './field.ts';
import { showValue } from './problem.ts';
import { rootFields } from './schema/root.ts';
import { hiddenValue } from './value-type.ts';

export interface EffectiveDirective {
  /** With the blocks around it: `vhost demo.srs.com / hls / hls_fragment`. */
  readonly directive: string;
  /** As it is written in a file; secrets are hidden. Empty for a directive that has no value. */
  readonly value: string;
  /** `default`, `file FILE:LINE`, `environment NAME`. */
  readonly origin: string;
}

function nameInRoot(property: string): string {
  const field = (rootFields as Fields)[property];
  return field === undefined || field.kind === 'group' ? '' : field.name;
}

/** Collects what a reader of settings finds. */
export class EffectiveConfig {
  readonly #rows: EffectiveDirective[] = [];
  /** Rows of the root, which rows of a vhost may take their defaults from. */
  readonly #root = new Map<string, EffectiveDirective>();

  /**
   * @param where the directive with the blocks around it
   * @param given empty when the default counts; several for rows that are repeated
   */
  add(where: string, row: Row<unknown>, given: readonly Directive[]): void {
    const effective = given.length === 0 ? this.#defaultOf(where, row) : describe(where, row, given);
    this.#rows.push(effective);
    if (where === row.name) this.#root.set(row.name, effective);
  }

  toArray(): readonly EffectiveDirective[] {
    return this.#rows;
  }

  #defaultOf(where: string, row: Row<unknown>): EffectiveDirective {
    if (row.inherits !== undefined) {
      const inherited = this.#root.get(nameInRoot(row.inherits));
      if (inherited !== undefined) return { ...inherited, directive: where };
    }
    return { directive: where, value: row.defaultText ?? '', origin: 'default' };
  }
}

function describe(where: string, row: Row<unknown>, given: readonly Directive[]): EffectiveDirective {
  return { directive: where, value: redact(shownValue(row, given)), origin: originOf(given[0]!) };
}

function shownValue(row: Row<unknown>, given: readonly Directive[]): string {
  const { isSecret, publicPart } = row.type;
  if (isSecret !== true) return given.map((directive) => textOf(row, directive)).join(' ');
  return publicPart?.(given[0]!.args[0] ?? '') ?? hiddenValue;
}

function textOf(row: Row<unknown>, directive: Directive): string {
  const words = directive.args.map(showValue).join(' ');
  if (row.type.repeats !== undefined) return `${directive.name} ${words};`;
  if (!row.type.isPairs) return words;
  return directive.children.map((child) => `${child.name} ${child.args.map(showValue).join(' ')};`).join(' ');
}

const VARIABLE_PREFIX = 'environment variable ';

function originOf({ file, line }: Directive): string {
  if (file.startsWith(VARIABLE_PREFIX)) return `environment ${file.slice(VARIABLE_PREFIX.length)}`;
  return `file ${file}:${line}`;
}
