/** The RTMP handshake of both sides: simple (Adobe RTMP spec 1.0, 5.2) and complex, with a digest in each packet. */
import { SrsError } from '@srs/kernel';
import type { RtmpCrypto } from './crypto.ts';
import {
  DIGEST_BYTES,
  type DigestSchema,
  digestPosition,
  HANDSHAKE_BYTES,
  keyPosition,
  playerKey,
  playerKeyText,
  serverKey,
  serverKeyText,
  sign,
  signedAnswer,
  validDigest,
} from './handshake-digest.ts';

/** C0 and S0: the version of the protocol. */
const VERSION_PLAIN = 3;
const VERSION_ENCRYPTED = 6;
/** What peers of other protocols begin with: the content type of a TLS handshake, the first letter of an HTTP request. */
const TLS_HANDSHAKE_RECORD = 22;
const UPPER_CASE_A = 65;
const UPPER_CASE_Z = 90;
/** The version fields of S1 and C1 in the complex form: those of a media server and a player of that time. */
const SERVER_VERSION = 0x01000504;
const CLIENT_VERSION = 0x80000702;
const TIME_POSITION = 0;
const PEER_TIME_POSITION = 4;
const RANDOM_POSITION = 8;
/** The random bytes of a simple S1 keep to this range, as SRS's do. */
const RANDOM_MIN = 0x0f;
const RANDOM_COUNT = 0xf0 - RANDOM_MIN + 1;

/** How a finished handshake was spoken; the schema is the layout of the client's C1. */
export type HandshakeKind = 'simple' | 'complex-schema0' | 'complex-schema1';

interface HandshakeOptions {
  readonly crypto: RtmpCrypto;
  /** Seconds since 1970. */
  readonly unixSeconds: () => number;
  /** Takes bytes for the peer; they belong to the callee. */
  send(bytes: Buffer): void;
}

export type ServerHandshakeOptions = HandshakeOptions;
export interface ClientHandshakeOptions extends HandshakeOptions {
  readonly kind: 'complex' | 'simple';
}

/** Collects one packet of 1536 bytes that arrives in any pieces, and keeps nothing else. */
class Packet {
  readonly #bytes = Buffer.alloc(HANDSHAKE_BYTES);
  #length = 0;

  /** Takes what it needs and returns the rest. */
  fill(bytes: Buffer): Buffer {
    const taken = bytes.copy(this.#bytes, this.#length);
    this.#length += taken;
    return bytes.subarray(taken);
  }

  /** The whole packet, or undefined while bytes are missing. */
  get whole(): Buffer | undefined {
    return this.#length === HANDSHAKE_BYTES ? this.#bytes : undefined;
  }
}

function assertPlain(side: 'C0' | 'S0', version: number): void {
  if (version === VERSION_PLAIN) return;
  throw new SrsError(
    'RtmpPlainRequired',
    `RTMP version ${version}${strangerName(version)} in ${side} must be ${VERSION_PLAIN} (plain)`,
  );
}

/** Who begins with that byte: it tells an operator at once which port or scheme was mixed up. */
function strangerName(version: number): string {
  if (version === VERSION_ENCRYPTED) return ' (RTMPE, encrypted)';
  if (version === TLS_HANDSHAKE_RECORD) return ' (TLS, as of rtmps or https)';
  return version >= UPPER_CASE_A && version <= UPPER_CASE_Z ? ' (text, such as HTTP)' : '';
}

/**
 * The server's half: C0 C1 in, S0 S1 S2 out, C2 in. C1 is tried as digest schema 0, then schema 1, then taken as simple. C2 is
 * read and never verified, because FFmpeg sends an invalid one.
 */
export class ServerHandshake {
  readonly #options: ServerHandshakeOptions;
  #state: 'c0' | 'c1' | 'c2' | 'done' = 'c0';
  #c1: Packet | undefined;
  #c2Missing = HANDSHAKE_BYTES;
  #kind: HandshakeKind | undefined;

  constructor(options: ServerHandshakeOptions) {
    this.#options = options;
  }

  /** How the client spoke; undefined until C1 is complete. */
  get kind(): HandshakeKind | undefined {
    return this.#kind;
  }

