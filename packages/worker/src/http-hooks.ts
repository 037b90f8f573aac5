/** The HTTP hooks of a stream worker: which URLs an event has at the moment, and what is owed when this process dies. */

import { type ClientHooks, ClientRedirect, type HookSubject, type HookTraffic } from '@srs/clients';
import type { Config, HooksConfig, VhostConfig } from '@srs/config';
import type { OwedNotice } from '@srs/control';
import { type AskedEvent, HookCaller, hookBody, type ToldEvent } from '@srs/hooks';
import type { Log } from '@srs/kernel';
import { identity } from './identity.ts';
import { serverIdOf } from './server-id.ts';

export function newHookCaller(log: Log): HookCaller {
  return new HookCaller({ userAgent: `SRS(Simple RTMP Server)${identity.version}`, random: Math.random, log });
}

/** The URLs of an event; none while the hooks of the vhost are off. */
export function hookUrls(hooks: HooksConfig, event: AskedEvent | ToldEvent): readonly string[] {
  return hooks.enabled ? hooks[propertyOf[event]] : [];
}

const propertyOf = {
  on_connect: 'onConnect',
  on_close: 'onClose',
  on_publish: 'onPublish',
  on_unpublish: 'onUnpublish',
  on_play: 'onPlay',
  on_stop: 'onStop',
} as const satisfies Record<AskedEvent | ToldEvent, keyof HooksConfig>;

/** How each thing that a client may be allowed to do ends. */
const endOf = { on_connect: 'on_close', on_publish: 'on_unpublish', on_play: 'on_stop' } as const;

const NOTHING_OWED = 0;

export interface HttpHooksOptions {
  /** Asked at each event, so that a reload counts at once. */
  config(): Config;
  readonly log: Log;
  /** Keeps what is to be told when this process dies. */
  readonly keeper: {
    owe(notice: Omit<OwedNotice, 'id'>): number;
    settle(id: number): void;
  };
}

export class HttpHooks implements ClientHooks {
  readonly #options: HttpHooksOptions;
  /** Made when the first URL is called. */
  #caller: HookCaller | undefined;
  #serverId: string | undefined;

  constructor(options: HttpHooksOptions) {
    this.#options = options;
  }

  isAsked(event: AskedEvent, vhost: VhostConfig): boolean {
    return hookUrls(this.#hooksOf(vhost), event).length > 0;
  }

  ask(event: AskedEvent, subject: HookSubject): number | Promise<number> {
    const hooks = this.#hooksOf(subject.vhost);
    const urls = hookUrls(hooks, event);
    // Before the question: who dies between a yes and this line would leave a hook server with a beginning that has no end.
    const ticket = this.#owe(endOf[event], subject);
    if (urls.length === 0) return ticket;
    const { log, cid, ip } = subject;
    const question = { event, urls, body: this.#body(event, subject), timeoutMs: hooks.timeoutMs, clientId: cid, ip, log };
    return this.#openCaller()
      .ask(question)
      .then((to) => {
        if (to === undefined) return ticket;
        throw new ClientRedirect({ to, why: `the ${event} hook says so` });
      })
      .catch((error: unknown) => {
        this.#settle(ticket);
        throw error;
      });
  }

  tell(event: ToldEvent, subject: HookSubject, ticket: number, traffic?: HookTraffic): void {
    const hooks = this.#hooksOf(subject.vhost);
    const urls = hookUrls(hooks, event);
    if (urls.length === 0) {
      this.#settle(ticket);
      return;
    }
    const { log, cid, ip } = subject;
    const { timeoutMs, retries } = hooks;
    const body = this.#body(event, subject, traffic);
    // What is not settled before the end of this process stays owed, and is told by the back-source.
    const onSettled = (): void => this.#settle(ticket);
    void this.#openCaller().tell({ event, urls, body, timeoutMs, retries, clientId: cid, ip, log, onSettled });
  }

  /** Waits for what is under way, `graceMs` at most. */
  async close(graceMs: number): Promise<void> {
    await this.#caller?.close(graceMs);
  }

  #owe(event: ToldEvent, subject: HookSubject): number {
    if (hookUrls(this.#hooksOf(subject.vhost), event).length === 0) return NOTHING_OWED;
    const { cid, ip, vhost } = subject;
    return this.#options.keeper.owe({ event, vhost: vhost.name, cid, ip, body: this.#body(event, subject) });
  }

  #settle(ticket: number): void {
    if (ticket !== NOTHING_OWED) this.#options.keeper.settle(ticket);
  }

  /** The settings in force; those it was admitted with for a client whose vhost has gone. */
  #hooksOf(vhost: VhostConfig): HooksConfig {
    return (this.#options.config().vhosts.get(vhost.name) ?? vhost).hooks;
  }

  #openCaller(): HookCaller {
    this.#caller ??= newHookCaller(this.#options.log);
    return this.#caller;
  }

  #body(event: AskedEvent | ToldEvent, subject: HookSubject, traffic?: HookTraffic): string {
    this.#serverId ??= serverIdOf(this.#options.config());
    const { cid, ip, vhost, app, tcUrl, pageUrl, stream, param } = subject;
    return hookBody(event, {
      clientId: cid,
      ip,
      vhost: vhost.name,
      app,
      tcUrl,
      pageUrl,
      serverId: this.#serverId,
      ...(stream === undefined ? {} : { stream, param }),
      ...traffic,
    });
  }
}
