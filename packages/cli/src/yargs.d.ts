/** The part of yargs 18 that the command lines use; the package brings no types of its own. */
declare module 'yargs' {
  export interface YargsOption {
    readonly type?: 'string' | 'boolean' | 'number';
    readonly default?: unknown;
    readonly describe?: string;
    readonly choices?: readonly string[];
    /** A value must follow. */
    readonly requiresArg?: boolean;
  }

  export interface ParsedArguments {
    readonly _: readonly (string | number)[];
    readonly [option: string]: unknown;
  }

  export interface Yargs {
    scriptName(name: string): Yargs;
    usage(text: string): Yargs;
    command(name: string, description: string, builder?: (parser: Yargs) => Yargs): Yargs;
    option(name: string, option: YargsOption): Yargs;
    positional(name: string, option: YargsOption): Yargs;
    strictOptions(): Yargs;
    parserConfiguration(settings: Readonly<Record<string, boolean>>): Yargs;
    help(name: string): Yargs;
    alias(name: string, alias: string): Yargs;
    version(isShown: false): Yargs;
    locale(name: string): Yargs;
    wrap(columns: number | null): Yargs;
    exitProcess(isExiting: boolean): Yargs;
    fail(onFail: (message: string | null, error: Error | undefined) => void): Yargs;
    /** With a callback nothing is printed: `output` is the text that would have been. */
    parseSync(
      args: readonly string[],
      context: object,
      callback: (error: Error | null, parsed: ParsedArguments, output: string) => void,
    ): ParsedArguments;
    /** Prints, by `console.log`, the script for the shell that the variable SHELL named when the parser was made. */
    showCompletionScript(path: string, command: string): Yargs;
  }

  export default function yargs(args?: readonly string[]): Yargs;
}
