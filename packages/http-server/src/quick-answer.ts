/** Answers that are made once, and sent as they are to everybody who asks for the same. */

/** Bytes of a whole answer: its head, and its body where it has one. */
export interface QuickAnswer {
  readonly bytes: Buffer;
  /** What follows them, when it is too large to be put behind them. */
  readonly more?: Buffer;
}

/** For the next request of a connection. */
export const KEEP_ALIVE_SECONDS = 15;
/** Up to here one write of a copy is cheaper than two. */
const MAX_JOINED_BYTES = 64 * 1024;

let knownSecond = 0;
let knownEnd = '';

/** What stands at the end of every head; the date is the same for a second. */
function headEnd(second: number): string {
  if (second !== knownSecond) {
    knownSecond = second;
    const date = new Date(second * 1000).toUTCString();
    knownEnd = `Date: ${date}\r\nConnection: keep-alive\r\nKeep-Alive: timeout=${KEEP_ALIVE_SECONDS}\r\n\r\n`;
  }
  return knownEnd;
}

/** @param headers names and values in turn */
export function headAnswer(status: string, headers: readonly string[], wallMs: number): QuickAnswer {
  return { bytes: Buffer.from(`${headStart(status, headers)}${headEnd(Math.floor(wallMs / 1000))}`, 'latin1') };
}

/** Status 200 with a body of its own. */
export function textAnswer(headers: readonly string[], text: string, wallMs: number): QuickAnswer {
  const body = Buffer.from(text);
  const { bytes } = headAnswer('200 OK', [...headers, 'Content-Length', String(body.length)], wallMs);
  return { bytes: Buffer.concat([bytes, body]) };
}

/** Of body and head. */
export function sizeOfAnswer({ bytes, more }: QuickAnswer): number {
  return bytes.length + (more?.length ?? 0);
}

function headStart(status: string, headers: readonly string[]): string {
  let text = `HTTP/1.1 ${status}\r\n`;
  for (let index = 0; index < headers.length; index += 2) text += `${headers[index]}: ${headers[index + 1]}\r\n`;
  return text;
}

/** Status 200 with a body. */
export class PreparedAnswer {
  readonly #head: string;
  readonly body: Buffer;
  #second = Number.NaN;
  #answer: QuickAnswer | undefined;

  /** @param body is not changed any more */
  constructor(headers: readonly string[], body: Buffer) {
    this.#head = headStart('200 OK', [...headers, 'Content-Length', String(body.length)]);
    this.body = body;
  }

  get(method: 'GET' | 'HEAD', wallMs: number): QuickAnswer {
    const second = Math.floor(wallMs / 1000);
    if (method === 'HEAD') return { bytes: this.#headBytes(second) };
    if (second !== this.#second || this.#answer === undefined) {
      this.#second = second;
      const head = this.#headBytes(second);
      const isJoined = this.body.length <= MAX_JOINED_BYTES;
      this.#answer = isJoined ? { bytes: Buffer.concat([head, this.body]) } : { bytes: head, more: this.body };
    }
    return this.#answer;
  }

  #headBytes(second: number): Buffer {
    return Buffer.from(this.#head + headEnd(second), 'latin1');
  }
}
