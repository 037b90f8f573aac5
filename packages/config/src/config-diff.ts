/** Names what differs between two configurations, for the log and the answer of a reload. */
import { type Config, isSameConfig } from './config.ts';
import type { Fields, LiveRule, Many } from './field.ts';
import { joinPath } from './names.ts';
import { showValue } from './problem.ts';
import { rootFields, vhosts as vhostBlocks } from './schema/root.ts';

/** Values are left out: some are secrets, and this goes into logs. */
export interface ConfigChange {
  readonly kind: 'added' | 'removed' | 'changed';
  /** With the blocks around it: `vhost demo.srs.com / hls / hls_fragment`. */
  readonly directive: string;
  /** When the change counts. */
  readonly live: LiveRule;
}

type Values = Readonly<Record<string, unknown>>;
type Named = Values & { readonly name: string };

/** All changes in the order of the schema; vhosts and other named blocks are told as added or removed in one. */
export function diffConfig(previous: Config, next: Config): readonly ConfigChange[] {
  const changes: ConfigChange[] = [];
  diffFields(rootFields, { ...previous }, { ...next }, '', changes);
  diffNamed(vhostBlocks, vhostsOf(previous), vhostsOf(next), '', changes);
  return changes;
}

function vhostsOf(config: Config): readonly Named[] {
  return [...config.vhosts.values()].map((vhost) => ({ ...vhost }));
}

function diffFields(fields: Fields, previous: Values, next: Values, where: string, changes: ConfigChange[]): void {
  for (const [property, field] of Object.entries(fields)) {
    const [from, to] = [previous[property], next[property]];
    if (isSameConfig(from, to)) continue;
    switch (field.kind) {
      case 'row':
        changes.push({ kind: 'changed', directive: joinPath(where, field.name), live: field.live });
        break;
      case 'group':
        diffFields(field.fields, from as Values, to as Values, where, changes);
        break;
      case 'block':
        diffFields(field.fields, from as Values, to as Values, joinPath(where, field.name), changes);
        break;
      case 'many':
        diffNamed(field, from as Named[], to as Named[], where, changes);
    }
  }
}

function diffNamed(
  field: Many<Fields>,
  previous: readonly Named[],
  next: readonly Named[],
  where: string,
  changes: ConfigChange[],
): void {
  const { live } = field;
  const titleOf = ({ name }: Named) => joinPath(where, name === '' ? field.name : `${field.name} ${showValue(name)}`);
  // Blocks that may share a name are told apart by their place.
  const partnerOf = (item: Named, index: number, others: readonly Named[]) =>
    field.sameName === 'allowed' ? others[index] : others.find((other) => other.name === item.name);
  for (const [index, item] of previous.entries()) {
    const partner = partnerOf(item, index, next);
    if (partner === undefined) changes.push({ kind: 'removed', directive: titleOf(item), live });
    else if (partner.name !== item.name) changes.push({ kind: 'changed', directive: titleOf(item), live });
    else diffFields(field.fields, item, partner, titleOf(item), changes);
  }
  for (const [index, item] of next.entries()) {
    if (partnerOf(item, index, previous) === undefined) changes.push({ kind: 'added', directive: titleOf(item), live });
  }
}
