/** The functions of the C library that this package calls, each bound when it is first needed. */
import koffi from 'koffi';

export interface Libc {
  readonly memfd_create: (name: string, flags: number) => number;
  readonly ftruncate: (fd: number, length: number) => number;
  /** An address; -1 (all bits set) when it failed. */
  readonly mmap: (address: number, length: number, protection: number, flags: number, fd: number, offset: number) => bigint;
  readonly fallocate: (fd: number, mode: number, offset: number, length: number) => number;
  readonly socket: (domain: number, type: number, protocol: number) => number;
  readonly setsockopt: (fd: number, level: number, option: number, value: Uint8Array, length: number) => number;
  readonly bind: (fd: number, address: Uint8Array, length: number) => number;
  readonly listen: (fd: number, backlog: number) => number;
  readonly getsockname: (fd: number, address: Uint8Array, length: Uint8Array) => number;
  readonly inet_pton: (family: number, text: string, address: Uint8Array) => number;
  readonly socketpair: (domain: number, type: number, protocol: number, pair: Int32Array) => number;
  readonly send: (fd: number, bytes: Uint8Array, length: number, flags: number) => number;
  /** `send` of the bytes at an address. */
  readonly sendFrom: (fd: number, address: number, length: number, flags: number) => number;
  /** `recv` to an address. */
  readonly receiveTo: (fd: number, address: number, length: number, flags: number) => number;
  readonly sendto: (
    fd: number,
    bytes: Uint8Array,
    length: number,
    flags: number,
    address: Uint8Array,
    addressLength: number,
  ) => number;
  readonly sendmsg: (fd: number, message: Uint8Array, flags: number) => number;
  readonly recvmsg: (fd: number, message: Uint8Array, flags: number) => number;
  readonly accept: (fd: number, address: null, length: null) => number;
  readonly fcntlNumber: (fd: number, command: number, valueType: 'int', value: number) => number;
  readonly fcntlPointer: (fd: number, command: number, valueType: 'void *', value: Uint8Array) => number;
  /** glibc only. */
  readonly malloc_trim: (keepBytes: number) => number;
  readonly getrlimit: (resource: number, limit: Uint8Array) => number;
}

const definitions: Readonly<Record<keyof Libc, string>> = {
  memfd_create: 'int memfd_create(const char *name, unsigned int flags)',
  ftruncate: 'int ftruncate(int fd, int64_t length)',
  // Addresses as integers: a pointer type would turn MAP_FAILED and NULL into values of its own.
  mmap: 'uintptr_t mmap(uintptr_t address, size_t length, int protection, int flags, int fd, int64_t offset)',
  fallocate: 'int fallocate(int fd, int mode, int64_t offset, int64_t length)',
  socket: 'int socket(int domain, int type, int protocol)',
  setsockopt: 'int setsockopt(int fd, int level, int option, const void *value, uint32_t length)',
  bind: 'int bind(int fd, const void *address, uint32_t length)',
  listen: 'int listen(int fd, int backlog)',
  getsockname: 'int getsockname(int fd, void *address, void *length)',
  inet_pton: 'int inet_pton(int family, const char *text, void *address)',
  socketpair: 'int socketpair(int domain, int type, int protocol, void *pair)',
  send: 'intptr_t send(int fd, const void *bytes, size_t length, int flags)',
  sendFrom: 'intptr_t send(int fd, uintptr_t address, size_t length, int flags)',
  receiveTo: 'intptr_t recv(int fd, uintptr_t address, size_t length, int flags)',
  sendto: 'intptr_t sendto(int fd, const void *bytes, size_t length, int flags, const void *address, uint32_t addressLength)',
  sendmsg: 'intptr_t sendmsg(int fd, const void *message, int flags)',
  recvmsg: 'intptr_t recvmsg(int fd, void *message, int flags)',
  accept: 'int accept(int fd, void *address, void *length)',
  // Variadic on purpose: Apple's arm64 passes such arguments on the stack.
  fcntlNumber: 'int fcntl(int fd, int command, ...)',
  fcntlPointer: 'int fcntl(int fd, int command, ...)',
  malloc_trim: 'int malloc_trim(size_t keep)',
  getrlimit: 'int getrlimit(int resource, void *limit)',
};

let library: ReturnType<typeof koffi.load> | undefined;
const bound = new Map<keyof Libc, unknown>();

/** The function `name`; bound once. Look it up outside of a hot path. */
export function libc<Name extends keyof Libc>(name: Name): Libc[Name] {
  let found = bound.get(name);
  if (found === undefined) {
    library ??= koffi.load(null);
    found = library.func(definitions[name]);
    bound.set(name, found);
  }
  return found as Libc[Name];
}

/** The error number that the last failed call of this thread left. Ask at once, before anything else runs. */
export function lastErrorNumber(): number {
  return koffi.errno();
}

/** The memory at `address` as an ArrayBuffer that owns nothing: it must stay mapped for as long as the process lives. */
export function viewMemory(address: bigint, sizeBytes: number): ArrayBuffer {
  return koffi.view(address, sizeBytes);
}
