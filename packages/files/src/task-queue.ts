/** Asynchronous tasks, one after the other. */
export class TaskQueue {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `task` after all tasks that were added before, whether those succeeded or not. */
  add<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task);
    this.#last = result.catch(() => {});
    return result;
  }
}
