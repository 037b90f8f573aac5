import { createHash, createHmac } from 'node:crypto';
import { SrsError } from '@srs/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeRtmpCrypto, type RtmpCrypto } from './crypto.ts';
import { ClientHandshake, type HandshakeKind, ServerHandshake } from './handshake.ts';

const PACKET = 1536;
const NOW = 0x12345678;
const playerText = Buffer.from('Genuine Adobe Flash Player 001', 'latin1');
const serverText = Buffer.from('Genuine Adobe Flash Media Server 001', 'latin1');
const tail = Buffer.from('f0eec24a8068bee82e00d0d1029e7e576eec5d2d29806fab93b8e636cfeb31ae', 'hex');
const diffieHellmanKey = Buffer.alloc(128, 0xd4);

/** Every "random" byte is `fill`, so that all offsets, and so all bytes, are known. */
function fixedCrypto(fill: number): RtmpCrypto {
  return {
    hmacSha256: (key, data) => nodeRtmpCrypto.hmacSha256(key, data),
    randomBytes: (count) => Buffer.alloc(count, fill),
    diffieHellmanPublicKey: () => diffieHellmanKey,
  };
}

function hmac(key: Buffer, ...data: Buffer[]): Buffer {
  const sum = createHmac('sha256', key);
  for (const piece of data) sum.update(piece);
  return sum.digest();
}

/** The digest block starts at 772 in schema 0 and at 8 in schema 1; its offset stands in its first four bytes. */
function digestAt(packet: Buffer, schema: 0 | 1): number {
  const block = schema === 0 ? 772 : 8;
  return block + 4 + ([0, 1, 2, 3].reduce((sum, i) => sum + packet.readUInt8(block + i), 0) % 728);
}

function digestOver(key: Buffer, packet: Buffer, at: number): Buffer {
  return hmac(key, packet.subarray(0, at), packet.subarray(at + 32));
}

function signedC1(schema: 0 | 1, offsetBytes: readonly number[] = [1, 2, 3, 4], fill = 0x55): Buffer {
  const c1 = Buffer.alloc(PACKET, fill);
  c1.writeUInt32BE(1000, 0);
  c1.writeUInt32BE(0x80000702, 4);
  c1.set(offsetBytes, schema === 0 ? 772 : 8);
  const at = digestAt(c1, schema);
  digestOver(playerText, c1, at).copy(c1, at);
  return c1;
}

function plainC1(): Buffer {
  const c1 = Buffer.alloc(PACKET);
  for (let i = 0; i < PACKET; i++) c1[i] = (i * 7) & 0xff;
  return c1;
}

function server(crypto: RtmpCrypto = nodeRtmpCrypto) {
  const sent: Buffer[] = [];
  const handshake = new ServerHandshake({ crypto, unixSeconds: () => NOW, send: (bytes) => sent.push(bytes) });
  return { handshake, sent, output: () => Buffer.concat(sent) };
}

function client(kind: 'complex' | 'simple', crypto: RtmpCrypto = nodeRtmpCrypto) {
  const sent: Buffer[] = [];
  const handshake = new ClientHandshake({ crypto, unixSeconds: () => NOW, send: (bytes) => sent.push(bytes), kind });
  return { handshake, sent };
}

const C0 = Buffer.of(3);

/** The stream never ends, which its type does not say. */
function nextByte(random: Iterator<number, unknown>): number {
  const next = random.next();
  return next.done === true ? 0 : next.value;
}

