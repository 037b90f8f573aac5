/** RTMP within TLS. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { embeddedClipFile, FlvLoop, RtmpPlayer, RtmpPublisher, readClip } from '@srs/client';
import { describeError, type FrameType } from '@srs/kernel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificate, expired, Files } from '../support/certificates.ts';
import { eventually, within } from '../support/deadline.ts';
import { runForeign } from '../support/foreign.ts';
import { requires } from '../support/requires.ts';
import { type ServerOptions, ServerProcess } from '../support/server-process.ts';
import { LivePlayer } from './live-client-test-support.ts';
import { StampedSource } from './stamped-media-test-support.ts';

const LIMIT_MS = 15_000;

let files: Files;
let server: ServerProcess;

const optionsOf = (state: string, more = ''): ServerOptions => ({
  top: ({ sparePort }) =>
    `${more} rtmps { enabled ${state}; listen ${sparePort}; key ${files.path('key.pem')}; cert ${files.path('cert.pem')}; }`,
});

function useCertificate({ key, cert }: { readonly key: string; readonly cert: string }): void {
  files.write('key.pem', key);
  files.write('cert.pem', cert);
}

const secureUrl = (path: string): string => `rtmps://127.0.0.1:${server.place.sparePort}/${path}`;

/** When the certificate ends that a new connection is shown. */
async function shownCertificate(): Promise<string> {
  const socket = connectTls({ host: '127.0.0.1', port: server.place.sparePort, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const validTo = socket.getPeerCertificate().valid_to;
  socket.destroy();
  return validTo;
}

/** Plays until so many frames have come. */
async function framesOf(url: string, count: number): Promise<FrameType[]> {
  const types: FrameType[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const player = await RtmpPlayer.open(url, {
    ca: certificate.cert,
    onFrame: (type) => {
      types.push(type);
      if (types.length === count) resolve();
    },
  });
  await within(promise, LIMIT_MS, () => `${types.length} frames came`);
  await player.close();
  return types;
}

beforeAll(async () => {
  files = new Files();
  useCertificate(certificate);
  server = await ServerProcess.start(optionsOf('on'));
});

afterAll(async () => {
  await server?.stop();
  files?.[Symbol.dispose]();
});

describe('RTMP within TLS', () => {
  it('publishes what players of both kinds get whole', async () => {
    const plain = await LivePlayer.start(server, 'live/secure');
    const publisher = await RtmpPublisher.open(secureUrl('live/secure'), { ca: certificate.cert, chunkSize: 60_000 });
    const source = new StampedSource('live/secure');
    for (const frame of source.headers()) publisher.write(frame.type, frame.timestampMs, frame.payload);
    for (let picture = 0; picture < 60; picture += 1) {
      for (const frame of source.nextPicture()) publisher.write(frame.type, frame.timestampMs, frame.payload);
    }
    await plain.waitForFrames(150);
    expect(plain.checker.complaint).toBe('');
    expect((await framesOf(secureUrl('live/secure'), 20)).length).toBeGreaterThanOrEqual(20);
    await publisher.close();
    plain.leave();
  });

  it('is refused by a client that does not know the certificate', async () => {
    const refusal = RtmpPublisher.open(secureUrl('live/strange')).then(
      () => '',
      (error: unknown) => describeError(error),
    );
    expect(await refusal).toMatch(/cannot connect to rtmps:.*certificate/);
  });

  it('costs a connection that speaks no TLS, and nobody else', async () => {
    const socket = connect(server.place.sparePort, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(Buffer.alloc(1537, 3));
    socket.resume();
    await within(once(socket, 'close'), LIMIT_MS, () => 'the connection stays open');
    await server.waitForLog(/RTMPS client ip=127\.0\.0\.1: no TLS/);
    expect(await shownCertificate()).toContain('2120');
  });

  it('has another certificate after a reload, and ends and begins by one; connections stay', async () => {
    const loop = FlvLoop.start({ clip: readClip(embeddedClipFile), target: server.url('live/stays') });
    let frames = 0;
    const player = await RtmpPlayer.open(secureUrl('live/stays'), {
      ca: certificate.cert,
      onFrame: () => {
        frames += 1;
      },
    });
    const goesOn = async (): Promise<void> => {
      const before = frames;
      await eventually(
        () => frames > before + 10,
        LIMIT_MS,
        () => 'the player gets nothing more',
      );
    };
    const becomes = (wanted: string): Promise<unknown> =>
      eventually(
        async () => (await shownCertificate().catch(() => 'none')).includes(wanted),
        LIMIT_MS,
        () => `the certificate does not become ${wanted}`,
      );
    await goesOn();
    useCertificate(expired);
    server.writeConfig(optionsOf('on', 'pithy_print { play 20000; }'));
    server.signal('SIGHUP');
    await becomes('2021');
    await goesOn();
    server.writeConfig(optionsOf('off'));
    server.signal('SIGHUP');
    await becomes('none');
    await goesOn();
    useCertificate(certificate);
    server.writeConfig(optionsOf('on'));
    server.signal('SIGHUP');
    await becomes('2120');
    await goesOn();
    await player.close();
    await loop.stop();
  });
});

describe('ffmpeg', () => {
  requires('ffmpeg');

  it('plays it', async () => {
    const loop = FlvLoop.start({ clip: readClip(embeddedClipFile), target: server.url('live/ffmpeg') });
    const args = ['-v', 'error', '-tls_verify', '0', '-i', secureUrl('live/ffmpeg'), '-t', '2', '-c', 'copy', '-f', 'null', '-'];
    const { code, stderr } = await runForeign('ffmpeg', args);
    expect([code, stderr]).toEqual([0, '']);
    await loop.stop();
  });
});
