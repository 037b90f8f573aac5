/** The numbers of the C interface that differ between Linux and macOS. */

/** Open file description locks, sockets and limits as `<fcntl.h>`, `<sys/socket.h>`, `<sys/resource.h>` number them. */
export interface PlatformNumbers {
  readonly AF_INET6: number;
  readonly SOL_SOCKET: number;
  readonly SO_REUSEADDR: number;
  readonly SO_REUSEPORT: number;
  readonly TCP_NOTSENT_LOWAT: number;
  /** 0 where there is no such option. */
  readonly TCP_USER_TIMEOUT: number;
  readonly IPV6_V6ONLY: number;
  readonly MSG_DONTWAIT: number;
  readonly MSG_NOSIGNAL: number;
  /** 0 where there is no such flag. */
  readonly MSG_CMSG_CLOEXEC: number;
  readonly F_DUPFD_CLOEXEC: number;
  readonly F_GETLK: number;
  readonly F_SETLK: number;
  readonly F_WRLCK: number;
  readonly F_UNLCK: number;
  readonly O_NONBLOCK: number;
  readonly RLIMIT_NOFILE: number;
}

const linux: PlatformNumbers = {
  AF_INET6: 10,
  SOL_SOCKET: 1,
  SO_REUSEADDR: 2,
  SO_REUSEPORT: 15,
  TCP_NOTSENT_LOWAT: 25,
  TCP_USER_TIMEOUT: 18,
  IPV6_V6ONLY: 26,
  MSG_DONTWAIT: 0x40,
  MSG_NOSIGNAL: 0x4000,
  MSG_CMSG_CLOEXEC: 0x40000000,
  F_DUPFD_CLOEXEC: 1030,
  F_GETLK: 5,
  F_SETLK: 6,
  F_WRLCK: 1,
  F_UNLCK: 2,
  O_NONBLOCK: 0o4000,
  RLIMIT_NOFILE: 7,
};

const darwin: PlatformNumbers = {
  AF_INET6: 30,
  SOL_SOCKET: 0xffff,
  SO_REUSEADDR: 0x4,
  SO_REUSEPORT: 0x200,
  TCP_NOTSENT_LOWAT: 0x201,
  TCP_USER_TIMEOUT: 0,
  IPV6_V6ONLY: 27,
  MSG_DONTWAIT: 0x80,
  MSG_NOSIGNAL: 0x80000,
  MSG_CMSG_CLOEXEC: 0,
  F_DUPFD_CLOEXEC: 67,
  F_GETLK: 7,
  F_SETLK: 8,
  F_WRLCK: 3,
  F_UNLCK: 2,
  O_NONBLOCK: 0x4,
  RLIMIT_NOFILE: 8,
};

export const isLinux = process.platform === 'linux';
export const isDarwin = process.platform === 'darwin';

export const platform: PlatformNumbers = isDarwin ? darwin : linux;

// The same on both.
export const AF_UNIX = 1;
export const AF_INET = 2;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SCM_RIGHTS = 1;
export const IPPROTO_TCP = 6;
export const IPPROTO_IPV6 = 41;
export const F_GETFD = 1;
export const F_SETFD = 2;
export const FD_CLOEXEC = 1;
export const F_GETFL = 3;
export const F_SETFL = 4;
export const PROT_READ_WRITE = 3;
export const MAP_SHARED = 1;
export const MFD_CLOEXEC = 1;
export const FALLOC_FL_KEEP_SIZE_PUNCH_HOLE = 3;
export const MFD_ALLOW_SEALING = 2;
export const F_ADD_SEALS = 1033;
/** F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW. */
export const F_SEAL_SIZE = 1 | 2 | 4;
