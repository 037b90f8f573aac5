/** What a new configuration means to a server that runs. */
import { type Config, deepFreeze, isSameConfig, type VhostConfig } from './config.ts';
import type { Field, Fields } from './field.ts';
import { rootFields, vhosts as vhostBlocks } from './schema/root.ts';

type Values = Readonly<Record<string, unknown>>;
type Named = Values & { readonly name: string };

/**
 * The configuration in force after a reload: `next`, except that directives which count from the start on keep their values of
 * `previous`. Whatever is the same in both is the same object, so that a part of the server sees with `===` whether it is
 * concerned, and old configurations are not kept alive. Frozen.
 */
export function carryOver(previous: Config, next: Config): Config {
  const root = carryFields(rootFields, { ...previous }, { ...next });
  const vhosts = new Map<string, VhostConfig>();
  for (const [name, vhost] of next.vhosts) {
    const before = previous.vhosts.get(name);
    const carried =
      before === undefined ? vhost : (carryFields(vhostBlocks.fields, { ...before }, { ...vhost }) as unknown as VhostConfig);
    vhosts.set(name, before !== undefined && isSameConfig(before, carried) ? before : carried);
  }
  const isSameOrder = [...vhosts.keys()].join('\n') === [...previous.vhosts.keys()].join('\n');
  const areVhostsSame = isSameOrder && [...vhosts].every(([name, vhost]) => previous.vhosts.get(name) === vhost);
  return deepFreeze({ ...(root as unknown as Config), vhosts: areVhostsSame ? previous.vhosts : vhosts });
}

/** What is the same is taken from `previous`. */
function carryFields(fields: Fields, previous: Values, next: Values): Values {
  const carried: Record<string, unknown> = { ...next };
  for (const [property, field] of Object.entries(fields)) {
    carried[property] = carryField(field, previous[property], next[property]);
  }
  return carried;
}

function carryField(field: Field, previous: unknown, next: unknown): unknown {
  const carried = carryValue(field, previous, next);
  return isSameConfig(previous, carried) ? previous : carried;
}

function carryValue(field: Field, previous: unknown, next: unknown): unknown {
  switch (field.kind) {
    case 'row':
      return field.live === 'restart' ? previous : next;
    case 'group':
    case 'block':
      return carryFields(field.fields, previous as Values, next as Values);
    case 'many': {
      const before = previous as readonly Named[];
      return (next as readonly Named[]).map((item, index) => {
        const partner = field.sameName === 'allowed' ? before[index] : before.find(({ name }) => name === item.name);
        return partner === undefined ? item : carryFields(field.fields, partner, item);
      });
    }
  }
}
