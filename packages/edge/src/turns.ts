/** Lets so many do something at once; the others wait for their turn. */
import { SrsError } from '@srs/kernel';

export class Turns {
  readonly #limit: number;
  readonly #timeoutMs: number;
  /** In the order in which they came. */
  readonly #waiting = new Set<() => void>();
  #taken = 0;

  constructor(limit: number, timeoutMs: number) {
    this.#limit = limit;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * @returns what gives the turn to the next one; call it once
   * @throws SrsError SocketTimeout when the turn does not come in time, SocketClosed when it is not wanted any more
   */
  async take(signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) throw new SrsError('SocketClosed', 'the turn is not wanted any more');
    if (this.#taken >= this.#limit) await this.#wait(signal);
    else this.#taken += 1;
    return () => this.#pass();
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        this.#waiting.delete(begin);
      };
      const begin = (): void => {
        end();
        resolve();
      };
      const onAbort = (): void => {
        end();
        reject(new SrsError('SocketClosed', 'the turn is not wanted any more'));
      };
      const timer = setTimeout(() => {
        end();
        reject(new SrsError('SocketTimeout', `no turn within ${this.#timeoutMs / 1000} s: ${this.#taken} are under way`));
      }, this.#timeoutMs);
      signal.addEventListener('abort', onAbort);
      this.#waiting.add(begin);
    });
  }

  #pass(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#taken -= 1;
    else next();
  }
}
