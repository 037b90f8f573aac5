/**
 * Completes package-lock.json. npm leaves out the builds for other platforms that the registry at hand does not serve, and
 * `npm ci` then refuses the whole lock file. This adds them with the version that their package asks for and the platform that
 * their name tells; they have no checksum, and npm looks for them only on that platform.
 *
 * Usage, after every change of dependencies: `npm run lock`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

export interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export type LockedPackages = Readonly<Record<string, LockedPackage>>;

export const lockFile: string = resolve(import.meta.dirname, '../package-lock.json');

interface Platform {
  readonly os: readonly string[];
  readonly cpu: readonly string[];
  readonly libc?: readonly string[];
}

const PLATFORM_NAME =
  /(?<os>aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32)-(?<cpu>arm64|arm|ia32|loong64|mips64el|ppc64|riscv64|s390x|x64)(?:-(?<abi>\w+))?$/;

/** `@scope/x-linux-x64-musl`: Linux, x64, musl. Undefined for a name without a platform. */
export function platformOf(name: string): Platform | undefined {
  const groups = PLATFORM_NAME.exec(name)?.groups;
  if (groups?.os === undefined || groups.cpu === undefined) return undefined;
  const platform = { os: [groups.os], cpu: [groups.cpu] };
  if (groups.os !== 'linux') return platform;
  if (groups.abi?.startsWith('musl') === true) return { ...platform, libc: ['musl'] };
  if (groups.abi?.startsWith('gnu') === true) return { ...platform, libc: ['glibc'] };
  return platform;
}

/** The optional dependencies that have no entry, as the entries they need. */
export function missingEntries(packages: LockedPackages): Map<string, LockedPackage> {
  const missing = new Map<string, LockedPackage>();
  for (const [path, parent] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
      const entry = `node_modules/${name}`;
      if (packages[entry] !== undefined || packages[`${path}/${entry}`] !== undefined) continue;
      const platform = platformOf(name);
      if (platform === undefined)
        throw new Error(`${path} needs ${name} ${version}, whose name tells no platform: add it by hand`);
      // In the order in which npm writes them, so that its next run changes nothing.
      const { os, cpu, libc } = platform;
      missing.set(entry, {
        version,
        cpu,
        ...(parent.dev === true ? { dev: true } : {}),
        ...(libc ? { libc } : {}),
        optional: true,
        os,
      });
    }
  }
  return missing;
}

if (import.meta.main) {
  const lock = JSON.parse(readFileSync(lockFile, 'utf8')) as { packages: LockedPackages };
  const missing = missingEntries(lock.packages);
  const entries = [...Object.entries(lock.packages), ...missing].sort(([a], [b]) => a.localeCompare(b, 'en'));
  writeFileSync(lockFile, `${JSON.stringify({ ...lock, packages: Object.fromEntries(entries) }, null, 2)}\n`);
  console.log(`added ${missing.size} builds for other platforms to package-lock.json`);
}
