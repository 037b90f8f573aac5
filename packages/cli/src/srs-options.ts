/** The options of `srs`, as SRS 1.0 reads them. */
import { parseArgs } from 'node:util';
import { describeError, SrsError } from '@srs/kernel';

export type SrsCommand =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | {
      readonly kind: 'check' | 'run';
      /** Undefined: the environment alone is the configuration. */
      readonly configFile: string | undefined;
      /** `-d off` and `-d on` count more than the directive `daemon`. */
      readonly daemon: boolean | undefined;
      /** This process is the one in the background. */
      readonly isDaemonChild: boolean;
    };

export const helpText = `Usage: srs [-h|-?] [-v|-V] [-t] [-d on|off] -c FILE | -e

  -c FILE    run with this configuration file
  -e         run with the environment variables SRS_... alone as the configuration
  -t         check the configuration, say what is wrong with it, and exit
  -d off     stay in the foreground whatever the configuration says (-d on: the opposite)
  -v, -V     print the version and exit
  -h, -?     print this text and exit

Letters may be combined: srs -tc FILE
Examples:
  srs -c conf/srs.conf
  srs -t -c conf/srs.conf
  SRS_LISTEN=1935 SRS_DAEMON=off srs -e
`;

/** @throws SrsError ConfigInvalid for an option that does not exist or lacks its value */
export function parseSrsOptions(args: readonly string[]): SrsCommand {
  const parsed = parse(args);
  const { values, positionals } = parsed;
  if (values.help === true || positionals.length > 0) return { kind: 'help' };
  if (values.version === true || values.Version === true) return { kind: 'version' };
  const configFile = values.config;
  if (configFile === undefined && values.environment !== true) return { kind: 'help' };
  return {
    kind: values.test === true ? 'check' : 'run',
    configFile,
    daemon: values.daemon === undefined ? undefined : values.daemon !== 'off',
    isDaemonChild: values['daemon-child'] === true,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      // No shell escapes a lone question mark, but parseArgs takes letters only.
      args: args.map((arg) => (/^-\w*\?/.test(arg) ? '-h' : arg)),
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean', short: 'v' },
        Version: { type: 'boolean', short: 'V' },
        test: { type: 'boolean', short: 't' },
        config: { type: 'string', short: 'c' },
        environment: { type: 'boolean', short: 'e' },
        daemon: { type: 'string', short: 'd' },
        'daemon-child': { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new SrsError('ConfigInvalid', describeError(error));
  }
}
