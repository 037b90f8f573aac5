/** Reads the packages of this repository: manifests, source files and what they import. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

export const repositoryRoot = resolve(import.meta.dirname, '../..');

interface Manifest {
  readonly name: string;
  readonly exports?: unknown;
  readonly dependencies: readonly string[];
  readonly devDependencies: readonly string[];
}

interface SourceFile {
  /** Relative to the root of the repository, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly isTest: boolean;
  /** The specifiers of all its imports and re-exports, type-only ones too. */
  readonly imports: readonly string[];
}

export interface Package {
  /** Without the scope: `kernel`. */
  readonly shortName: string;
  readonly directory: string;
  readonly manifest: Manifest;
  readonly sources: readonly SourceFile[];
}

const IMPORT_PATTERNS = [
  /(?:^|;)\s*(?:import|export)\s[^'";]*?\bfrom\s*['"]([^'"]+)['"]/gm,
  /(?:^|;)\s*import\s*['"]([^'"]+)['"]/gm,
  /\bimport\s*\(\s*['"]([^'"]+)['"]/g,
  /\brequire(?:\.resolve)?\s*\(\s*['"]([^'"]+)['"]/g,
  /\bimport\.meta\.resolve\s*\(\s*['"]([^'"]+)['"]/g,
];

export function importsOf(text: string): string[] {
  return IMPORT_PATTERNS.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1]!));
}

/** `text` without its comments. Strings are kept whole, so `'http://x'` does not begin a comment. */
export function withoutComments(text: string): string {
  return text.replace(
    /('(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`)|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
    (_, literal?: string) => literal ?? ' ',
  );
}

/** `text` without comments and texts: what is left is names and operators, also those inside of templates. */
export function namesOf(text: string): string {
  return withoutComments(text)
    .replace(/'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g, "''")
    .replace(/`(?:\\.|[^`\\])*`/g, (template) => [...template.matchAll(/\$\{([^}]*)\}/g)].map((match) => `(${match[1]})`).join());
}

function readManifest(path: string): Manifest {
  const raw = JSON.parse(readFileSync(path, 'utf8')) as {
    name: string;
    exports?: unknown;
    dependencies?: Record<string, string>;
    devDependencies?: Record<string, string>;
  };
  return {
    name: raw.name,
    exports: raw.exports,
    dependencies: Object.keys(raw.dependencies ?? {}),
    devDependencies: Object.keys(raw.devDependencies ?? {}),
  };
}

function readSources(directory: string): SourceFile[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => {
      const file = join(entry.parentPath, entry.name);
      const text = readFileSync(file, 'utf8');
      return { path: relative(repositoryRoot, file), text, isTest: isTestFile(file), imports: importsOf(withoutComments(text)) };
    });
}

/** Tests, and what only they use: `x.test.ts`, `test-child.ts` (a program they start), `x-test-support.ts`. */
function isTestFile(path: string): boolean {
  return path.endsWith('.test.ts') || /[/.-]test-(?:child|support)\.ts$/.test(path);
}

export function readPackages(): Package[] {
  const parent = join(repositoryRoot, 'packages');
  return readdirSync(parent).map((shortName) => {
    const directory = join(parent, shortName);
    return {
      shortName,
      directory,
      manifest: readManifest(join(directory, 'package.json')),
      sources: readSources(join(directory, 'src')),
    };
  });
}
