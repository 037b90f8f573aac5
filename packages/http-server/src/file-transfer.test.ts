import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ChildProgram } from '../../../test/support/child-program.ts';
import { openDescriptors, processMemory } from '../../../test/support/proc.ts';
import { readAll, TestMedia } from './media-test-support.ts';

const MIB = 1024 * 1024;
/** More than the buffers of two sockets hold. */
const bigBytes = 24 * MIB;
const big = Buffer.alloc(bigBytes);
for (let offset = 0; offset < bigBytes; offset += 4096) big.writeUInt32LE(offset, offset);

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
const bodyOf = (answer: Buffer): Buffer => answer.subarray(answer.indexOf('\r\n\r\n') + 4);

/** The connection after the first bytes of the answer, which then reads no more. */
async function begun(socket: Socket): Promise<Socket> {
  const readable = once(socket, 'readable');
  socket.read(0);
  await readable;
  return socket;
}

/** How many descriptors of a process are open on that file. */
const opened = (pid: number, path: string): number => openDescriptors(pid).filter(({ target }) => target.startsWith(path)).length;

function replaceFile(path: string): void {
  unlinkSync(path);
  writeFileSync(path, 'x');
}

describe('a file that changes while it is sent', () => {
  it.each([
    ['grows', (path: string) => appendFileSync(path, 'more'), bigBytes],
    ['is deleted', unlinkSync, bigBytes],
    ['is overwritten by another of the same name', replaceFile, bigBytes],
    ['shrinks', (path: string) => truncateSync(path, 16 * MIB), undefined],
    ['is emptied', (path: string) => truncateSync(path, 0), undefined],
  ])('and %s', async (_, change, expectedBytes) => {
    await using media = await TestMedia.start();
    const path = media.write('www/big.mp4', big);
    const socket = await begun(await media.connect(get('/big.mp4')));
    change(path);
    const answer = await readAll(socket);
    const body = bodyOf(answer);
    expect(answer.toString('latin1', 0, 500)).toContain(`Content-Length: ${bigBytes}\r\n`);
    if (expectedBytes === undefined) {
      // What was promised cannot come: the connection is closed.
      expect(body.length).toBeLessThan(bigBytes);
      expect(media.log.lines).toMatchObject([{ level: 'info', text: 'HTTP "/big.mp4" was cut while it was sent' }]);
    } else {
      expect(body.equals(big)).toBe(true);
      expect(media.log.lines).toEqual([]);
    }
    await expect.poll(() => opened(process.pid, path)).toBe(0);
    expect((await media.ask('/nothing')).status).toBe(404);
  });
});

describe('clients that take nothing', () => {
  it.each([
    ['a large one, which is sent in pieces', bigBytes, 1],
    // So many that the buffers of the sockets do not hold them.
    ['many that were read at once', MIB, 40],
  ])('of %s are let go after a while', async (_, sizeBytes, count) => {
    await using media = await TestMedia.start({ times: { stallMs: 200 } });
    media.write('www/a.mp4', big.subarray(0, sizeBytes));
    const socket = await begun(await media.connect(get('/a.mp4').replace('close', 'keep-alive').repeat(count)));
    await expect.poll(() => media.connections, { timeout: 5000 }).toBe(0);
    await expect.poll(() => opened(process.pid, media.directory)).toBe(0);
    expect((await readAll(socket)).length).toBeLessThan(count * sizeBytes);
  });

  it('hold one file, however many requests they have sent', async () => {
    await using media = await TestMedia.start();
    const names = ['a.mp4', 'b.mp4', 'c.mp4'];
    for (const name of names) media.write(`www/${name}`, big);
    const requests = names.map((name) => get(`/${name}`).replace('close', name === 'c.mp4' ? 'close' : 'keep-alive'));
    const socket = await begun(await media.connect(requests.join('')));
    expect(opened(process.pid, media.directory)).toBe(1);
    expect((await readAll(socket)).length).toBeGreaterThan(names.length * bigBytes);
    await expect.poll(() => opened(process.pid, media.directory)).toBe(0);
  });
});

