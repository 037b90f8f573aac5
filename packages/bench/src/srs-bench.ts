/** The command that loads a server and measures what its clients get. */
import { enableCompileCache } from 'node:module';

enableCompileCache();
// Whoever reads may have seen enough: `srs-bench play --json | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
const { runBench } = await import('./command.ts');
process.exitCode = await runBench(process.argv.slice(2));
