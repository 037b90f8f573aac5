import { createHash } from 'node:crypto';
import { encodeFlvHeader, encodeFlvTag } from '@srs/flv';
import { describe, expect, it } from 'vitest';
import { hex } from './pieces-test-support.ts';
import type { PlayLink, PlayProtocol } from './play-protocol.ts';
import { parsePlayUrl } from './play-target.ts';

/** A player that writes down what its protocol tells it. */
class Player implements PlayLink {
  readonly isChecked: boolean;
  readonly told: string[] = [];
  readonly sent: string[] = [];
  readonly protocol: PlayProtocol;

  constructor(url: string, isChecked: boolean) {
    this.isChecked = isChecked;
    this.protocol = parsePlayUrl(url).open(this);
    this.protocol.start();
  }

  send(bytes: Buffer | string): void {
    this.sent.push(typeof bytes === 'string' ? bytes : bytes.toString('hex'));
  }

  onAsked(): void {
    this.told.push('asked');
  }

  onPlaying(): void {
    this.told.push('playing');
  }

  onRejected(reason: string): void {
    this.told.push(`rejected: ${reason}`);
  }

  onHead(type: number, head: Uint8Array, headAt: number, headBytes: number): void {
    this.told.push(`head ${type} ${Buffer.from(head.subarray(headAt, headAt + headBytes)).toString('hex')}`);
  }

  onPacket(type: number, timestampMs: number, payload: Buffer): void {
    this.told.push(`packet ${type}@${timestampMs} ${payload.toString('hex')}`);
  }

  receive(...parts: readonly (Buffer | string)[]): void {
    const bytes = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
    this.protocol.receive(bytes, bytes.length);
  }

  /** The answer to the upgrade that it has asked for. */
  get acceptance(): string {
    const [, key] = /Sec-WebSocket-Key: (\S+)/.exec(this.sent[0]!) ?? [];
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
  }
}

const httpUrl = 'http://localhost:8080/live/s.flv?token=x';
const socketUrl = 'ws://localhost:8080/live/s.flv';
const flv = Buffer.concat([
  encodeFlvHeader({ hasAudio: true, hasVideo: true }),
  encodeFlvTag(18, 0, hex('02000a')),
  encodeFlvTag(9, 0x80000028, hex('1701000000')),
]);
const okay = 'HTTP/1.1 200 OK\r\nContent-Type: video/x-flv\r\nConnection: close\r\n\r\n';
const heads = ['head 9 1701000000'];
const packets = ['packet 18@0 02000a', 'packet 9@40 1701000000'];

describe('HTTP-FLV', () => {
  it('asks for the path with its query', () => {
    const player = new Player(httpUrl, false);
    expect(player.sent[0]).toMatch(/^GET \/live\/s\.flv\?token=x HTTP\/1\.1\r\nHost: localhost:8080\r\n/);
    expect(player.sent[0]).not.toContain('Upgrade');
    expect([player.told, player.protocol.phase]).toEqual([['asked'], ' (before its answer)']);
  });

  it.each([
    [false, heads],
    [true, packets],
  ])('plays what follows the answer, checked: %s', (isChecked, expected) => {
    const player = new Player(httpUrl, isChecked);
    player.receive(okay, flv);
    expect(player.told).toEqual(['asked', 'playing', ...expected]);
    expect(player.protocol.phase).toBe('');
  });

  it('reads servers that send chunks', () => {
    const player = new Player(httpUrl, false);
    player.receive('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', `${flv.length.toString(16)}\r\n`, flv, '\r\n');
    expect(player.told).toEqual(['asked', 'playing', ...heads]);
    player.receive('0\r\n\r\n');
    expect(player.told.at(-1)).toBe('rejected: the server ended the stream');
  });

  it('a refusal is told once, by its status', () => {
    const player = new Player(httpUrl, false);
    player.receive('HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nno!\n');
    expect(player.told).toEqual(['asked', 'rejected: the server answered 403 Forbidden']);
  });

  it('what is no FLV breaks the protocol', () => {
    expect(() => new Player(httpUrl, false).receive(okay, '<html></html>')).toThrow('flv signature "<ht" must be "FLV"');
  });
});

describe('WebSocket-FLV', () => {
  const message = (payload: Buffer): Buffer => Buffer.concat([Buffer.from([0x82, payload.length]), payload]);

  it.each([
    [false, heads],
    [true, packets],
  ])('plays the payload of messages, checked: %s', (isChecked, expected) => {
    const player = new Player(socketUrl, isChecked);
    player.receive(player.acceptance, message(flv.subarray(0, 20)), message(flv.subarray(20)));
    expect(player.told).toEqual(['asked', 'playing', ...expected]);
  });

  it('answers pings', () => {
    const player = new Player(socketUrl, false);
    player.receive(player.acceptance, hex('89 02 cafe'));
    expect(player.sent[1]).toBe('8a8200000000cafe');
  });

  it('a close ends it', () => {
    const player = new Player(socketUrl, false);
    player.receive(player.acceptance, hex('88 02 03e9'));
    expect(player.told).toEqual(['asked', 'playing', 'rejected: the server closed the WebSocket']);
  });

  it.each([
    ['HTTP/1.1 200 OK\r\n\r\n', 'rejected: the server answered 200 OK'],
    ['HTTP/1.1 101 Switching Protocols\r\n\r\n', 'rejected: the server made no WebSocket of the connection'],
  ])('an answer that is no upgrade is a refusal: %j', (answer, expected) => {
    const player = new Player(socketUrl, false);
    player.receive(answer);
    expect(player.told).toEqual(['asked', expected]);
  });
});
