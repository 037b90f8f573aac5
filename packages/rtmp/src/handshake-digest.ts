/** Where the digests of the complex handshake lie in C1 and S1, and how they are computed. */
import type { RtmpCrypto } from './crypto.ts';

/** C1, S1, C2 and S2 all have this size (Adobe RTMP spec 1.0, 5.2.3). */
export const HANDSHAKE_BYTES = 1536;
export const DIGEST_BYTES = 32;

/**
 * C1 and S1 with a digest; the two schemas differ in the order of the blocks.
 *
 * ```
 *          4         4                764                  764
 *      +------+---------+--------------------+--------------------+
 *  0   | time | version |     key block      |    digest block    |
 *  1   | time | version |    digest block    |     key block      |
 *      +------+---------+--------------------+--------------------+
 *
 *      key block:    random(offset) | key(128) | random | offset(4)
 *      digest block: offset(4) | random(offset) | digest(32) | random
 * ```
 */
export type DigestSchema = 0 | 1;

const FIRST_BLOCK = 8;
const SECOND_BLOCK = 8 + 764;
const OFFSET_BYTES = 4;
const KEY_OFFSET_POSITION = 764 - OFFSET_BYTES;
const KEY_OFFSETS = 764 - OFFSET_BYTES - 128;
const DIGEST_OFFSETS = 764 - OFFSET_BYTES - DIGEST_BYTES;

const keyTail = Buffer.from('f0eec24a8068bee82e00d0d1029e7e576eec5d2d29806fab93b8e636cfeb31ae', 'hex');

/** The key servers sign S2 with (68 bytes); S1 is signed with its text alone. */
export const serverKey = Buffer.concat([Buffer.from('Genuine Adobe Flash Media Server 001', 'latin1'), keyTail]);
export const serverKeyText = serverKey.subarray(0, 36);
/** The key players sign C2 with (62 bytes); C1 is signed with its text alone. */
export const playerKey = Buffer.concat([Buffer.from('Genuine Adobe Flash Player 001', 'latin1'), keyTail]);
export const playerKeyText = playerKey.subarray(0, 30);

function byteSum(bytes: Buffer, at: number): number {
  return bytes.readUInt8(at) + bytes.readUInt8(at + 1) + bytes.readUInt8(at + 2) + bytes.readUInt8(at + 3);
}

/** Where the 32 bytes of the digest stand in C1 or S1. */
export function digestPosition(bytes: Buffer, schema: DigestSchema): number {
  const block = schema === 0 ? SECOND_BLOCK : FIRST_BLOCK;
  return block + OFFSET_BYTES + (byteSum(bytes, block) % DIGEST_OFFSETS);
}

/** Where the 128 bytes of the Diffie-Hellman key stand in C1 or S1. */
export function keyPosition(bytes: Buffer, schema: DigestSchema): number {
  const block = schema === 0 ? FIRST_BLOCK : SECOND_BLOCK;
  return block + (byteSum(bytes, block + KEY_OFFSET_POSITION) % KEY_OFFSETS);
}

/** The digest C1 or S1 should carry: over everything but the digest itself. */
function computeDigest(crypto: RtmpCrypto, key: Buffer, bytes: Buffer, position: number): Buffer {
  return crypto.hmacSha256(key, Buffer.concat([bytes.subarray(0, position), bytes.subarray(position + DIGEST_BYTES)]));
}

/** The digest of C1 or S1 as a view, or undefined when the bytes are not signed with `key` in this schema. */
export function validDigest(crypto: RtmpCrypto, key: Buffer, bytes: Buffer, schema: DigestSchema): Buffer | undefined {
  const position = digestPosition(bytes, schema);
  const digest = bytes.subarray(position, position + DIGEST_BYTES);
  return digest.equals(computeDigest(crypto, key, bytes, position)) ? digest : undefined;
}

/** Signs C1 or S1 in place. */
export function sign(crypto: RtmpCrypto, key: Buffer, bytes: Buffer, schema: DigestSchema): void {
  const position = digestPosition(bytes, schema);
  computeDigest(crypto, key, bytes, position).copy(bytes, position);
}

/** C2 or S2: random bytes that end in a digest keyed with the other side's digest. */
export function signedAnswer(crypto: RtmpCrypto, key: Buffer, peerDigest: Buffer): Buffer {
  const answer = crypto.randomBytes(HANDSHAKE_BYTES);
  const position = HANDSHAKE_BYTES - DIGEST_BYTES;
  crypto.hmacSha256(crypto.hmacSha256(key, peerDigest), answer.subarray(0, position)).copy(answer, position);
  return answer;
}
