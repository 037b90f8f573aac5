/** What `npm start` runs: a server in the foreground with a test stream to look at. */
import { enableCompileCache } from 'node:module';

enableCompileCache();
const { runStart } = await import('./start-command.ts');
await runStart(process.argv.slice(2));
