/** The master's own log, as far as a reload changes it. */
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { SrsError } from '@srs/kernel';
import type { ProcessLog } from '@srs/logging';
import type { ReloadPart } from './reload.ts';

export function logPart(processLog: ProcessLog): ReloadPart {
  return {
    prepare: ({ log: previous }, { log: next }) => {
      const isOther = next.tank === 'file' && (next.tank !== previous.tank || next.file !== previous.file);
      // Every process opens it for itself; where one can, the others can too.
      if (isOther) checkFile(next.file);
      return {
        undo: () => {},
        apply: () => {
          processLog.configure(previous, next);
          return undefined;
        },
      };
    },
  };
}

function checkFile(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    closeSync(openSync(path, 'a', 0o664));
  } catch (cause) {
    throw new SrsError('FileOpen', `log file ${path} cannot be opened`, { cause });
  }
}
