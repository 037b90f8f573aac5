/** The server command. */
import { enableCompileCache } from 'node:module';

enableCompileCache();
// Workers inherit it: looking for the native part of msgpackr costs each process more than control messages ever gain by it.
process.env.MSGPACKR_NATIVE_ACCELERATION_DISABLED ??= 'true';
const { runSrs } = await import('./srs-command.ts');
await runSrs(process.argv.slice(2));
