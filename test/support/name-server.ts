/** A DNS server that takes its time. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

export interface SlowName {
  readonly address: string;
  /** Infinity for never. */
  readonly afterMs: number;
}

const HEAD_BYTES = 12;
const TYPE_A = 1;
/** Response, recursion desired and available. */
const ANSWER_FLAGS = 0x8180;
const NO_SUCH_NAME = 3;
/** Instead of the name: the one at byte 12. */
const POINTER_TO_QUESTION = 0xc00c;
const CLASS_IN = 1;

/** Knows IPv4 addresses only; other questions about a known name get an empty answer, as late. */
export class NameServer {
  readonly #socket: Socket;
  readonly #names: ReadonlyMap<string, SlowName>;
  readonly #timers = new Set<NodeJS.Timeout>();
  /** Answers nobody any more. */
  isDown = false;

  private constructor(names: Readonly<Record<string, SlowName>>) {
    this.#names = new Map(Object.entries(names));
    this.#socket = createSocket('udp4', (question, { address, port }) => {
      const name = readName(question);
      const afterMs = this.#names.get(name)?.afterMs ?? 0;
      if (this.isDown || afterMs === Infinity) return;
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        this.#socket.send(answerTo(question, this.#names.get(name)?.address), port, address);
      }, afterMs);
      this.#timers.add(timer);
    });
  }

  /** @param address where it listens, at the port of such servers */
  static async start(address: string, names: Readonly<Record<string, SlowName>>): Promise<NameServer> {
    const server = new NameServer(names);
    server.#socket.bind(53, address);
    await once(server.#socket, 'listening');
    return server;
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#socket.close();
    await once(this.#socket, 'close');
  }
}

/** The question that follows the head: labels, each with its length before it. */
function readName(question: Buffer): string {
  const labels: string[] = [];
  for (let at = HEAD_BYTES; (question[at] ?? 0) > 0; at += 1 + question[at]!) {
    labels.push(question.toString('latin1', at + 1, at + 1 + question[at]!));
  }
  return labels.join('.').toLowerCase();
}

function answerTo(question: Buffer, address: string | undefined): Buffer {
  const nameEnd = question.indexOf(0, HEAD_BYTES) + 1;
  const isAsked = address !== undefined && question.readUInt16BE(nameEnd) === TYPE_A;
  const head = Buffer.alloc(HEAD_BYTES);
  question.copy(head, 0, 0, 2);
  head.writeUInt16BE(address === undefined ? ANSWER_FLAGS | NO_SUCH_NAME : ANSWER_FLAGS, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(isAsked ? 1 : 0, 6);
  const asked = question.subarray(HEAD_BYTES, nameEnd + 4);
  if (!isAsked) return Buffer.concat([head, asked]);
  const record = Buffer.alloc(16);
  record.writeUInt16BE(POINTER_TO_QUESTION, 0);
  record.writeUInt16BE(TYPE_A, 2);
  record.writeUInt16BE(CLASS_IN, 4);
  record.writeUInt16BE(4, 10);
  record.set(address.split('.').map(Number), 12);
  return Buffer.concat([head, asked, record]);
}
