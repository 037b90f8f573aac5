import { describe, expect, it } from 'vitest';
import type { Redirect } from './command-stream.ts';
import { clientHandshakeBytes, command, connectedServer, pair, plainConnect, recordedServer } from './session-test-support.ts';

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex');

/** Chunk header (chunk stream 5, type 20, message stream 0) and onStatus, with both addresses. */
const bothAddresses = hex(`
  05 000000 0000c1 14 00000000
  02 0008 6f6e537461747573 00 0000000000000000 05
  03 0005 6c6576656c 02 0005 6572726f72
     0004 636f6465 02 001e 4e6574436f6e6e656374696f6e2e436f6e6e6563742e52656a6563746564
     000b 6465736372697074696f6e 02 0011 52544d502033303220 5265646972656374
     0002 6578 03
       0004 636f6465 00 4072e00000000000
       0008 7265646972656374 02 000d 72746d703a2f2f622f6c697665
       0009 726564697265637432 02 0012 72746d703a2f2f622f6c6976652f73686f77
     000009
  000009`);

/** The same without the address of the stream. */
const tcUrlOnly = hex(`
  05 000000 0000a1 14 00000000
  02 0008 6f6e537461747573 00 0000000000000000 05
  03 0005 6c6576656c 02 0005 6572726f72
     0004 636f6465 02 001e 4e6574436f6e6e656374696f6e2e436f6e6e6563742e52656a6563746564
     000b 6465736372697074696f6e 02 0011 52544d502033303220 5265646972656374
     0002 6578 03
       0004 636f6465 00 4072e00000000000
       0008 7265646972656374 02 000d 72746d703a2f2f622f6c697665
     000009
  000009`);

const table: readonly (readonly [string, Redirect, Buffer])[] = [
  ['both addresses', { tcUrl: 'rtmp://b/live', url: 'rtmp://b/live/show' }, bothAddresses],
  ['the address of the app only', { tcUrl: 'rtmp://b/live' }, tcUrlOnly],
];

const words = '{"level":"error","code":"NetConnection.Connect.Rejected","description":"RTMP 302 Redirect","ex":{"code":302';
const playShow = command('play', 0, null, 'show');
const publishShow = command('publish', 0, null, 'show', 'live');
const there: Redirect = { tcUrl: 'rtmp://b/live' };

describe('the bytes of a redirect', () => {
  it.each(table)('with %s are what a server sends', (_name, redirect, bytes) => {
    const server = connectedServer({ answers: { connect: 'accept' }, session: { outChunkSize: 60_000 } });
    server.receive(playShow);
    server.sent.length = 0;
    server.session.redirect(redirect);
    expect(Buffer.concat(server.sent).toString('hex')).toBe(bytes.toString('hex'));
  });

  it.each(table)('with %s are understood by a client, however they are cut', (_name, redirect, bytes) => {
    for (let cut = 1; cut < bytes.length; cut += 1) {
      const both = pair({}, { answers: { connect: 'accept' }, session: { outChunkSize: 60_000 } });
      const { client, server } = both;
      client.session.start();
      both.pump();
      expect(server.events.at(-1)).toContain('play show');
      client.session.receive(bytes.subarray(0, cut));
      client.session.receive(bytes.subarray(cut));
      const text = `rejected NetConnection.Connect.Rejected RTMP 302 Redirect ${JSON.stringify(redirect)}`;
      expect(client.events.at(-1)).toBe(text);
      expect(client.session.phase).toBe('closed');
    }
  });
});

describe('a client is sent to another server', () => {
  it('in the answer of its connect', () => {
    const server = recordedServer({ answers: {} });
    server.receive(clientHandshakeBytes, plainConnect);
    server.session.redirect(there);
    expect(server.news()).toEqual([`3/0 _error 1 null ${words},"redirect":"rtmp://b/live"}}`]);
    expect(server.session.phase).toBe('redirected');
  });

  it.each([
    ['before its play is answered', {}, playShow],
    ['before its publish is answered', {}, publishShow],
    ['while it plays', { play: 'accept' }, playShow],
    ['while it publishes', { publish: 'accept' }, publishShow],
    ['while it does neither', {}, Buffer.alloc(0)],
  ] as const)('%s, on message stream 0', (_name, answers, request) => {
    const server = connectedServer({ answers: { connect: 'accept', ...answers } });
    server.receive(request);
    server.news();
    server.events.length = 0;
    server.session.redirect(there);
    server.session.redirect(there);
    expect(server.news()).toEqual([`5/0 onStatus 0 null ${words},"redirect":"rtmp://b/live"}}`]);
    expect(server.session.isWaiting).toBe(false);
    expect(server.events).toEqual([]);
  });

  it('once it has connected, not before', () => {
    const server = recordedServer();
    expect(() => server.session.redirect(there)).toThrow('nobody to redirect in phase handshake');
    server.session.close();
    expect(() => server.session.redirect(there)).not.toThrow();
  });
});

describe('a client that was sent to another server', () => {
  function redirected(behind: Buffer = Buffer.alloc(0)) {
    const accepted: string[] = [];
    const handler = { onRedirectAccepted: () => void accepted.push('yes') };
    const server = connectedServer({ answers: { connect: 'accept' }, handler });
    server.receive(playShow, behind);
    server.session.redirect(there);
    server.news();
    return { server, accepted };
  }

  it('says that it goes with any call that has a text', () => {
    const { server, accepted } = redirected();
    server.receive(command('anything', 7, null, 'rtmp://b/live'));
    expect(accepted).toEqual(['yes']);
    expect(server.news()).toEqual([]);
  });

  it.each([
    ['a call without a text', command('anything', 7, null, 1)],
    ['a command of its stream', Buffer.concat([command('FCSubscribe', 7, null, 'show'), publishShow, playShow])],
  ])('says nothing with %s', (_name, bytes) => {
    const { server, accepted } = redirected();
    server.receive(bytes);
    expect(accepted).toEqual([]);
    expect(server.news()).toEqual([]);
    expect(server.session.phase).toBe('redirected');
  });

  it('is not asked any more for what it sent before it knew', () => {
    const { server } = redirected(Buffer.concat([command('closeStream', 0, null), publishShow]));
    expect(server.events).toEqual(['play show -2 -1 true']);
  });

  it('of this project says so, in the middle of a play too', () => {
    const accepted: string[] = [];
    const handler = { onRedirectAccepted: () => void accepted.push('yes') };
    const both = pair({}, { handler });
    const { client, server } = both;
    client.session.start();
    both.pump();
    expect(client.session.phase).toBe('ready');
    server.session.redirect(there);
    both.pump();
    expect(client.events.at(-1)).toBe(`rejected NetConnection.Connect.Rejected RTMP 302 Redirect {"tcUrl":"rtmp://b/live"}`);
    expect(accepted).toEqual(['yes']);
  });
});

describe('an error in the middle of a play', () => {
  it('is no reason to leave without another address', () => {
    const both = pair();
    const { client, server } = both;
    client.session.start();
    both.pump();
    server.session.notify({ level: 'error', code: 'NetStream.Play.Failed', description: 'no' });
    both.pump();
    expect(client.events.at(-1)).toBe('error NetStream.Play.Failed');
    expect(client.session.phase).toBe('ready');
  });
});