it('memory that is used again shows nobody the file of another', async () => {
  await using media = await TestMedia.start();
  // No byte of a file occurs in the head of an answer.
  const files = Array.from({ length: 10 }, (_, index) => 0x80 + index);
  for (const file of files) media.write(`www/${file}.ts`, Buffer.alloc(MIB, file));
  const strangersIn = (answers: Buffer, file: number): number => answers.findIndex((byte) => byte >= 0x80 && byte !== file);
  const own = files[0]!;
  const request = get(`/${own}.ts`);
  // More answers than the buffers of the sockets hold: one is under way while the others come and go.
  const slow = await begun(await media.connect(request.replace('close', 'keep-alive').repeat(15) + request));
  for (const file of files.slice(1)) {
    const leaving = await begun(await media.connect(get(`/${file}.ts`).replace('close', 'keep-alive').repeat(15)));
    leaving.resetAndDestroy();
    const answer = await readAll(await media.connect(get(`/${file}.ts`)));
    expect([bodyOf(answer).length, strangersIn(answer, file)]).toEqual([MIB, -1]);
  }
  const answers = await readAll(slow);
  expect(answers.length).toBeGreaterThan(16 * MIB);
  expect(strangersIn(answers, own)).toBe(-1);
});

describe('a hundred clients of a large file', () => {
  const CLIENTS = 100;

  async function startServer(): Promise<{ readonly path: string; readonly port: number; readonly pid: number }> {
    const directory = mkdtempSync(join(tmpdir(), 'srs-transfer-'));
    const path = join(directory, 'big.mp4');
    writeFileSync(path, big);
    const program = await ChildProgram.start(process.execPath, [join(import.meta.dirname, 'media-test-child.ts'), directory]);
    onTestFinished(async () => {
      await program.stop();
      rmSync(directory, { recursive: true });
    });
    const line = await program.waitForLine(/^port \d+$/);
    return { path, port: Number(line.slice(5)), pid: program.pid };
  }

  async function ask(port: number): Promise<Socket> {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.pause();
    socket.write(get('/big.mp4'));
    return await begun(socket);
  }

  it('that read slowly need little memory, and get all of it', async () => {
    const { path, port, pid } = await startServer();
    // Afterwards all code is there.
    await readAll(await ask(port));
    const before = processMemory(pid).rssBytes;
    const sockets = await Promise.all(Array.from({ length: CLIENTS }, () => ask(port)));
    expect(opened(pid, path)).toBeGreaterThan(0);
    let most = 0;
    const hash = createHash('sha256').update(big).digest('hex');
    for (const [index, socket] of sockets.entries()) {
      most = Math.max(most, processMemory(pid).rssBytes - before);
      // Some read to the end, the others stay where they are.
      if (index % 20 === 0)
        expect(
          createHash('sha256')
            .update(bodyOf(await readAll(socket)))
            .digest('hex'),
        ).toBe(hash);
    }
    for (const socket of sockets) socket.destroy();
    // A piece for each, and what the garbage collector has not got round to.
    expect(most).toBeLessThan(64 * MIB);
    await expect.poll(() => opened(pid, path), { timeout: 5000 }).toBe(0);
  }, 60_000);

  it('that leave in the middle leave nothing open', async () => {
    const { path, port, pid } = await startServer();
    for (let round = 0; round < 3; round += 1) {
      const sockets = await Promise.all(Array.from({ length: CLIENTS }, () => ask(port)));
      for (const socket of sockets) socket.resetAndDestroy();
      await expect.poll(() => opened(pid, path), { timeout: 5000 }).toBe(0);
    }
    expect(bodyOf(await readAll(await ask(port))).equals(big)).toBe(true);
  }, 60_000);
});
