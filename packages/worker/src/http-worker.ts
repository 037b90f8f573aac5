/** The http role: serves the management API over what all workers tell. */
import type { Channel } from '@srs/control';
import type { WorkerEnvironment } from './environment.ts';
import { httpWorkerView } from './http-worker-view.ts';
import type { RunningRole } from './role.ts';
import type { MasterProtocol } from './worker-start.ts';

export async function startHttpWorker(_environment: WorkerEnvironment, _master: Channel<MasterProtocol>): Promise<RunningRole> {
  return {
    view: httpWorkerView(),
    configure: async () => {},
    workerGone: () => {},
    stopAccepting: () => {},
    stop: async () => {},
  };
}
