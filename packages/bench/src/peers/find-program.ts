/** Programs that a benchmark uses when the machine has them. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** System programs that only an administrator's PATH names. */
const moreFolders: readonly string[] = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** The path of an executable file of that name; undefined when there is none. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== ''), ...moreFolders];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