  /**
   * Feeds bytes in pieces of any size. Returns undefined while it wants more, otherwise what follows C2: a view of `bytes`, maybe
   * empty. S0 S1 S2 are sent in one piece as soon as C1 is complete.
   *
   * @throws SrsError RtmpPlainRequired when C0 is not 3
   */
  receive(bytes: Buffer): Buffer | undefined {
    let rest = bytes;
    if (this.#state === 'c0') rest = this.#readC0(rest);
    if (this.#state === 'c1') rest = this.#readC1(rest);
    if (this.#state === 'c2') rest = this.#readC2(rest);
    return this.#state === 'done' ? rest : undefined;
  }

  #readC0(bytes: Buffer): Buffer {
    if (bytes.length === 0) return bytes;
    assertPlain('C0', bytes.readUInt8(0));
    this.#c1 = new Packet();
    this.#state = 'c1';
    return bytes.subarray(1);
  }

  #readC1(bytes: Buffer): Buffer {
    const rest = this.#c1?.fill(bytes) ?? bytes;
    const c1 = this.#c1?.whole;
    if (c1 === undefined) return rest;
    this.#c1 = undefined;
    this.#state = 'c2';
    this.#options.send(this.#complexAnswer(c1, 0) ?? this.#complexAnswer(c1, 1) ?? this.#simpleAnswer(c1));
    return rest;
  }

  #readC2(bytes: Buffer): Buffer {
    const taken = Math.min(this.#c2Missing, bytes.length);
    this.#c2Missing -= taken;
    if (this.#c2Missing === 0) this.#state = 'done';
    return bytes.subarray(taken);
  }

  #complexAnswer(c1: Buffer, schema: DigestSchema): Buffer | undefined {
    const { crypto, unixSeconds } = this.#options;
    const c1Digest = validDigest(crypto, playerKeyText, c1, schema);
    if (c1Digest === undefined) return undefined;
    this.#kind = schema === 0 ? 'complex-schema0' : 'complex-schema1';
    const s1 = crypto.randomBytes(HANDSHAKE_BYTES);
    s1.writeUInt32BE(unixSeconds() >>> 0, TIME_POSITION);
    s1.writeUInt32BE(SERVER_VERSION, PEER_TIME_POSITION);
    crypto.diffieHellmanPublicKey().copy(s1, keyPosition(s1, schema));
    sign(crypto, serverKeyText, s1, schema);
    return Buffer.concat([Buffer.of(VERSION_PLAIN), s1, signedAnswer(crypto, serverKey, c1Digest)]);
  }

  #simpleAnswer(c1: Buffer): Buffer {
    this.#kind = 'simple';
    const s1 = this.#options.crypto.randomBytes(HANDSHAKE_BYTES);
    for (let at = RANDOM_POSITION; at < HANDSHAKE_BYTES; at++) s1[at] = RANDOM_MIN + (s1.readUInt8(at) % RANDOM_COUNT);
    s1.writeUInt32BE(this.#options.unixSeconds() >>> 0, TIME_POSITION);
    c1.copy(s1, PEER_TIME_POSITION, TIME_POSITION, TIME_POSITION + 4);
    return Buffer.concat([Buffer.of(VERSION_PLAIN), s1, c1]);
  }
}

/**
 * The client's half: C0 C1 out, S0 S1 S2 in, C2 out. S1 and S2 are not verified: servers in the field sign with other keys or
 * not at all.
 */
export class ClientHandshake {
  readonly #options: ClientHandshakeOptions;
  #state: 's0' | 's1' | 's2' | 'done' = 's0';
  #s1: Packet | undefined;
  #s2Missing = HANDSHAKE_BYTES;

  constructor(options: ClientHandshakeOptions) {
    this.#options = options;
  }

  /** Sends C0 C1. To be called once, before `receive`. */
  start(): void {
    const { crypto, kind, unixSeconds } = this.#options;
    const c1 = crypto.randomBytes(HANDSHAKE_BYTES);
    c1.writeUInt32BE(unixSeconds() >>> 0, TIME_POSITION);
    c1.writeUInt32BE(kind === 'complex' ? CLIENT_VERSION : 0, PEER_TIME_POSITION);
    if (kind === 'complex') sign(crypto, playerKeyText, c1, 1);
    this.#options.send(Buffer.concat([Buffer.of(VERSION_PLAIN), c1]));
  }

  /**
   * Feeds bytes in pieces of any size. Returns undefined while it wants more, otherwise what follows S2: a view of `bytes`, maybe
   * empty. C2 is sent as soon as S1 is complete, which is all it depends on.
   *
   * @throws SrsError RtmpPlainRequired when S0 is not 3
   */
  receive(bytes: Buffer): Buffer | undefined {
    let rest = bytes;
    if (this.#state === 's0') rest = this.#readS0(rest);
    if (this.#state === 's1') rest = this.#readS1(rest);
    if (this.#state === 's2') rest = this.#readS2(rest);
    return this.#state === 'done' ? rest : undefined;
  }

  #readS0(bytes: Buffer): Buffer {
    if (bytes.length === 0) return bytes;
    assertPlain('S0', bytes.readUInt8(0));
    this.#s1 = new Packet();
    this.#state = 's1';
    return bytes.subarray(1);
  }

  #readS1(bytes: Buffer): Buffer {
    const rest = this.#s1?.fill(bytes) ?? bytes;
    const s1 = this.#s1?.whole;
    if (s1 === undefined) return rest;
    this.#s1 = undefined;
    this.#state = 's2';
    this.#options.send(this.#options.kind === 'complex' ? this.#complexC2(s1) : s1);
    return rest;
  }

  #readS2(bytes: Buffer): Buffer {
    const taken = Math.min(this.#s2Missing, bytes.length);
    this.#s2Missing -= taken;
    if (this.#s2Missing === 0) this.#state = 'done';
    return bytes.subarray(taken);
  }

  /** S1 is read as schema 1 because that is what C1 was written in, whatever the server made of it. */
  #complexC2(s1: Buffer): Buffer {
    const position = digestPosition(s1, 1);
    return signedAnswer(this.#options.crypto, playerKey, s1.subarray(position, position + DIGEST_BYTES));
  }
}
