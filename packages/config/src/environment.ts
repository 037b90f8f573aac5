/** Environment variables as configuration: `SRS_VHOST_HLS_HLS_FRAGMENT` is `hls { hls_fragment }` of `__defaultVhost__`. */
import { defaultVhostName } from './config.ts';
import type { Directive } from './directive.ts';
import type { Fields, Row } from './field.ts';
import { blockEntry, type Names } from './names.ts';
import { nearestName } from './nearest-name.ts';
import { type ProblemList, showValue } from './problem.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What a variable sets: the place of a row in the root or in the default vhost. */
export interface Variable {
  readonly row: Row<unknown>;
  readonly path: readonly string[];
  readonly isInVhost: boolean;
}

const prefix = 'SRS_';

/** Every variable, by name. Rows that are blocks of their own (ingest, transcode, lists of rules) have none. */
export function indexVariables(rootFields: Fields, vhostFields: Fields): ReadonlyMap<string, Variable> {
  const variables = new Map<string, Variable>();
  addVariables(variables, rootFields, [[]], false);
  addVariables(variables, vhostFields, [[]], true);
  return variables;
}

function addVariables(
  variables: Map<string, Variable>,
  fields: Fields,
  prefixes: readonly (readonly string[])[],
  isInVhost: boolean,
): void {
  for (const field of Object.values(fields)) {
    switch (field.kind) {
      case 'group':
        addVariables(variables, field.fields, prefixes, isInVhost);
        break;
      case 'block': {
        const names = [field.name, ...field.aliases];
        const inner = prefixes.flatMap((outer) => names.map((name) => [...outer, name]));
        addVariables(variables, field.fields, inner, isInVhost);
        break;
      }
      case 'row': {
        if (field.type.isPairs || field.type.repeats) break;
        const own = prefixes.map((outer) => [...outer, field.name]);
        const paths = [...own, ...field.aliases.map((alias) => alias.split('/'))];
        const variable = { row: field, path: own[0]!, isInVhost };
        for (const path of paths) for (const name of variableNames(path, isInVhost)) variables.set(name, variable);
        break;
      }
      case 'many':
        break;
    }
  }
}

/** `srs_log_level` may be SRS_SRS_LOG_LEVEL, as later SRS spells it, or SRS_LOG_LEVEL. */
export function variableNames(path: readonly string[], isInVhost: boolean): readonly string[] {
  const words = path.join('_').toUpperCase();
  if (isInVhost) return [`${prefix}VHOST_${words}`];
  return words.startsWith(prefix) ? [words, prefix + words] : [prefix + words];
}

/**
 * Puts the directives that the variables stand for in front of those of the file, where they count first. An empty variable is
 * as good as none. A variable that begins with `SRS_` and is not known is warned about.
 */
export function applyEnvironment(
  tree: Directive,
  environment: Environment,
  schema: { readonly variables: ReadonlyMap<string, Variable>; readonly names: Names },
  warnings: ProblemList,
): Directive {
  let root = tree;
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith(prefix) || text === undefined || text.trim() === '') continue;
    const file = `environment variable ${showValue(name)}`;
    const variable = schema.variables.get(name);
    if (variable === undefined) {
      const nearest = warnings.isFull ? undefined : nearestName(name, schema.variables.keys());
      const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
      warnings.add({ file, line: 0 }, `sets no directive${hint}`, { directive: name, value: text, nearest });
      continue;
    }
    const args = variable.row.type.takesMany ? text.trim().split(/\s+/) : [text.trim()];
    const value: Directive = { name: variable.row.name, args, children: [], isBlock: false, file, line: 0 };
    const blocks = variable.path.slice(0, -1).map((block) => ({ name: block, args: [] }));
    const path = variable.isInVhost ? [{ name: 'vhost', args: [defaultVhostName] }, ...blocks] : blocks;
    root = insert(root, path, value, schema.names);
  }
  return root;
}

interface Step {
  readonly name: string;
  readonly args: readonly string[];
}

/** A copy of `parent` with `value` first in the block `path` leads to, which is made if it is missing. */
function insert(parent: Directive, path: readonly Step[], value: Directive, names: Names): Directive {
  const [step, ...rest] = path;
  if (step === undefined) return { ...parent, children: [value, ...parent.children] };
  const named = names.get(step.name);
  const entry = named === undefined ? undefined : blockEntry(named);
  // Without braces it may be something else.
  const index = parent.children.findIndex(
    (child) =>
      names.get(child.name) === named &&
      (child.isBlock || entry === named) &&
      (step.args.length === 0 || child.args[0] === step.args[0]),
  );
  const known = parent.children[index];
  const block: Directive = known ?? { ...step, children: [], isBlock: true, file: value.file, line: 0 };
  const changed = insert({ ...block, isBlock: true }, rest, value, entry?.children ?? new Map());
  const children = known === undefined ? [...parent.children, changed] : parent.children.with(index, changed);
  return { ...parent, children };
}
