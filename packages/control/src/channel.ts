/** Typed requests and notifications over a link, with time limits. */
import { describeError, SrsError } from '@srs/kernel';
import type { Link } from './link.ts';

/** The shape that the protocols of `messages.ts` have. */
export interface ProtocolShape {
  readonly requests: object;
  readonly notifications: object;
}

type Requests<P extends ProtocolShape> = P['requests'];
type Notifications<P extends ProtocolShape> = P['notifications'];
type RequestBody<P extends ProtocolShape, N extends keyof Requests<P>> = Requests<P>[N] extends { request: infer R } ? R : never;
type ResponseBody<P extends ProtocolShape, N extends keyof Requests<P>> = Requests<P>[N] extends { response: infer R }
  ? R
  : never;

/** What this end answers and hears. A name that is absent is refused (request) or ignored (notification). */
export interface ChannelHandler<P extends ProtocolShape> {
  readonly requests?: {
    readonly [N in keyof Requests<P>]?: (body: RequestBody<P, N>) => ResponseBody<P, N> | Promise<ResponseBody<P, N>>;
  };
  readonly notifications?: { readonly [N in keyof Notifications<P>]?: (body: Notifications<P>[N]) => void };
  /** The link is gone; every open request has been rejected before this is called. */
  readonly onClose?: (error: Error | undefined) => void;
}

const REQUEST = 0;
const RESPONSE = 1;
const FAILURE = 2;
const NOTIFICATION = 3;

/** [kind, request id, name, body]; a failure's body is its text. */
type Envelope = readonly [kind: number, id: number, name: string, body: unknown];

const DEFAULT_TIMEOUT_MS = 5_000;

interface PendingRequest {
  readonly name: string;
  readonly timer: NodeJS.Timeout;
  resolve(body: unknown): void;
  reject(error: Error): void;
}

export class Channel<P extends ProtocolShape> {
  readonly #link: Link;
  readonly #handler: ChannelHandler<P>;
  readonly #pending = new Map<number, PendingRequest>();
  /** What to do with answers that come after their time. */
  readonly #late = new Map<number, (body: unknown) => void>();
  #nextId = 1;
  #isClosed = false;

  constructor(link: Link, handler: ChannelHandler<P>) {
    this.#link = link;
    this.#handler = handler;
    link.attach({ onMessage: (message) => this.#receive(message), onClose: (error) => this.#closed(error) });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * @param onLate takes an answer that came after the time limit: what the peer has granted must be given back
   * @throws SrsError ControlTimeout when no answer came in time, ControlProtocol when the peer refused or the link closed
   */
  request<N extends keyof Requests<P> & string>(
    name: N,
    body: RequestBody<P, N>,
    timeoutMs: number = DEFAULT_TIMEOUT_MS,
    onLate?: (body: ResponseBody<P, N>) => void,
  ): Promise<ResponseBody<P, N>> {
    if (this.#isClosed) return Promise.reject(new SrsError('ControlProtocol', `control request ${name}: the link is closed`));
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        if (onLate !== undefined) this.#late.set(id, onLate as (body: unknown) => void);
        reject(new SrsError('ControlTimeout', `control request ${name}: no answer within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#pending.set(id, { name, timer, resolve: resolve as (value: unknown) => void, reject });
      this.#send([REQUEST, id, name, body]);
    });
  }

  notify<N extends keyof Notifications<P> & string>(name: N, body: Notifications<P>[N]): void {
    this.#send([NOTIFICATION, 0, name, body]);
  }

  close(): void {
    this.#link.close();
    this.#closed(undefined);
  }

  #send(envelope: Envelope): void {
    this.#link.send(envelope);
  }

  #receive(message: unknown): void {
    if (this.#isClosed) return;
    if (!isEnvelope(message)) {
      this.#closed(new SrsError('ControlProtocol', 'control message must be [kind, id, name, body]'));
      this.#link.close();
      return;
    }
    const [kind, id, name, body] = message;
    switch (kind) {
      case REQUEST:
        void this.#answer(id, name, body);
        return;
      case NOTIFICATION:
        handlerOf(this.#handler.notifications, name)?.(body);
        return;
      case RESPONSE:
        this.#answered(id, body);
        return;
      case FAILURE:
        this.#take(id)?.reject(new SrsError('ControlProtocol', `control request ${name}: ${String(body)}`));
        return;
      default:
        return;
    }
  }

  async #answer(id: number, name: string, body: unknown): Promise<void> {
    try {
      const handler = handlerOf(this.#handler.requests, name);
      if (handler === undefined) throw new SrsError('ControlProtocol', `no such request: ${name}`);
      this.#send([RESPONSE, id, name, await handler(body)]);
    } catch (error) {
      this.#send([FAILURE, id, name, describeError(error)]);
    }
  }

  #answered(id: number, body: unknown): void {
    const pending = this.#take(id);
    if (pending !== undefined) {
      pending.resolve(body);
      return;
    }
    const onLate = this.#late.get(id);
    this.#late.delete(id);
    onLate?.(body);
  }

  #take(id: number): PendingRequest | undefined {
    const pending = this.#pending.get(id);
    if (pending !== undefined) {
      this.#pending.delete(id);
      clearTimeout(pending.timer);
    }
    return pending;
  }

  #closed(error: Error | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const pending of this.#pending.values()) {
      clearTimeout(pending.timer);
      pending.reject(
        new SrsError('ControlProtocol', `control request ${pending.name}: the link closed before the answer`, { cause: error }),
      );
    }
    this.#pending.clear();
    this.#late.clear();
    this.#handler.onClose?.(error);
  }
}

/** Own properties only: `constructor` is no request. */
function handlerOf(handlers: object | undefined, name: string): ((body: unknown) => unknown) | undefined {
  if (handlers === undefined || !Object.hasOwn(handlers, name)) return undefined;
  return (handlers as Record<string, (body: unknown) => unknown>)[name];
}

function isEnvelope(message: unknown): message is Envelope {
  return (
    Array.isArray(message) &&
    message.length === 4 &&
    typeof message[0] === 'number' &&
    typeof message[1] === 'number' &&
    typeof message[2] === 'string'
  );
}
