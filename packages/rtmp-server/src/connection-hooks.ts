/** The hooks of one connection: what was allowed is told to be over, exactly once and in order, whatever happens in between. */
import type { StreamUse } from '@srs/access';
import type { AdmittedStream } from './admission.ts';
import type { ClientHooks, HookNoticeName, HookSubject, HookTraffic } from './client-hooks.ts';

/** Something that was allowed and is not over. */
interface Allowed {
  readonly event: HookNoticeName;
  readonly subject: HookSubject;
  readonly ticket: number;
}

export class ConnectionHooks {
  readonly #hooks: ClientHooks;
  readonly #client: HookSubject;
  #connected: Allowed | undefined;
  #use: Allowed | undefined;
  #isAsking = false;
  /** Set when the connection has closed. */
  #traffic: HookTraffic | undefined;

  constructor(hooks: ClientHooks, client: HookSubject) {
    this.#hooks = hooks;
    this.#client = client;
  }

  /** @throws SrsError HttpAnswer when the client may not come in */
  connect(): void | Promise<void> {
    return this.#ask(this.#hooks.ask('on_connect', this.#client), (ticket) => {
      this.#connected = { event: 'on_close', subject: this.#client, ticket };
    });
  }

  isAsked(use: StreamUse, { vhost }: AdmittedStream): boolean {
    return this.#hooks.isAsked(use === 'publish' ? 'on_publish' : 'on_play', vhost);
  }

  /**
   * @param streamName as the client wrote it: its parameters count, or else those of the tcUrl
   * @throws SrsError HttpAnswer when the client may not have the stream
   */
  begin(use: StreamUse, { vhost, stream }: AdmittedStream, streamName: string): void | Promise<void> {
    const start = streamName.indexOf('?');
    const param = start < 0 ? this.#client.param : streamName.slice(start);
    const subject: HookSubject = { ...this.#client, vhost, stream, param };
    const [question, event] = use === 'publish' ? (['on_publish', 'on_unpublish'] as const) : (['on_play', 'on_stop'] as const);
    return this.#ask(this.#hooks.ask(question, subject), (ticket) => {
      this.#use = { event, subject, ticket };
    });
  }

  /** The publish or play is over, if there is one. */
  end(): void {
    const use = this.#use;
    this.#use = undefined;
    if (use !== undefined) this.#hooks.tell(use.event, use.subject, use.ticket);
  }

  /** The connection has closed. While it asks, the answer is waited for: a yes has to be followed by its end. */
  close(traffic: HookTraffic): void {
    this.#traffic = traffic;
    if (!this.#isAsking) this.#finish();
  }

  #ask(asked: number | Promise<number>, allow: (ticket: number) => void): void | Promise<void> {
    if (typeof asked === 'number') {
      allow(asked);
      return;
    }
    this.#isAsking = true;
    return asked.then(allow).finally(() => {
      this.#isAsking = false;
      if (this.#traffic !== undefined) this.#finish();
    });
  }

  #finish(): void {
    this.end();
    const connected = this.#connected;
    this.#connected = undefined;
    if (connected !== undefined) this.#hooks.tell(connected.event, connected.subject, connected.ticket, this.#traffic);
  }
}
