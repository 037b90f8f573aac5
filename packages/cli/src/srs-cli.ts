/** The command that asks a running server about itself. */
import { enableCompileCache } from 'node:module';

enableCompileCache();
// Whoever reads may have seen enough: `srs-cli clients | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
const { runCli } = await import('./cli-command.ts');
process.exitCode = await runCli(process.argv.slice(2), process);
