/** Runs one worker for its master: start, tell, stop. The same over a fork channel and inside the master's own process. */
import { Channel, type Link } from '@srs/control';
import { describeError, SrsError } from '@srs/kernel';
import type { WorkerSummary } from '@srs/survey';
import { CounterKeeper } from './counter-keeper.ts';
import type { WorkerEnvironment } from './environment.ts';
import { parseForwardRequest } from './forward-request.ts';
import { Page, parseId, parsePage } from './page.ts';
import { type PrivateApi, type PrivateRoutes, startPrivateApi } from './private-api.ts';
import { ProcessWatch } from './process-watch.ts';
import { parseRecordRequest } from './record-request.ts';
import type { RoleView, RunningRole, StreamOutputControl } from './role.ts';
import type { MasterProtocol, WorkerStart } from './worker-start.ts';

/** How long clients have to hear the news when the master is gone and nobody sets a limit. */
const ORPHAN_GRACE_MS = 2_000;

const nobody = { redirected: 0, dismissed: 0 };

export interface WorkerHost {
  environmentOf(start: WorkerStart): WorkerEnvironment;
  /** The worker has ended (its own process may exit now). */
  onEnd(): void;
}

export function serveWorker(link: Link, host: WorkerHost): void {
  let environment: WorkerEnvironment | undefined;
  let role: RunningRole | undefined;
  let api: PrivateApi | undefined;
  let watch: ProcessWatch | undefined;
  let counters: CounterKeeper | undefined;
  let stopping: Promise<void> | undefined;

  const stop = (graceMs: number): Promise<void> => {
    stopping ??= (async () => {
      await role?.stop(graceMs);
      await api?.close();
      counters?.close();
      watch?.close();
    })();
    return stopping;
  };

  const channel: Channel<MasterProtocol> = new Channel<MasterProtocol>(link, {
    requests: {
      start: async (start) => {
        environment = host.environmentOf(start);
        role = await startRole(environment, channel);
        watch = new ProcessWatch();
        counters = keepCounters(environment, role.view, watch);
        api = await startPrivateApi({
          host: environment.privateHost,
          port: environment.privatePort,
          isPortFixed: false,
          routes: privateRoutes(environment, role.view, watch, counters),
        });
        return { privatePort: api.port };
      },
      ping: () => null,
      configure: async (request) => {
        if (environment === undefined || role === undefined) throw new Error('it has not started yet');
        const { change, problems } = environment.configure(request);
        try {
          await role.configure(change);
        } catch (error) {
          return { problem: [...problems, describeError(error)].join('; ') };
        }
        return { problem: problems.length === 0 ? null : problems.join('; ') };
      },
      clientCount: () => role?.view.totals().clients ?? 0,
      setDrain: (order) => role?.setDrain(order) ?? nobody,
      stop: async ({ graceMs }) => {
        await stop(graceMs);
        // The answer must be on its way before the process ends.
        setImmediate(() => channel.close());
        return null;
      },
    },
    notifications: {
      workerGone: (process) => role?.workerGone(process),
      stopAccepting: () => role?.stopAccepting(),
      reopenLog: () => environment?.processLog.reopen(),
      setLogLevel: ({ level }) => environment?.processLog.setLevel(level),
    },
    onClose: () => {
      if (stopping === undefined) environment?.log.warn('the master is gone, this worker ends');
      stop(ORPHAN_GRACE_MS)
        .catch((error: unknown) => environment?.log.error(`stop: ${describeError(error)}`))
        .finally(() => host.onEnd());
    },
  });
}

/** A process loads what its own role is made of, and the master none: half of the time of a start is loading. */
async function startRole(environment: WorkerEnvironment, master: Channel<MasterProtocol>): Promise<RunningRole> {
  switch (environment.role) {
    case 'back-source': {
      const { startBackSource } = await import('./back-source.ts');
      return startBackSource(environment);
    }
    case 'stream': {
      const { startStreamWorker } = await import('./stream-worker.ts');
      return startStreamWorker(environment);
    }
    case 'http': {
      const { startHttpWorker } = await import('./http-worker.ts');
      return startHttpWorker(environment, master);
    }
  }
}

function keepCounters({ status }: WorkerEnvironment, view: RoleView, watch: ProcessWatch): CounterKeeper {
  return new CounterKeeper(status.ownCounters, () => {
    const { counts, distributions } = view.counters();
    const { user, system } = process.cpuUsage();
    return {
      counts: { ...counts, cpuSeconds: (user + system) / 1e6 },
      distributions: { ...distributions, eventLoopDelayMs: watch.delaysMs },
    };
  });
}

function privateRoutes(
  environment: WorkerEnvironment,
  view: RoleView,
  watch: ProcessWatch,
  counters: CounterKeeper,
): PrivateRoutes {
  const startedMs = performance.now();
  return {
    '/api/v1/summary': async (): Promise<WorkerSummary> => {
      // Whoever reads the counters of all slots next finds those that belong to this answer.
      counters.keep();
      return {
        role: environment.role,
        slot: environment.slot,
        pid: process.pid,
        uptimeSeconds: Math.round((performance.now() - startedMs) / 1000),
        ...view.totals(),
        rings: view.ringTotals(),
        ...(await watch.load()),
      };
    },
    '/api/v1/streams': () => view.streams(),
    '/api/v1/clients': (query) => {
      const id = parseId(query);
      if (id === undefined) return view.clients(parsePage(query));
      const client = view.client(id);
      return new Page(client === null ? 0 : 1, 0, client === null ? [] : [client]);
    },
    '/api/v1/kick': {
      POST: (query) => {
        const id = parseId(query);
        if (id === undefined) throw new SrsError('RequestUri', 'id is missing: the number of a client');
        return { isFound: view.kick(id) };
      },
    },
    ...outputRoutes(view.outputs),
    '/api/v1/departures': () => view.departures(),
    '/api/v1/rings': () => view.rings(),
  };
}

function outputRoutes(outputs: StreamOutputControl | undefined): PrivateRoutes {
  if (outputs === undefined) return {};
  return {
    '/api/v1/record': {
      POST: async (query) => {
        const { streamId, isWanted } = parseRecordRequest(query);
        return { isFound: await outputs.record(streamId, isWanted) };
      },
    },
    '/api/v1/forwards/add': {
      POST: async (query) => {
        const { streamId, destination } = parseForwardRequest(query);
        return { outcome: await outputs.addForward(streamId, destination) };
      },
    },
    '/api/v1/forwards/remove': {
      POST: (query) => {
        const { streamId, destination } = parseForwardRequest(query);
        return { isFound: outputs.removeForward(streamId, destination) };
      },
    },
  };
}
