/** A process that does a part of a load test, as its parent tells it. */
import { enableCompileCache } from 'node:module';

enableCompileCache();
const { serveLoad } = await import('./load-service.ts');
serveLoad();
