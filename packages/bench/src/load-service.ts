/** Answers the questions of the reporting process, in a process of its own. */
import { describeError } from '@srs/kernel';
import { HlsDriver } from './hls-driver.ts';
import type { LoadDriver } from './load-driver.ts';
import type { LoadAnswers, LoadQuestion, LoadReply, LoadRequest } from './load-messages.ts';
import type { LoadShare } from './load-plan.ts';
import { PlayDriver } from './play-driver.ts';
import { PublishDriver } from './publish-driver.ts';
import { TesterLoad } from './tester-load.ts';

export function serveLoad(): void {
  // The whole group gets the signal of a terminal; what happens then is up to the parent.
  process.on('SIGINT', () => {});
  // Without a parent nobody would ever end the load.
  process.on('disconnect', () => process.exit(1));
  let service: LoadService | undefined;
  process.on('message', (request: LoadRequest) => {
    if (request.kind === 'share') {
      service = LoadService.open(request.share);
      if (service !== undefined) reply({ kind: 'ready' });
    } else if (service !== undefined) {
      void service.answer(request.id, request.question);
    }
  });
}

class LoadService {
  readonly #driver: LoadDriver;
  readonly #load = new TesterLoad();
  readonly #secondLoad = new TesterLoad();
  #startMs = 0;

  private constructor(driver: LoadDriver) {
    this.#driver = driver;
  }

  /** Undefined when the share cannot be done, which is told. */
  static open(share: LoadShare): LoadService | undefined {
    try {
      return new LoadService(driverOf(share));
    } catch (error) {
      reply({ kind: 'fault', text: describeError(error) });
      return undefined;
    }
  }

  async answer(id: number, question: LoadQuestion): Promise<void> {
    try {
      reply({ kind: 'answer', id, answer: await this.#answerTo(question) });
      if (question === 'close') process.disconnect();
    } catch (error) {
      reply({ kind: 'fault', text: describeError(error) });
    }
  }

  async #answerTo(question: LoadQuestion): Promise<LoadAnswers[LoadQuestion]> {
    const nowMs = performance.now();
    switch (question) {
      case 'start':
        await this.#driver.start();
        return null;
      case 'counts':
        return this.#driver.counts();
      case 'begin':
        this.#startMs = nowMs;
        this.#driver.begin(nowMs);
        this.#load.begin();
        this.#secondLoad.begin();
        return null;
      case 'second': {
        const groups = this.#driver.second(nowMs);
        const tester = this.#secondLoad.figures();
        this.#secondLoad.begin();
        return { groups, tester };
      }
      case 'finish':
        return { seconds: (nowMs - this.#startMs) / 1000, groups: this.#driver.finish(nowMs), tester: this.#load.figures() };
      case 'close':
        await this.#driver.close();
        this.#load.stop();
        this.#secondLoad.stop();
        return null;
    }
  }
}

function driverOf(share: LoadShare): LoadDriver {
  const { plan } = share;
  switch (plan.kind) {
    case 'play':
      return new PlayDriver(plan, share);
    case 'publish':
      return new PublishDriver(plan, share);
    case 'hls':
      return new HlsDriver(plan, share);
  }
}

function reply(message: LoadReply): void {
  process.send?.(message);
}