describe('the server', () => {
  it('answers a plain C1 with its time, the time of C1, bytes in 0x0F..0xF0, and an exact copy', () => {
    const { handshake, sent, output } = server(fixedCrypto(0xff));
    const c1 = plainC1();
    expect(handshake.receive(Buffer.concat([C0, c1]))).toBeUndefined();
    const s1 = Buffer.alloc(PACKET, 0x0f + (0xff % 0xe2));
    s1.writeUInt32BE(NOW, 0);
    c1.copy(s1, 4, 0, 4);
    expect(sent.length).toBe(1);
    expect(output()).toEqual(Buffer.concat([C0, s1, c1]));
    expect(handshake.kind).toBe('simple');
  });

  it('draws the random bytes of a simple S1 from 0x0F..0xF0', () => {
    const { handshake, output } = server();
    handshake.receive(Buffer.concat([C0, plainC1()]));
    const random = output().subarray(9, 1 + PACKET);
    expect(Math.min(...random)).toBeGreaterThanOrEqual(0x0f);
    expect(Math.max(...random)).toBeLessThanOrEqual(0xf0);
    expect(new Set(random).size).toBeGreaterThan(100);
  });

  const schemas: readonly [0 | 1, HandshakeKind][] = [
    [0, 'complex-schema0'],
    [1, 'complex-schema1'],
  ];
  for (const [schema, kind] of schemas) {
    it(`answers a C1 signed in schema ${schema} with S1 in the same schema and S2 signed with the digest of C1`, () => {
      const { handshake, output } = server(fixedCrypto(0x11));
      const c1 = signedC1(schema);
      handshake.receive(Buffer.concat([C0, c1]));
      expect(handshake.kind).toBe(kind);
      const bytes = output();
      expect(bytes.length).toBe(1 + 2 * PACKET);
      expect(bytes[0]).toBe(3);

      const s1 = bytes.subarray(1, 1 + PACKET);
      expect(s1.readUInt32BE(0)).toBe(NOW);
      expect(s1.readUInt32BE(4)).toBe(0x01000504);
      const at = digestAt(s1, schema);
      expect(s1.subarray(at, at + 32)).toEqual(digestOver(serverText, s1, at));
      // All offset bytes are 0x11: the key lies 0x44 behind the start of its block.
      const keyAt = (schema === 0 ? 8 : 772) + 0x44;
      expect(s1.subarray(keyAt, keyAt + 128)).toEqual(diffieHellmanKey);

      const s2 = bytes.subarray(1 + PACKET);
      const c1At = digestAt(c1, schema);
      const key = hmac(Buffer.concat([serverText, tail]), c1.subarray(c1At, c1At + 32));
      expect(s2.subarray(1504)).toEqual(hmac(key, s2.subarray(0, 1504)));
    });

    it(`finds the digest of schema ${schema} at every offset`, () => {
      for (const offsetBytes of [
        [0, 0, 0, 0],
        [255, 255, 217, 0],
        [255, 255, 218, 0],
        [255, 255, 255, 255],
      ]) {
        const { handshake } = server();
        handshake.receive(Buffer.concat([C0, signedC1(schema, offsetBytes)]));
        expect([offsetBytes, handshake.kind]).toEqual([offsetBytes, kind]);
      }
    });
  }

  it('answers in full when all offset bytes of its own S1 have the largest sum', () => {
    for (const schema of [0, 1] as const) {
      const { handshake, output } = server(fixedCrypto(0xff));
      handshake.receive(Buffer.concat([C0, signedC1(schema)]));
      const s1 = output().subarray(1, 1 + PACKET);
      const at = digestAt(s1, schema);
      expect(s1.subarray(at, at + 32)).toEqual(digestOver(serverText, s1, at));
      // 4 x 255 modulo 632.
      const keyAt = (schema === 0 ? 8 : 772) + 388;
      expect(s1.subarray(keyAt, keyAt + 128)).toEqual(diffieHellmanKey);
    }
  });

  it('takes a C1 with one changed bit for a simple one', () => {
    const c1 = signedC1(1);
    c1.writeUInt8(c1.readUInt8(1000) ^ 1, 1000);
    const { handshake } = server();
    handshake.receive(Buffer.concat([C0, c1]));
    expect(handshake.kind).toBe('simple');
  });

  it('finishes after any C2 and returns what follows it as a view', () => {
    const { handshake } = server();
    const bytes = Buffer.concat([C0, signedC1(1), Buffer.alloc(PACKET, 0xee), Buffer.from('next')]);
    const rest = handshake.receive(bytes);
    expect(rest?.toString()).toBe('next');
    expect(rest?.buffer).toBe(bytes.buffer);
  });

  it('answers the same at every split point', () => {
    const bytes = Buffer.concat([C0, signedC1(0), Buffer.alloc(PACKET, 0xee), Buffer.from('next')]);
    const digests = new Set<string>();
    for (let split = 0; split <= bytes.length; split++) {
      const { handshake, output } = server(fixedCrypto(0x33));
      const rests = [handshake.receive(bytes.subarray(0, split))];
      if (rests[0] === undefined) rests.push(handshake.receive(bytes.subarray(split)));
      else rests.push(bytes.subarray(split));
      expect(Buffer.concat(rests.filter((rest) => rest !== undefined)).toString()).toBe('next');
      digests.add(createHash('sha256').update(output()).digest('hex'));
    }
    expect(digests.size).toBe(1);
  });

  it('finishes with one byte at a time', () => {
    const { handshake, output } = server();
    const bytes = Buffer.concat([C0, signedC1(1), Buffer.alloc(PACKET)]);
    for (let at = 0; at < bytes.length - 1; at++) expect(handshake.receive(bytes.subarray(at, at + 1))).toBeUndefined();
    expect(handshake.receive(bytes.subarray(bytes.length - 1))?.length).toBe(0);
    expect(output().length).toBe(1 + 2 * PACKET);
  });

  it('refuses another version at its first byte and names the encrypted one', () => {
    const text = (version: number) => () => server().handshake.receive(Buffer.of(version));
    expect(text(6)).toThrow(new SrsError('RtmpPlainRequired', 'RTMP version 6 (RTMPE, encrypted) in C0 must be 3 (plain)'));
    expect(text(0x47)).toThrow(new SrsError('RtmpPlainRequired', 'RTMP version 71 (text, such as HTTP) in C0 must be 3 (plain)'));
    expect(text(22)).toThrow(
      new SrsError('RtmpPlainRequired', 'RTMP version 22 (TLS, as of rtmps or https) in C0 must be 3 (plain)'),
    );
    expect(text(255)).toThrow(new SrsError('RtmpPlainRequired', 'RTMP version 255 in C0 must be 3 (plain)'));
    expect(text(3)).not.toThrow();
  });
});

