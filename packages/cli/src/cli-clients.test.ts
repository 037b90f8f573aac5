import type { ClientDescription } from '@srs/survey';
import { describe, expect, it } from 'vitest';
import { cellsOf, json, kbps, run, serveBytes, serveMaster, slotOf } from './cli-test-support.ts';
import { clientOf } from './rows-test-support.ts';

describe('srs-cli clients', () => {
  /** A list that is served in pages, as the worker serves it; fails from the page on that starts at `failsAt`. */
  function pagedList(clients: readonly ClientDescription[], failsAt = Number.POSITIVE_INFINITY): () => Promise<number> {
    return async () =>
      await serveBytes((socket) => {
        socket.once('data', (bytes) => {
          const [, start = 0, count = 0] = Array.from(/start=(\d+)&count=(\d+)/.exec(String(bytes)) ?? [], Number);
          if (start >= failsAt) return;
          const data = clients.slice(start, start + count);
          const body = JSON.stringify({ code: 0, total: clients.length, start, count: data.length, data });
          socket.end(`HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
        });
      });
  }

  it('lists the clients of all workers by id', async () => {
    const server = { version: '2.0.0', serverIp: '10.0.0.8', pid: 902, id: 133 };
    const first = await pagedList([
      clientOf(203, { server }),
      clientOf(201, { type: 'publish', lagBytes: undefined as never }),
    ])();
    const second = await pagedList([clientOf(202, { isPaused: true, pendingBytes: 1024 })])();
    const port = await serveMaster([slotOf(1, first), slotOf(2, second)]);
    expect(await json(port, 'clients')).toMatchObject({
      isComplete: true,
      clients: [
        { id: 201, worker: 1, type: 'publish', sendKbps: kbps(300) },
        { id: 202, worker: 2 },
        { id: 203, worker: 1 },
      ],
    });
    const { out } = await run(port, ['clients']);
    expect(cellsOf(out, '203 ')[1]).toBe('play, server');
    expect(cellsOf(out, '202 ')).toEqual([
      '202',
      'play, paused',
      '10.0.0.9',
      '__defaultVhost__/live/s',
      '2',
      '1m40s',
      '1.0 KiB',
      '2.0 KiB',
      '5',
      '300',
      '1.0 KiB',
      '512 B',
      '4',
      '3',
    ]);
  });

  it('reads every page: 10,000 clients are 10,000 rows', async () => {
    const worker = await pagedList(Array.from({ length: 10_000 }, (_, index) => clientOf(200 + index)))();
    const port = await serveMaster([slotOf(1, worker)]);
    const document = (await json(port, 'clients')) as { clients: { id: number }[] };
    expect(document.clients.map(({ id }) => id)).toEqual(Array.from({ length: 10_000 }, (_, index) => 200 + index));
  });

  it('keeps what a worker said before it fell silent, and says so', async () => {
    const worker = await pagedList(
      Array.from({ length: 2500 }, (_, index) => clientOf(200 + index)),
      1000,
    )();
    const port = await serveMaster([slotOf(1, worker)]);
    const { code, out } = await run(port, ['--timeout', '1000', '--json', 'clients']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      isComplete: false,
      clients: { length: 1000 },
      workers: [{ answer: 'partial', problem: 'no answer within 1000 ms' }],
    });
    const table = await run(port, ['--timeout', '1000', 'clients']);
    expect(table.out).toContain('! stream worker in slot 1 (pid 1001) is listed in part: no answer within 1000 ms\n');
  });

  it('writes out what would move the cursor of a terminal', async () => {
    const worker = await pagedList([clientOf(200, { streamId: 'v/a/\x1b]0;owned\x07\r\nfake  row' })])();
    const port = await serveMaster([slotOf(1, worker)]);
    const { out } = await run(port, ['clients'], { isTTY: true });
    expect(out).toContain('v/a/\\x1b]0;owned\\x07\\x0d\\x0afake  row');
    expect(out).not.toContain('\x1b]');
    expect(out.split('\n').length).toBe(3);
  });
});
