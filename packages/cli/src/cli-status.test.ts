import type { SlotReport } from '@srs/survey';
import { describe, expect, it } from 'vitest';
import { cellsOf, deadPort, json, master, run, serve, serveBytes, serveMaster, slotOf, summaryOf } from './cli-test-support.ts';

describe('srs-cli status and workers', () => {
  it('adds up what all workers say', async () => {
    const ports = await Promise.all([0, 1, 2].map((slot) => serve({ '/api/v1/summary': () => summaryOf(slot) })));
    const port = await serveMaster(ports.map((each, slot) => slotOf(slot, each)));
    expect(await json(port, 'status')).toMatchObject({
      api: `127.0.0.1:${port}`,
      server: { ...master, workers: 3 },
      isComplete: true,
      totals: {
        streams: 2,
        clients: 20,
        publishers: 2,
        players: 16,
        traffic: {
          recvBytes: 3072,
          sendBytes: 6144,
          recvKbps: { average: 3, last30s: 30, last5m: 6 },
          sendKbps: { last30s: 300 },
        },
        droppedFrames: 3,
        playerDroppedFrames: 6,
      },
      workers: [0, 1, 2].map((slot) => ({ slot, state: 'ready', answer: 'full', problem: null, summary: { slot } })),
    });
    const { out } = await run(port, ['status']);
    expect(out).toContain(`srs 2.0.0, mode multi, up 1h01m, master pid 999 (127.0.0.1:${port}), listening on 0.0.0.0:1935\n`);
    expect(out).toContain('streams 2, publishers 2, players 16, clients 20, in 3.0 KiB at 30 kbps, out 6.0 KiB at 300 kbps\n');
    expect(cellsOf(out, '2 ')).toEqual(['2', 'stream', 'ready', '1002', '1m40s', '0', '1', '1', '8', '10', '20', '200']);
    expect(out).not.toContain('!');
    const workers = await run(port, ['workers']);
    expect(cellsOf(workers.out, '0 ').slice(-5)).toEqual(['0.1', '2.5', '40.0', '32.0 MiB', '3 of 2.0 MiB']);
    expect(await json(port, 'workers')).toEqual(await json(port, 'status'));
  });

  it('marks every worker that does not answer, and counts the others', async () => {
    const good = await serve({ '/api/v1/summary': () => summaryOf(1) });
    const hung = await serveBytes(() => {});
    const half = await serveBytes((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"code"'));
    const cut = await serveBytes((socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"code"'));
    });
    const noise = await serveBytes((socket) => socket.end('what?\r\n\r\n'));
    const text = await serveBytes((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nhello'));
    const other = await serve({ '/api/v1/summary': () => ({ nobody: 'knows' }) });
    const old = await serve({});
    const rows: [SlotReport, string][] = [
      [slotOf(2, hung), 'no answer within 1000 ms'],
      [slotOf(3, half), 'no answer within 1000 ms'],
      [slotOf(4, await deadPort()), 'connection refused'],
      [slotOf(5, cut), 'connection reset'],
      [slotOf(6, noise), 'Parse Error: Expected HTTP/, RTSP/ or ICE/'],
      [slotOf(7, text), 'its answer is not JSON'],
      [slotOf(8, other), 'its answer is not the summary of a worker'],
      [slotOf(9, old), 'it answered with status 404: no such path: /api/v1/summary; there are '],
      [
        slotOf(10, 0, { state: 'waiting', lastEnd: 'signal SIGKILL', pid: 0, restarts: 1 }),
        'died of signal SIGKILL, is started again in a moment',
      ],
      [slotOf(11, 0, { state: 'starting', lastEnd: 'exit code 1', restarts: 2 }), 'is being started again after exit code 1'],
      [slotOf(12, 0, { state: 'starting' }), 'is being started'],
      [slotOf(13, 0, { state: 'stopping' }), 'is being stopped'],
      [slotOf(14, 0, { state: 'stopped', pid: 0 }), 'is stopped'],
    ];
    const port = await serveMaster([slotOf(1, good), ...rows.map(([slot]) => slot)]);
    const { code, out } = await run(port, ['--timeout', '1000', '--json', 'status']);
    expect(code).toBe(0);
    const document = JSON.parse(out) as {
      isComplete: boolean;
      totals: { players: number };
      workers: { problem: string | null }[];
    };
    expect(document.workers.map(({ problem }) => problem)).toEqual([null, ...rows.map(([, problem]) => problem)]);
    expect(document).toMatchObject({ isComplete: false, totals: { players: 8 } });

    const table = await run(port, ['--timeout', '1000', 'status']);
    expect(cellsOf(table.out, '1 ')[2]).toBe('ready');
    expect(cellsOf(table.out, '2 ').slice(1)).toEqual(['stream', 'silent', '1002', '1m40s', '0', '-', '-', '-', '-', '-', '-']);
    expect(cellsOf(table.out, '10 ').slice(1, 5)).toEqual(['stream', 'waiting', '-', '-']);
    expect(table.out).toContain('! stream worker in slot 2 (pid 1002) is left out: no answer within 1000 ms\n');
    expect(table.out).toContain('! stream worker in slot 14 is left out: is stopped\n');
  });

  it('has the streams of a silent worker from the directory, and those of a silent directory from the workers', async () => {
    const directory = await serve({ '/api/v1/summary': () => summaryOf(0, { publishedStreams: 5 }) });
    const worker = await serve({ '/api/v1/summary': () => summaryOf(1, { publishedStreams: 3 }) });
    const dead = await deadPort();
    const silentWorker = await serveMaster([slotOf(0, directory), slotOf(1, dead)]);
    const silentDirectory = await serveMaster([slotOf(0, dead), slotOf(1, worker)]);
    expect(await json(silentWorker, 'status')).toMatchObject({ totals: { streams: 5 } });
    expect(await json(silentDirectory, 'status')).toMatchObject({ totals: { streams: 3 } });
  });

  it('is colourful on a terminal only, and never with NO_COLOR', async () => {
    const port = await serveMaster([slotOf(1, await deadPort())]);
    const colorStart = '\x1b[';
    expect((await run(port, ['status'], { isTTY: true })).out).toContain(`${colorStart}31msilent`);
    expect((await run(port, ['status'])).out).not.toContain(colorStart);
    expect((await run(port, ['status'], { isTTY: true, env: { NO_COLOR: '1' } })).out).not.toContain(colorStart);
    expect((await run(port, ['status'], { isTTY: true, env: { TERM: 'dumb' } })).out).not.toContain(colorStart);
    expect((await run(port, ['--json', 'status'], { isTTY: true })).out).not.toContain(colorStart);
  });
});
