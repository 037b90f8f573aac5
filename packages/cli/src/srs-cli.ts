/** The command that asks a running server about itself. */
import { enableCompileCache } from 'node:module';

enableCompileCache();
// Whoever reads may have seen enough: `srs-cli clients | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
const { runCli } = await import('./cli-command.ts');
const exitCode = await runCli(process.argv.slice(2), process);
// A terminal has got everything when `write` returns, and nobody at it waits for the answer of a worker that hangs.
if (process.stdout.isTTY) process.exit(exitCode);
process.exitCode = exitCode;
