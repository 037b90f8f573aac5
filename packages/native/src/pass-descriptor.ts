/** Gives open descriptors to a process that runs already, over a socket that it has inherited (SCM_RIGHTS). */
import { SrsError } from '@srs/kernel';
import { closeFd, setCloseOnExec, setNonBlocking } from './descriptor.ts';
import { lastErrorNumber, libc } from './libc.ts';
import { AF_UNIX, isDarwin, platform, SCM_RIGHTS, SOCK_DGRAM } from './platform.ts';
import { addressOf } from './socket-send.ts';
import { SystemCallError } from './system-call-error.ts';

/** Both ends belong to the caller: one stays, the other is inherited by the process that shall receive. */
export interface DescriptorPipe {
  readonly sendFd: number;
  readonly receiveFd: number;
}

/** As many as Linux takes in one message. */
export const MAX_PASSED_DESCRIPTORS = 253;

/** @throws SrsError SocketCreate */
export function createDescriptorPipe(): DescriptorPipe {
  const pair = new Int32Array(2);
  // Datagrams: what is sent together is received together.
  if (libc('socketpair')(AF_UNIX, SOCK_DGRAM, 0, pair) !== 0) {
    throw new SystemCallError('SocketCreate', 'socketpair', 'for passing descriptors');
  }
  const [sendFd = -1, receiveFd = -1] = pair;
  try {
    for (const fd of [sendFd, receiveFd]) {
      setCloseOnExec(fd);
      setNonBlocking(fd);
    }
  } catch (thrown) {
    closeFd(sendFd);
    closeFd(receiveFd);
    throw thrown;
  }
  return { sendFd, receiveFd };
}

/**
 * Sends copies of `fds`; the sender may close its own at once. They are there for `receiveDescriptors` when this returns, so a
 * message on any other way that is sent afterwards finds them.
 * @param ticket 32 bits; names this parcel to the receiver
 * @throws SrsError SocketWrite when the receiver is gone, or has left too many parcels lying
 */
export function sendDescriptors(sendFd: number, ticket: number, fds: readonly number[]): void {
  if (fds.length === 0 || fds.length > MAX_PASSED_DESCRIPTORS) {
    throw new SrsError('SocketWrite', `descriptors to pass: ${fds.length} must be 1..${MAX_PASSED_DESCRIPTORS}`);
  }
  const parcel = new Parcel(fds.length);
  parcel.ticket.writeInt32LE(ticket | 0);
  parcel.putDescriptors(fds);
  if (libc('sendmsg')(sendFd, parcel.header, SEND_FLAGS) < 0) {
    throw new SystemCallError('SocketWrite', 'sendmsg', `${fds.length} descriptors`);
  }
}

/**
 * Takes what was sent under `ticket`; older parcels that nobody has asked for are closed. The descriptors belong to the caller and
 * are kept out of programs that are started later.
 * @throws SrsError SocketRead when there is no such parcel
 */
export function receiveDescriptors(receiveFd: number, ticket: number): readonly number[] {
  for (;;) {
    const parcel = new Parcel(MAX_PASSED_DESCRIPTORS);
    const received = libc('recvmsg')(receiveFd, parcel.header, RECEIVE_FLAGS);
    if (received < 0) {
      if (lastErrorNumber() === EINTR) continue;
      throw new SystemCallError('SocketRead', 'recvmsg', `descriptors of parcel ${ticket}`);
    }
    const fds = parcel.takeDescriptors();
    for (const fd of fds) setCloseOnExec(fd);
    if (received === TICKET_BYTES && parcel.ticket.readInt32LE() === (ticket | 0)) return fds;
    for (const fd of fds) closeFd(fd);
  }
}

const EINTR = 4;
const SEND_FLAGS = platform.MSG_DONTWAIT | platform.MSG_NOSIGNAL;
const RECEIVE_FLAGS = platform.MSG_DONTWAIT | platform.MSG_CMSG_CLOEXEC;
const TICKET_BYTES = 4;
const FD_BYTES = 4;

