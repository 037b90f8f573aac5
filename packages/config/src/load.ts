/** Loads a configuration: text and environment in, a checked and frozen `Config` out. */
import { type Config, deepFreeze, defaultVhostName, type VhostConfig } from './config.ts';
import { CrossCheck, type MachineFacts } from './cross-check.ts';
import { type Directive, findChild } from './directive.ts';
import { EffectiveConfig, type EffectiveDirective } from './effective-config.ts';
import { applyEnvironment, type Environment, indexVariables } from './environment.ts';
import { indexNames, NameCheck, type Names } from './names.ts';
import { findNotBuilt } from './not-built.ts';
import { ConfigError, type ConfigProblem, ProblemList } from './problem.ts';
import { rootFields, schema } from './schema/root.ts';
import { vhostFields } from './schema/vhost.ts';
import { SettingsReader } from './settings-reader.ts';
import { type ParseOptions, parseTree } from './tree-parser.ts';

export interface EnvironmentOptions extends MachineFacts {
  /** What `workers { stream auto; }` means; 1 if not given. */
  readonly cpuCount?: number | undefined;
}

export interface LoadOptions extends ParseOptions, EnvironmentOptions {
  /** Variables that override the file; none are looked at if not given. */
  readonly env?: Environment | undefined;
}

export interface LoadResult {
  readonly config: Config;
  /** What the operator should hear: texts that mean something else than they say, ignored lines, features that are not built. */
  readonly warnings: readonly ConfigProblem[];
  /** All files it was read from, as they were named, the included ones too. */
  readonly files: readonly string[];
  /** Every directive with its value and where that comes from. Reads the text once more, so ask only when it is needed. */
  effective(): readonly EffectiveDirective[];
}

const names = indexNames(schema);
const variables = indexVariables(rootFields, vhostFields);
const knownNames = collectNames(names);

function collectNames(block: Names, known = new Set<string>()): Set<string> {
  for (const [name, entry] of block) {
    known.add(name);
    if (entry.children !== undefined) collectNames(entry.children, known);
  }
  return known;
}

/**
 * Loads configuration text. Variables of `env` override it.
 *
 * @throws ConfigError with every problem found; with the first one only when the text does not follow the grammar
 */
export function loadConfig(text: string, options: LoadOptions): LoadResult {
  const files = [options.fileName];
  const { readInclude } = options;
  const tree = parseTree(text, {
    fileName: options.fileName,
    readInclude:
      readInclude === undefined
        ? undefined
        : (path, from) => {
            files.push(path);
            return readInclude(path, from);
          },
  });
  return buildConfig(tree, files, options);
}

/**
 * Loads a configuration from environment variables alone, as `srs -e` does. `SRS_LISTEN` is required; there is one vhost,
 * `__defaultVhost__`.
 *
 * @throws ConfigError with every problem found
 */
export function configFromEnv(env: Environment, options: EnvironmentOptions = {}): LoadResult {
  const file = 'environment';
  const vhost: Directive = { name: 'vhost', args: [defaultVhostName], children: [], isBlock: true, file, line: 0 };
  const root: Directive = { name: '', args: [], children: [vhost], isBlock: true, file, line: 0 };
  return buildConfig(root, [], { ...options, fileName: file, env });
}

function buildConfig(fileTree: Directive, files: readonly string[], options: LoadOptions): LoadResult {
  const errors = new ProblemList();
  const warnings = new ProblemList();
  const tree = applyEnvironment(fileTree, options.env ?? {}, { variables, names }, warnings);
  if (tree.children.length === 0) {
    errors.add(tree, 'the configuration has no directive, it needs at least listen');
    throw new ConfigError(errors.toArray());
  }
  new NameCheck(errors, warnings).check(tree, names, '');

  const cpuCount = options.cpuCount ?? 1;
  const reader = new SettingsReader({ errors, warnings, cpuCount, knownNames });
  const root = reader.read(rootFields, tree, '');
  const listen = findChild(tree, 'listen');
  if (listen === undefined || listen.args.length === 0) {
    const message = 'listen is required, for example: listen 1935; (or the environment variable SRS_LISTEN)';
    errors.add(listen ?? tree, message, { directive: 'listen', allowed: rootFields.listen.type.allowed });
  }
  reader.setRoot(root);
  const vhosts = new Map<string, VhostConfig>();
  for (const vhost of reader.read({ vhosts: schema.vhosts }, tree, '').vhosts) vhosts.set(vhost.name, vhost);
  const config: Config = { ...root, vhosts };
  new CrossCheck(tree, errors, warnings).check(config, options);
  if (!errors.isEmpty) throw new ConfigError(errors.toArray());

  const notBuilt = findNotBuilt(schema, { ...config, vhosts: [...vhosts.values()] }, (row) => reader.defaultOf(row));
  if (notBuilt.length > 0) {
    warnings.add({ file: options.fileName, line: 0 }, `not built yet: ${notBuilt.join(', ')}`, {
      directive: notBuilt.join(', '),
    });
  }
  return {
    config: deepFreeze(config),
    warnings: warnings.toArray(),
    files,
    effective: () => readEffective(tree, cpuCount),
  };
}

/** The text has been found right before: problems have been told. */
function readEffective(tree: Directive, cpuCount: number): readonly EffectiveDirective[] {
  const effective = new EffectiveConfig();
  const unheard = { errors: new ProblemList(), warnings: new ProblemList() };
  const reader = new SettingsReader({ ...unheard, cpuCount, knownNames, effective });
  reader.setRoot(reader.read(rootFields, tree, ''));
  reader.read({ vhosts: schema.vhosts }, tree, '');
  return effective.toArray();
}
