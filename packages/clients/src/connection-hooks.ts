/** The hooks of one connection: what was allowed is told to be over, exactly once and in order, whatever happens in between. */
import type { StreamUse } from '@srs/access';
import type { AdmittedStream } from './admitted-stream.ts';
import type { ClientHooks, HookNoticeName, HookQuestionName, HookSubject, HookTraffic } from './client-hooks.ts';

/** Describes the client, without a stream; asked at each event, because a player that is only there shall take little memory. */
export interface HookedClient {
  readonly hookSubject: HookSubject;
}

/** What was allowed and is not over. */
interface Use {
  readonly use: StreamUse;
  readonly target: AdmittedStream;
  readonly param: string;
  readonly ticket: number;
}

const questions: Readonly<Record<StreamUse, HookQuestionName>> = { publish: 'on_publish', play: 'on_play' };
const notices: Readonly<Record<StreamUse, HookNoticeName>> = { publish: 'on_unpublish', play: 'on_stop' };
/** The client has not been let in, or is gone. */
const NO_TICKET = -1;

export class ConnectionHooks {
  readonly #hooks: ClientHooks;
  readonly #client: HookedClient;
  /** Of on_close. */
  #ticket = NO_TICKET;
  #use: Use | undefined;
  #isAsking = false;
  /** Set when the connection has closed. */
  #traffic: HookTraffic | undefined;

  constructor(hooks: ClientHooks, client: HookedClient) {
    this.#hooks = hooks;
    this.#client = client;
  }

  /** @throws SrsError HttpAnswer when the client may not come in */
  connect(): void | Promise<void> {
    return this.#ask(this.#hooks.ask('on_connect', this.#client.hookSubject), (ticket) => {
      this.#ticket = ticket;
    });
  }

  isAsked(use: StreamUse, { vhost }: AdmittedStream): boolean {
    return this.#hooks.isAsked(questions[use], vhost);
  }

  /**
   * @param streamName as the client wrote it, see `paramOf`
   * @throws SrsError HttpAnswer when the client may not have the stream
   */
  begin(use: StreamUse, target: AdmittedStream, streamName: string): void | Promise<void> {
    const param = this.paramOf(streamName);
    return this.#ask(this.#hooks.ask(questions[use], this.#subjectOf(target, param)), (ticket) => {
      this.#use = { use, target, param, ticket };
    });
  }

  /** As the client wrote it. */
  get tcUrl(): string {
    return this.#client.hookSubject.tcUrl;
  }

  /** The parameters that count for a stream: those of its name, or else of the tcUrl. */
  paramOf(streamName: string): string {
    const start = streamName.indexOf('?');
    return start < 0 ? this.#client.hookSubject.param : streamName.slice(start);
  }

  /** The publish or play is over, if there is one. */
  end(): void {
    if (this.#use === undefined) return;
    const { use, target, param, ticket } = this.#use;
    this.#use = undefined;
    this.#hooks.tell(notices[use], this.#subjectOf(target, param), ticket);
  }

  /** The connection has closed. While it asks, the answer is waited for: a yes has to be followed by its end. */
  close(traffic: HookTraffic): void {
    this.#traffic = traffic;
    if (!this.#isAsking) this.#finish();
  }

  #subjectOf({ vhost, stream }: AdmittedStream, param: string): HookSubject {
    return { ...this.#client.hookSubject, vhost, stream, param };
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
    const ticket = this.#ticket;
    this.#ticket = NO_TICKET;
    if (ticket !== NO_TICKET) this.#hooks.tell('on_close', this.#client.hookSubject, ticket, this.#traffic);
  }
}
