/** What `srs-tool` does: reads its options, and does the one thing they ask for. */
import { BadArguments } from '../cli-commands.ts';
import { sign } from './sign.ts';
import { parseToolOptions, type ToolRequest } from './tool-options.ts';

/** What the command needs of its process. */
export interface ToolProcess {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly env: Readonly<Record<string, string | undefined>>;
}

const toolExitCodes = { ok: 0, badArguments: 2 } as const;

/** @returns the exit status */
export function runTool(args: readonly string[], process: ToolProcess): number {
  const { stdout, stderr } = process;
  let request: ToolRequest;
  try {
    request = parseToolOptions(args, process.env, Date.now());
  } catch (error) {
    if (!(error instanceof BadArguments)) throw error;
    stderr.write(`srs-tool: ${error.message}\nTry srs-tool sign --help\n`);
    return toolExitCodes.badArguments;
  }
  if (request.kind === 'help') {
    stdout.write(request.text);
    return toolExitCodes.ok;
  }
  const { out, err } = sign(request);
  stdout.write(out);
  stderr.write(err);
  return toolExitCodes.ok;
}
