import { SrsError } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { deadPort, json, run, serve, serveBytes, serveMaster, slotOf } from './cli-test-support.ts';

describe('srs-cli kick', () => {
  /** A worker with these clients; `kicked` is what it was asked for. */
  async function workerWith(ids: readonly number[], kicked: string[] = []): Promise<number> {
    return await serve({
      '/api/v1/kick': {
        POST: ({ id }) => {
          kicked.push(String(id));
          return { isFound: ids.includes(Number(id)) };
        },
      },
    });
  }

  it('asks every worker and tells who had the client', async () => {
    const kicked: string[] = [];
    const ports = [await workerWith([], kicked), await workerWith([201], kicked), await workerWith([202], kicked)];
    const port = await serveMaster(ports.map((each, slot) => slotOf(slot, each)));
    expect(await run(port, ['kick', '202'])).toEqual({
      code: 0,
      out: 'client 202 of the stream worker in slot 2 (pid 1002) is disconnected\n',
      err: '',
    });
    expect(kicked).toEqual(['202', '202', '202']);
    expect(await json(port, 'kick', '201')).toMatchObject({ id: 201, isFound: true, worker: 1, isComplete: true });
  });

  it('ends with status 1 when nobody has it', async () => {
    const port = await serveMaster([slotOf(1, await workerWith([201]))]);
    expect(await run(port, ['kick', '7'])).toEqual({
      code: 1,
      out: '',
      err: 'srs-cli: there is no client 7; srs-cli clients lists them\n',
    });
    const document = await run(port, ['--json', 'kick', '7']);
    expect([document.code, JSON.parse(document.out)]).toMatchObject([1, { id: 7, isFound: false, worker: null }]);
  });

  it('is not sure when a worker is silent, and kicks all the same', async () => {
    const hung = await serveBytes(() => {});
    const port = await serveMaster([slotOf(1, await workerWith([201])), slotOf(2, hung)]);
    const missing = await run(port, ['--timeout', '1000', 'kick', '7']);
    expect(missing).toEqual({
      code: 1,
      out: '! stream worker in slot 2 (pid 1002) is left out: no answer within 1000 ms\n',
      err: 'srs-cli: there is no client 7 on the workers that have answered; srs-cli clients lists them\n',
    });
    expect((await run(port, ['--timeout', '1000', 'kick', '201'])).code).toBe(0);
  });
});

describe('srs-cli drain and log-level', () => {
  it('ask the master, with what was said', async () => {
    const asked: unknown[] = [];
    const note = (query: unknown): null => {
      asked.push(query);
      return null;
    };
    const port = await serveMaster([slotOf(1, 0)], { '/api/v1/drain': { POST: note }, '/api/v1/log-level': { POST: note } });
    const drained = await run(port, ['drain', '1']);
    expect(drained).toMatchObject({ code: 0, err: '' });
    expect(drained.out).toMatch(/^stream worker in slot 1 \(pid 1001\) accepts nobody any more .*\n$/);
    expect(await run(port, ['log-level', 'warn'])).toEqual({
      code: 0,
      out: 'log level warn in all processes, until a reload changes it\n',
      err: '',
    });
    expect(asked).toEqual([{ slot: '1' }, { level: 'warn' }]);
    expect(await json(port, 'drain', '1')).toMatchObject({ slot: 1, worker: { slot: 1, pid: 1001 } });
  });

  it('say what slots there are when that one is not', async () => {
    const port = await serveMaster([slotOf(0, 0), slotOf(1, 0)]);
    expect(await run(port, ['drain', '9'])).toEqual({
      code: 1,
      out: '',
      err: 'srs-cli: there is no worker in slot 9; there are 0, 1\n',
    });
  });

  it('tell what the master says against it', async () => {
    const refuse = (): never => {
      throw new SrsError('RequestUri', 'slot 1 is draining already');
    };
    const port = await serveMaster([slotOf(1, 0)], { '/api/v1/drain': { POST: refuse } });
    expect(await run(port, ['drain', '1'])).toEqual({
      code: 1,
      out: '',
      err: `srs-cli: the master's private API at 127.0.0.1:${port} refuses: it answered with status 400: slot 1 is draining already\n`,
    });
  });

  it('end with status 1 without a master', async () => {
    const port = await deadPort();
    expect(await run(port, ['log-level', 'info'])).toEqual({
      code: 1,
      out: '',
      err: `srs-cli: the master's private API at 127.0.0.1:${port} cannot be reached: connection refused\n`,
    });
  });
});
