/** The few cryptographic primitives of the RTMP handshake, so that the codecs themselves stay free of them. */
import { createHmac, getDiffieHellman, randomBytes } from 'node:crypto';

/** What the handshake needs from the outside; tests pass a predictable one. */
export interface RtmpCrypto {
  /** HMAC-SHA256: 32 bytes, which belong to the caller. */
  hmacSha256(key: Buffer, data: Buffer): Buffer;
  /** Random bytes; they belong to the caller and may be overwritten. */
  randomBytes(count: number): Buffer;
  /** A public key of exactly 128 bytes in the second Oakley group (RFC 2409, 6.2). The caller must not change the bytes. */
  diffieHellmanPublicKey(): Buffer;
}

const PUBLIC_KEY_BYTES = 128;

/**
 * One key for the whole process: generating one takes longer than all the rest of a handshake. That is harmless, since the key
 * pair only matters to RTMPE, which this server refuses. In plain RTMP nobody derives a secret from it; it is only expected to
 * look like a key.
 */
let publicKey: Buffer | undefined;

function generatePublicKey(): Buffer {
  for (;;) {
    // Leading zero bytes are cut off by the library: such a key (1 in 256) is not used.
    const key = getDiffieHellman('modp2').generateKeys();
    if (key.length === PUBLIC_KEY_BYTES) return key;
  }
}

/** The primitives of Node.js. */
export const nodeRtmpCrypto: RtmpCrypto = {
  hmacSha256: (key, data) => createHmac('sha256', key).update(data).digest(),
  randomBytes: (count) => randomBytes(count),
  diffieHellmanPublicKey: () => {
    publicKey ??= generatePublicKey();
    return publicKey;
  },
};
