/** The catalogue of every error a user or peer can cause: name, SRS number, and the exception that carries them. */

/**
 * Name to number. The numbers are those of SRS (its log lines, exit codes and API answers use them); two names may share
 * one number where this server tells cases apart that SRS did not.
 */
export const errorCodes = {
  // 1000: system
  SocketCreate: 1000,
  SocketReuse: 1001,
  SocketBind: 1002,
  SocketListen: 1003,
  SocketClosed: 1004,
  SocketRead: 1007,
  SocketReadFully: 1008,
  SocketWrite: 1009,
  SocketTimeout: 1011,
  SocketConnect: 1018,
  PacketInvalid: 1019,
  ClientType: 1020,
  ConfigInvalid: 1023,
  ConfigBlockEnd: 1026,
  ConfigEnd: 1027,
  StreamBusy: 1028,
  DnsResolve: 1029,
  ForwardLoop: 1030,
  PidFile: 1034,
  AlreadyRunning: 1035,
  FileOpen: 1042,
  FileRead: 1045,
  FileWrite: 1046,
  TooManyConnections: 1051,
  AddressLimit: 1051,
  ServerDrained: 1051,
  SecurityNotAllowed: 1052,
  SecurityDenied: 1053,
  SharedMemory: 1060,
  ControlProtocol: 1061,
  ControlTimeout: 1062,
  WorkerFailed: 1063,
  RingCorrupt: 1064,
  Registry: 1065,
  // 2000: RTMP
  RtmpPlainRequired: 2000,
  RtmpChunkStart: 2001,
  RtmpChunkSize: 2002,
  Amf0Decode: 2003,
  Amf0Type: 2004,
  Amf3Decode: 2003,
  RtmpConnect: 2005,
  RtmpTcUrl: 2006,
  RtmpMessageDecode: 2007,
  RtmpMessageEncode: 2008,
  Amf0Encode: 2009,
  RtmpPacketSize: 2013,
  RtmpVhost: 2014,
  RtmpAccessDenied: 2015,
  RtmpHandshake: 2016,
  RtmpResponse: 2017,
  RtmpDurationExceeded: 2019,
  RtmpAggregate: 2024,
  RtmpMemory: 2040,
  RtmpStreamName: 2041,
  RtmpRejected: 2042,
  ClientRedirected: 2042,
  StreamNotFound: 2048,
  ClientNotFound: 2049,
  // 3000: application
  HlsDecode: 3001,
  HlsMemory: 3001,
  AacConfig: 3005,
  AvcConfig: 3006,
  HevcConfig: 3006,
  Av1Config: 3006,
  RequestUri: 3007,
  HttpAnswer: 3008,
  HttpStatus: 3011,
  VodBusy: 3011,
  FlvSeek: 3014,
  FlvHeader: 3037,
  FlvTag: 3036,
  Mp4File: 3076,
} as const;

export type ErrorName = keyof typeof errorCodes;

/**
 * Broken protocol, broken invariant, or a failed operation a user must hear about. The message names the thing, the value and
 * the limit (`chunk size 0 must be 1..65536`).
 */
export class SrsError extends Error {
  readonly errorName: ErrorName;
  /** The SRS number of the error. */
  readonly code: number;

  constructor(errorName: ErrorName, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'SrsError';
    this.errorName = errorName;
    this.code = errorCodes[errorName];
  }
}

/** The text of anything that was thrown, with the messages of its causes. */
export function describeError(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const own = thrown.message === '' ? thrown.name : thrown.message;
  return thrown.cause === undefined ? own : `${own}: ${describeError(thrown.cause)}`;
}

/** The system's error word (`ECONNRESET`), if `thrown` carries one. */
export function systemErrorCode(thrown: unknown): string | undefined {
  if (thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string') return thrown.code;
  return undefined;
}
