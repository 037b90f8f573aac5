/** Holds the packages to the table of layers. */
import { dirname, resolve, sep } from 'node:path';
import { describe, expect, it } from 'vitest';
import { clockFiles, type LayerName, layers, pureExceptions, pureModules, purePackages } from './layers.ts';
import { importsOf, namesOf, readPackages, repositoryRoot, withoutComments } from './source-tree.ts';

const SCOPE = '@srs/';
const packages = readPackages();

const layerOf = new Map<string, LayerName>();
for (const name of Object.keys(layers) as LayerName[]) {
  for (const shortName of layers[name].packages) layerOf.set(shortName, name);
}

/** `@srs/x/y.ts` is of package `@srs/x`, `fastify/types` of `fastify`. */
function packageNameOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

function isAllowed(from: string, to: string): boolean {
  const fromLayer = layerOf.get(from);
  const toLayer = layerOf.get(to);
  if (fromLayer === undefined || toLayer === undefined) return false;
  if (fromLayer === toLayer) return layers[fromLayer].isOpenInside === true;
  return layers[fromLayer].sees.includes(toLayer);
}

function ownDependencies(names: readonly string[]): string[] {
  return names.filter((name) => name.startsWith(SCOPE)).map((name) => name.slice(SCOPE.length));
}

describe('the table of layers', () => {
  it('names every package of the tree once', () => {
    const named = Object.values(layers).flatMap((layer) => layer.packages);
    expect(new Set(named).size).toBe(named.length);
    expect(packages.map((each) => each.shortName).filter((name) => !named.includes(name))).toEqual([]);
  });

  it('lets no layer see itself through others', () => {
    const reaches = (from: LayerName, target: LayerName): boolean =>
      layers[from].sees.some((next) => next === target || reaches(next, target));
    for (const name of Object.keys(layers) as LayerName[]) expect(reaches(name, name), name).toBe(false);
  });
});

describe.each(packages.map((each) => [each.shortName, each] as const))('package %s', (shortName, each) => {
  it('is named after its folder and exports src/index.ts only', () => {
    expect(each.manifest.name).toBe(SCOPE + shortName);
    expect(each.manifest.exports).toBe('./src/index.ts');
  });

  it('depends on packages of lower layers only', () => {
    const wrong = ownDependencies(each.manifest.dependencies).filter((dependency) => !isAllowed(shortName, dependency));
    expect(wrong).toEqual([]);
  });

  it('states in package.json what its sources import', () => {
    const stated = new Set(each.manifest.dependencies);
    const statedForTests = new Set([...stated, ...each.manifest.devDependencies, each.manifest.name]);
    const wrong = each.sources.flatMap((source) =>
      source.imports
        .filter((specifier) => !specifier.startsWith('.') && !specifier.startsWith('node:'))
        // The test tools belong to the whole tree and stand in the package.json at its root.
        .filter((specifier) =>
          source.isTest
            ? specifier.startsWith(SCOPE) && !statedForTests.has(packageNameOf(specifier))
            : !stated.has(packageNameOf(specifier)),
        )
        .map((specifier) => `${source.path}: ${specifier}`),
    );
    expect(wrong).toEqual([]);
  });

  it('imports other packages by name only, and its own files with .ts', () => {
    const inside = each.directory + sep;
    const wrong = each.sources.flatMap((source) =>
      source.imports
        .filter((specifier) => {
          if (!specifier.startsWith('.')) return specifier.startsWith(SCOPE) && specifier !== packageNameOf(specifier);
          if (!specifier.endsWith('.ts')) return true;
          const target = resolve(repositoryRoot, dirname(source.path), specifier);
          return (
            !target.startsWith(inside) && !(source.isTest && target.startsWith(resolve(repositoryRoot, 'test/support') + sep))
          );
        })
        .map((specifier) => `${source.path}: ${specifier}`),
    );
    expect(wrong).toEqual([]);
  });
});

it('no circle of packages arises inside an open layer', () => {
  const dependenciesOf = new Map(packages.map((each) => [each.shortName, ownDependencies(each.manifest.dependencies)]));
  const visit = (name: string, path: readonly string[]): void => {
    expect(path, `${[...path, name].join(' -> ')}`).not.toContain(name);
    for (const next of dependenciesOf.get(name) ?? []) visit(next, [...path, name]);
  };
  for (const each of packages) visit(each.shortName, []);
});

describe.each(packages.filter((each) => purePackages.includes(each.shortName)).map((each) => [each.shortName, each] as const))(
  'pure package %s',
  (shortName, each) => {
    const sources = each.sources.filter((source) => !source.isTest);

    it('imports no module that does I/O', () => {
      const allowed = [...pureModules, ...pureExceptions.filter((one) => one.package === shortName).map((one) => one.module)];
      const wrong = sources.flatMap((source) =>
        source.imports
          .filter((specifier) => !specifier.startsWith('.') && !specifier.startsWith(SCOPE) && !allowed.includes(specifier))
          .map((specifier) => `${source.path}: ${specifier}`),
      );
      expect(wrong).toEqual([]);
    });

    it('depends on pure packages only', () => {
      expect(ownDependencies(each.manifest.dependencies).filter((name) => !purePackages.includes(name))).toEqual([]);
      expect(each.manifest.dependencies.filter((name) => !name.startsWith(SCOPE))).toEqual([]);
    });

    it('takes time, randomness and the environment from its caller', () => {
      const ambient =
        /\b(?:Date\.now|performance\.now|Math\.random|new Date\(\)|setTimeout|setInterval|setImmediate|fetch\(|process\.)/;
      const wrong = sources
        .filter((source) => !clockFiles.includes(source.path))
        .map((source) => ({ path: source.path, found: ambient.exec(namesOf(source.text))?.[0] }))
        .filter((one) => one.found !== undefined);
      expect(wrong).toEqual([]);
    });
  },
);

describe('reading names', () => {
  it.each([
    ['log(\'the process.\', "setTimeout") // fetch()', "log('', '')  "],
    ['`of a process. $' + '{Date.now()} ms`', '(Date.now())'],
    ["it('its') /* Math.random */ + x", "it('')   + x"],
  ])('%j leaves %j', (text, names) => {
    expect(namesOf(text).trimEnd()).toBe(names.trimEnd());
  });
});

describe('reading imports', () => {
  it.each([
    [`import { a } from 'node:fs';`, ['node:fs']],
    [`import type { A } from "@srs/kernel";`, ['@srs/kernel']],
    [`import {\n  a,\n  type B,\n} from './b.ts';`, ['./b.ts']],
    [`import './side-effect.ts';`, ['./side-effect.ts']],
    [`export * from './c.ts';`, ['./c.ts']],
    [`export { d } from './d.ts';`, ['./d.ts']],
    [`const e = await import('./e.ts');`, ['./e.ts']],
    [`const f = import.meta.resolve('@srs/worker/entry');`, ['@srs/worker/entry']],
    [`const g = require('node:net');`, ['node:net']],
    [`export const from = 'node:fs';`, []],
    [`// import { a } from 'node:fs';\n/* import './b.ts' */`, []],
    [`const url = 'http://x'; import('./h.ts');`, ['./h.ts']],
  ])('%j gives %j', (text, imports) => {
    expect(importsOf(withoutComments(text))).toEqual(imports);
  });
});
