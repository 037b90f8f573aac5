/** Names the features that a configuration switches on and this version does not have. */
import { isSameConfig } from './config.ts';
import type { Block, Field, Fields, Many, Row } from './field.ts';

type DefaultOf = (row: Row<unknown>) => unknown;
type Values = Readonly<Record<string, unknown>>;

/** @returns names of rows and blocks that are not built and used with an enabling value, each once, in the order of the schema */
export function findNotBuilt(fields: Fields, settings: Values, defaultOf: DefaultOf): readonly string[] {
  const names = new Set<string>();
  collect(fields, settings, defaultOf, names);
  return [...names];
}

function collect(fields: Fields, settings: Values, defaultOf: DefaultOf, names: Set<string>): void {
  for (const [property, field] of Object.entries(fields)) {
    const value = settings[property];
    if (field.kind !== 'group' && !field.isBuilt) {
      if (isUsed(field, value, defaultOf)) names.add(field.name);
    } else if (field.kind === 'row') {
      const word = field.notBuiltWords.find((one) => one === value);
      if (word !== undefined) names.add(`${field.name} ${word}`);
    } else if (field.kind === 'many') {
      for (const item of value as Values[]) if (item.enabled !== false) collect(field.fields, item, defaultOf, names);
    } else {
      collect(field.fields, value as Values, defaultOf, names);
    }
  }
}

/** A block with `enabled` is used when that is on; without, when one of its rows has a value of its own. */
function isUsed(field: Field, value: unknown, defaultOf: DefaultOf): boolean {
  switch (field.kind) {
    case 'row':
      return value !== false && !isSameConfig(value, defaultOf(field));
    case 'many':
      return (value as Values[]).some((item) => isBlockUsed(field, item, defaultOf));
    case 'block':
      return isBlockUsed(field, value as Values, defaultOf);
    case 'group':
      return false;
  }
}

function isBlockUsed(block: Block<Fields> | Many<Fields>, value: Values, defaultOf: DefaultOf): boolean {
  if ('enabled' in block.fields) return value.enabled === true;
  return Object.entries(block.fields).some(([property, field]) => isUsed(field, value[property], defaultOf));
}
