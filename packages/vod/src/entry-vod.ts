/** Entry of the threads that work on recordings. */
import { enableCompileCache, flushCompileCache } from 'node:module';

// Before anything is imported: a thread starts in a third of the time then, and somebody waits for it.
enableCompileCache();
const { work } = await import('./work.ts');
flushCompileCache();

export default work;
