/** The process of one worker, forked by the master. */
import { enableCompileCache } from 'node:module';

enableCompileCache();
const { runWorkerProcess } = await import('./worker-process.ts');
runWorkerProcess();
