/** Tells hook servers what workers that died have left untold. */
import type { Config } from '@srs/config';
import type { OwedNotice } from '@srs/control';
import type { HookCaller } from '@srs/hooks';
import type { Log } from '@srs/kernel';
import { hookUrls, newHookCaller } from './http-hooks.ts';
import { OwedNotices } from './owed-notices.ts';

/** How long what a dead worker has sent may take to be read when this process ends. */
const READ_LIMIT_MS = 300;

export class OwedHooks {
  readonly notices = new OwedNotices((due) => this.#tell(due));
  readonly #config: () => Config;
  readonly #log: Log;
  /** Made when the first notice is due. */
  #caller: HookCaller | undefined;

  /** @param config asked when a notice is due, so that a reload counts */
  constructor(config: () => Config, log: Log) {
    this.#config = config;
    this.#log = log;
  }

  /** Waits for what is due, `graceMs` at most; what is lost then is logged. */
  async close(graceMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, Math.min(graceMs, READ_LIMIT_MS));
    });
    await Promise.race([this.notices.allRead(), limit]);
    clearTimeout(timer);
    await this.#caller?.close(graceMs);
  }

  #tell(due: readonly OwedNotice[]): void {
    this.#log.warn(`http hooks: a worker died before it could tell ${due.length} notices, telling them in its place`);
    this.#caller ??= newHookCaller(this.#log);
    for (const { event, vhost, cid, ip, body } of due) {
      const hooks = this.#config().vhosts.get(vhost)?.hooks;
      if (hooks === undefined) continue;
      const { timeoutMs, retries } = hooks;
      const urls = hookUrls(hooks, event);
      if (urls.length === 0) continue;
      const log = this.#log.child(cid);
      void this.#caller.tell({ event, urls, body, timeoutMs, retries, clientId: cid, ip, log }).then((isDone) => {
        if (!isDone) log.error(`http hook ${event} is lost: the server has ended. client_id=${cid}`);
      });
    }
  }
}
