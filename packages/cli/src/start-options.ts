/** The options of `npm start`. */
import { fileURLToPath } from 'node:url';
import { embeddedClipFile } from '@srs/client';
import { SrsError } from '@srs/kernel';

export type StartCommand =
  | { readonly kind: 'help' }
  | {
      readonly kind: 'run';
      readonly configFile: string;
      /** The FLV file that is published. */
      readonly clipFile: string;
      /** Everything else, for `srs`. */
      readonly serverArgs: readonly string[];
    };

export const startConfigFile = fileURLToPath(new URL('../../../conf/start.conf', import.meta.url));

export const startHelpText = `Usage: npm start [-- [--config FILE] [--clip FILE] [option of srs ...]]

  --config FILE   run the server with this configuration file instead of conf/start.conf
  --clip FILE     publish this FLV file in a loop instead of the one that comes with the server
  --help          print this text and exit

Example, with other ports than the usual ones:
  npm start -- --config my.conf
`;

/** @throws SrsError ConfigInvalid when an option lacks its value */
export function parseStartOptions(args: readonly string[]): StartCommand {
  let configFile = startConfigFile;
  let clipFile = embeddedClipFile;
  const serverArgs: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!;
    const [name, ...rest] = arg.split('=');
    const value = () => {
      const text = rest.length > 0 ? rest.join('=') : args[++at];
      if (text === undefined || text === '') throw new SrsError('ConfigInvalid', `option ${name} must be followed by a file`);
      return text;
    };
    if (name === '--config' || arg === '-c') configFile = value();
    else if (name === '--clip') clipFile = value();
    else if (arg === '--help' || arg === '-h') return { kind: 'help' };
    else serverArgs.push(arg);
  }
  return { kind: 'run', configFile, clipFile, serverArgs };
}
