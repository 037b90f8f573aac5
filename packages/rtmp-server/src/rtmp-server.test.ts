import { once } from 'node:events';
import { connect } from 'node:net';
import { loadConfig } from '@srs/config';
import { memoryLog, systemClock } from '@srs/kernel';
import { expect, it } from 'vitest';
import { certificate, halfClientHello } from '../../../test/support/certificates.ts';
import { within } from '../../../test/support/deadline.ts';
import { claimPorts } from '../../../test/support/ports.ts';
import { RtmpServer } from './rtmp-server.ts';
import type { RtmpServices } from './services.ts';

it('a server that ends lets go of those whose TLS handshake is not over, and says nothing of it', async () => {
  const log = memoryLog();
  const { config } = loadConfig('listen 1935;', { fileName: 'srs.conf' });
  // What nobody asks for who is not let in.
  const services: Partial<RtmpServices> = { clock: systemClock, log, config: () => config };
  const server = new RtmpServer(services as RtmpServices);
  const ports = await claimPorts();
  try {
    await server.listen('rtmps', { host: '127.0.0.1', port: ports.first }, certificate);
    const peers = [Buffer.alloc(0), halfClientHello].map((bytes) => {
      const peer = connect(ports.first, '127.0.0.1').on('error', () => {});
      peer.resume().write(bytes);
      return peer;
    });
    await Promise.all(peers.map((peer) => once(peer, 'connect')));
    // By a reset, if something was said that nobody has read.
    const gone = Promise.all(peers.map((peer) => new Promise((resolve) => void peer.once('close', resolve))));
    await server.close(60_000);
    await within(gone, 5_000, () => 'they stay');
    expect(log.lines).toEqual([]);
  } finally {
    ports.release();
  }
});