describe('the client', () => {
  it('signs C1 in schema 1 and C2 with the digest of S1 read as schema 1', () => {
    const { handshake, sent } = client('complex', fixedCrypto(0x22));
    handshake.start();
    const c0c1 = sent[0] ?? Buffer.alloc(0);
    expect(c0c1.length).toBe(1 + PACKET);
    expect(c0c1[0]).toBe(3);
    const c1 = c0c1.subarray(1);
    expect([c1.readUInt32BE(0), c1.readUInt32BE(4)]).toEqual([NOW, 0x80000702]);
    const at = digestAt(c1, 1);
    expect(c1.subarray(at, at + 32)).toEqual(digestOver(playerText, c1, at));

    const s1 = plainC1();
    expect(handshake.receive(Buffer.concat([C0, s1]))).toBeUndefined();
    const c2 = sent[1] ?? Buffer.alloc(0);
    expect(c2.length).toBe(PACKET);
    const s1At = digestAt(s1, 1);
    const key = hmac(Buffer.concat([playerText, tail]), s1.subarray(s1At, s1At + 32));
    expect(c2.subarray(1504)).toEqual(hmac(key, c2.subarray(0, 1504)));
    expect(handshake.receive(Buffer.alloc(PACKET + 2))?.length).toBe(2);
  });

  it('sends a C1 without version and S1 back as C2 in the simple form', () => {
    const { handshake, sent } = client('simple', fixedCrypto(0x22));
    handshake.start();
    const c1 = Buffer.alloc(PACKET, 0x22);
    c1.writeUInt32BE(NOW, 0);
    c1.writeUInt32BE(0, 4);
    expect(sent[0]).toEqual(Buffer.concat([C0, c1]));
    const s1 = plainC1();
    expect(handshake.receive(Buffer.concat([C0, s1, Buffer.alloc(PACKET)]))?.length).toBe(0);
    expect(sent[1]).toEqual(s1);
  });

  it('answers the same at every split point', () => {
    const bytes = Buffer.concat([C0, plainC1(), Buffer.alloc(PACKET, 0xee), Buffer.from('next')]);
    const digests = new Set<string>();
    for (let split = 0; split <= bytes.length; split++) {
      const { handshake, sent } = client('complex', fixedCrypto(0x33));
      handshake.start();
      const first = handshake.receive(bytes.subarray(0, split));
      const rest = first === undefined ? handshake.receive(bytes.subarray(split)) : Buffer.concat([first, bytes.subarray(split)]);
      expect(rest?.toString()).toBe('next');
      digests.add(createHash('sha256').update(Buffer.concat(sent)).digest('hex'));
    }
    expect(digests.size).toBe(1);
  });

  it('refuses an S0 other than 3', () => {
    expect(() => client('simple').handshake.receive(Buffer.of(6))).toThrow(
      'RTMP version 6 (RTMPE, encrypted) in S0 must be 3 (plain)',
    );
  });

  for (const kind of ['complex', 'simple'] as const) {
    it(`shakes hands with the server in the ${kind} form, whatever the random bytes`, () => {
      fc.assert(
        fc.property(fc.infiniteStream(fc.nat(255)), fc.array(fc.integer({ min: 1, max: 2000 })), (random, cuts) => {
          const crypto: RtmpCrypto = {
            hmacSha256: (key, data) => nodeRtmpCrypto.hmacSha256(key, data),
            randomBytes: (count) => Buffer.from(Array.from({ length: count }, () => nextByte(random))),
            diffieHellmanPublicKey: () => diffieHellmanKey,
          };
          const peer = server(crypto);
          const own = client(kind, crypto);
          own.handshake.start();
          const pieces = (bytes: Buffer) => {
            const list: Buffer[] = [];
            let at = 0;
            for (const cut of cuts) {
              list.push(bytes.subarray(at, at + cut));
              at += cut;
            }
            list.push(bytes.subarray(at));
            return list;
          };
          const feed = (handshake: { receive(bytes: Buffer): Buffer | undefined }, bytes: Buffer) =>
            pieces(bytes)
              .map((piece) => handshake.receive(piece))
              .at(-1);
          expect(feed(peer.handshake, own.sent[0] ?? Buffer.alloc(0))).toBeUndefined();
          expect(feed(own.handshake, peer.output())?.length).toBe(0);
          expect(feed(peer.handshake, own.sent[1] ?? Buffer.alloc(0))?.length).toBe(0);
          expect(peer.handshake.kind).toBe(kind === 'simple' ? 'simple' : 'complex-schema1');
        }),
        { numRuns: 30 },
      );
    });
  }
});

describe('the key of the process', () => {
  it('has 128 bytes and is made once', () => {
    const key = nodeRtmpCrypto.diffieHellmanPublicKey();
    expect(key.length).toBe(128);
    expect(nodeRtmpCrypto.diffieHellmanPublicKey()).toBe(key);
  });
});