/*
 * struct msghdr    Linux   name 8 | name length 4 | - 4 | iov 8 | iov count 8 | control 8 | control length 8 | flags 4 | - 4
 *                  macOS   name 8 | name length 4 | - 4 | iov 8 | iov count 4 | - 4 | control 8 | control length 4 | flags 4
 * struct iovec             base 8 | length 8
 * struct cmsghdr   Linux   length 8 | level 4 | type 4 | descriptors 4 each
 *                  macOS   length 4 | level 4 | type 4 | descriptors 4 each
 */
const HEADER_BYTES = isDarwin ? 48 : 56;
const IOV_OFFSET = 16;
const IOV_COUNT_OFFSET = 24;
const CONTROL_OFFSET = 32;
const CONTROL_LENGTH_OFFSET = 40;
const IOVEC_BYTES = 16;
const CMSG_HEAD_BYTES = isDarwin ? 12 : 16;
const CMSG_LEVEL_OFFSET = isDarwin ? 4 : 8;
const CMSG_TYPE_OFFSET = isDarwin ? 8 : 12;
/** The kernel writes whole words. */
const CMSG_ALIGNMENT = 8;

/** The memory of one message; it must live as long as the call that is given its header. */
class Parcel {
  readonly header: Buffer = Buffer.from(new ArrayBuffer(HEADER_BYTES));
  readonly ticket: Buffer = Buffer.from(new ArrayBuffer(TICKET_BYTES));
  readonly #iovec: Buffer = Buffer.from(new ArrayBuffer(IOVEC_BYTES));
  readonly #control: Buffer;

  constructor(maxDescriptors: number) {
    const controlBytes = Math.ceil((CMSG_HEAD_BYTES + maxDescriptors * FD_BYTES) / CMSG_ALIGNMENT) * CMSG_ALIGNMENT;
    this.#control = Buffer.from(new ArrayBuffer(controlBytes));
    this.#iovec.writeBigUInt64LE(BigInt(addressOf(this.ticket)), 0);
    this.#iovec.writeBigUInt64LE(BigInt(TICKET_BYTES), 8);
    this.header.writeBigUInt64LE(BigInt(addressOf(this.#iovec)), IOV_OFFSET);
    this.header.writeUInt32LE(1, IOV_COUNT_OFFSET);
    this.header.writeBigUInt64LE(BigInt(addressOf(this.#control)), CONTROL_OFFSET);
    this.#controlLength = controlBytes;
  }

  putDescriptors(fds: readonly number[]): void {
    const sizeBytes = CMSG_HEAD_BYTES + fds.length * FD_BYTES;
    this.#control.writeUInt32LE(sizeBytes, 0);
    this.#control.writeInt32LE(platform.SOL_SOCKET, CMSG_LEVEL_OFFSET);
    this.#control.writeInt32LE(SCM_RIGHTS, CMSG_TYPE_OFFSET);
    for (const [index, fd] of fds.entries()) this.#control.writeInt32LE(fd, CMSG_HEAD_BYTES + index * FD_BYTES);
    this.#controlLength = sizeBytes;
  }

  takeDescriptors(): number[] {
    if (this.#controlLength < CMSG_HEAD_BYTES) return [];
    const isRights =
      this.#control.readInt32LE(CMSG_LEVEL_OFFSET) === platform.SOL_SOCKET &&
      this.#control.readInt32LE(CMSG_TYPE_OFFSET) === SCM_RIGHTS;
    const count = isRights ? Math.floor((this.#control.readUInt32LE(0) - CMSG_HEAD_BYTES) / FD_BYTES) : 0;
    return Array.from({ length: count }, (_, index) => this.#control.readInt32LE(CMSG_HEAD_BYTES + index * FD_BYTES));
  }

  get #controlLength(): number {
    return this.header.readUInt32LE(CONTROL_LENGTH_OFFSET);
  }

  set #controlLength(sizeBytes: number) {
    this.header.writeUInt32LE(sizeBytes, CONTROL_LENGTH_OFFSET);
  }
}
