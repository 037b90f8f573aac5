/** What workers share when they are parts of one process: plain memory, local bells, links without sockets. */
import { type Link, linkPair } from '@srs/control';
import type { Arena } from '@srs/kernel';
import type { ProcessLog } from '@srs/logging';
import { closeFd } from '@srs/native';
import type { OutputAnswer, OutputRequest } from '@srs/stream';
import { LocalDoorbells } from './doorbell.ts';
import type { WorkerEnvironment } from './environment.ts';
import { LiveSettings } from './live-settings.ts';
import { STATUS_BOARD_BYTES, StatusBoard } from './status-board.ts';
import { mainCid, type WorkerStart } from './worker-start.ts';

export interface LocalHubOptions {
  readonly arena: Arena;
  /** The master's log: one process, one log file. */
  readonly processLog: ProcessLog;
}

export class LocalHub {
  readonly #options: LocalHubOptions;
  readonly #bells = new LocalDoorbells();
  readonly #statusMemory = Buffer.alloc(STATUS_BOARD_BYTES);
  #acceptLink: ((link: Link) => void) | undefined;
  #answerOutput: ((request: OutputRequest) => Promise<OutputAnswer>) | undefined;

  constructor(options: LocalHubOptions) {
    this.#options = options;
  }

  /** Client connections of all parts. */
  connectionCount(slot?: number): number {
    const board = new StatusBoard(this.#statusMemory, 0);
    return slot === undefined ? board.connectionCount() : board.connectionsOf(slot);
  }

  environmentOf(start: WorkerStart): WorkerEnvironment {
    const settings = new LiveSettings(start.config, start.listeners);
    return {
      role: start.role,
      slot: start.slot,
      instanceId: start.instanceId,
      backSource: start.backSource,
      get config() {
        return settings.config;
      },
      log: this.#options.processLog.log.child(mainCid(start.slot)),
      // Opening the file again is the master's business here.
      processLog: { ...this.#options.processLog, reopen: () => {}, close: () => {} },
      arenas: [this.#options.arena],
      status: new StatusBoard(this.#statusMemory, start.slot),
      doorbell: this.#bells.forSlot(start.slot),
      listeners: start.listeners,
      privateHost: start.privateHost,
      privatePort: start.privatePort,
      living: [],
      // The log is the master's, and bells need no descriptors.
      configure: (request) => ({ change: settings.update(request, (fd) => fd, closeFd), problems: [] }),
      connectBackSource: async () => {
        if (this.#acceptLink === undefined) throw new Error('the back-source has ended');
        const [near, far] = linkPair();
        this.#acceptLink(far);
        return near;
      },
      askOutputs: async (_backSource, request) =>
        (await this.#answerOutput?.(request)) ?? { status: 503, reason: 'the back-source has ended' },
      serveOutputs: async (answer) => {
        this.#answerOutput = answer;
        return () => {
          this.#answerOutput = undefined;
        };
      },
      serveDirectory: async (onLink) => {
        this.#acceptLink = onLink;
        return () => {
          this.#acceptLink = undefined;
        };
      },
    };
  }
}
