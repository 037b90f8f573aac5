/** The server command. */
import { enableCompileCache } from 'node:module';

enableCompileCache();
const { runSrs } = await import('./srs-command.ts');
await runSrs(process.argv.slice(2));
