/** The command with the small tools. */
import { enableCompileCache } from 'node:module';

enableCompileCache();
// Whoever reads may have seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
const { runTool } = await import('./tool/tool-command.ts');
process.exitCode = runTool(process.argv.slice(2), process);
