/** The parent's side of one process that does a part of the load. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { LoadAnswers, LoadQuestion, LoadReply, LoadRequest } from './load-messages.ts';
import type { LoadShare } from './load-plan.ts';

const entryFile = fileURLToPath(new URL('./entry-load-process.ts', import.meta.url));
const READY_LIMIT_MS = 30_000;
/** Long: a process that is merely overloaded shall say so itself. */
const ANSWER_LIMIT_MS = 20_000;
const END_LIMIT_MS = 5_000;

interface Waiting {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout | undefined;
}

/** A process of the tester did not do what it should; not the fault of the server. */
export class LoadProcessError extends Error {
  override readonly name = 'LoadProcessError';
}

export class LoadProcess {
  readonly #child: ChildProcess;
  readonly #ready = Promise.withResolvers<void>();
  readonly #waiting = new Map<number, Waiting>();
  readonly #ended: Promise<void>;
  #nextId = 1;

  private constructor(share: LoadShare) {
    this.#child = fork(entryFile, [], { serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#child.on('message', (reply: LoadReply) => this.#onReply(reply));
    this.#child.on('error', (error) => this.#fail(error.message));
    this.#ended = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        this.#fail(`a process of the tester has ended: ${signal ?? `exit status ${code}`}`);
        resolve();
      });
    });
    this.#send({ kind: 'share', share });
  }

  /** @throws LoadProcessError when the process does not come up, or cannot do its share */
  static async start(share: LoadShare): Promise<LoadProcess> {
    const load = new LoadProcess(share);
    const timer = setTimeout(
      () => load.#fail(`a process of the tester was not ready within ${READY_LIMIT_MS} ms`),
      READY_LIMIT_MS,
    );
    try {
      await load.#ready.promise;
      return load;
    } catch (error) {
      await load.end();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** @throws LoadProcessError when it does not answer: only `start` may take as long as it takes */
  ask<Question extends LoadQuestion>(question: Question): Promise<LoadAnswers[Question]> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const late = (): void => this.#fail(`a process of the tester gave no answer within ${ANSWER_LIMIT_MS} ms`);
      const timer = question === 'start' ? undefined : setTimeout(late, ANSWER_LIMIT_MS);
      this.#waiting.set(id, { resolve, reject, timer });
      this.#send({ kind: 'ask', id, question });
    });
  }

  /** Ends the process, at the latest after 5 s by force. */
  async end(): Promise<void> {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), END_LIMIT_MS);
    if (this.#child.connected) this.#child.disconnect();
    await this.#ended;
    clearTimeout(timer);
  }

  #send(request: LoadRequest): void {
    this.#child.send(request, (error) => {
      if (error !== null) this.#fail(`a process of the tester cannot be reached: ${error.message}`);
    });
  }

  #onReply(reply: LoadReply): void {
    switch (reply.kind) {
      case 'ready':
        this.#ready.resolve();
        break;
      case 'answer': {
        const waiting = this.#waiting.get(reply.id);
        this.#waiting.delete(reply.id);
        clearTimeout(waiting?.timer);
        waiting?.resolve(reply.answer as never);
        break;
      }
      case 'fault':
        this.#fail(reply.text);
        break;
    }
  }

  #fail(text: string): void {
    const error = new LoadProcessError(text);
    this.#ready.reject(error);
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(error);
    }
    this.#waiting.clear();
  }
}
