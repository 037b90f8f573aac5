import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { runCli } from '../cli-command.ts';
import { deadPort, FakeProcess, json, run, serve, serveBytes, serveMaster, slotOf, summaryOf } from '../cli-test-support.ts';
import { clientOf, workerStream } from '../rows-test-support.ts';

const TAKEN = '\x1b[?1049h\x1b[?25l\x1b[?7l';
const GIVEN_BACK = '\x1b[?7h\x1b[?25h\x1b[?1049l';

async function serveServer(): Promise<number> {
  const worker = await serve({
    '/api/v1/summary': () => summaryOf(1),
    '/api/v1/streams': () => [workerStream('__defaultVhost__/live/one')],
    '/api/v1/clients': () => [clientOf(215)],
  });
  return await serveMaster([slotOf(1, worker)]);
}

/** `top` on a terminal, after its first frame. */
async function open(port: number): Promise<{ readonly process: FakeProcess; readonly end: Promise<number> }> {
  const process = new FakeProcess({ isTTY: true });
  const end = runCli(['--api', String(port), '--timeout', '5000', 'top'], process);
  await written(process, 'q quit');
  return { process, end };
}

/** Waits until the terminal has got `text` in what it is given from now on, or has it already. */
async function written({ stdout }: FakeProcess, text: string, from = 0): Promise<void> {
  while (!stdout.text.slice(from).includes(text)) await once(stdout, 'written');
}

describe('srs-cli top', () => {
  it.each<[string, (process: FakeProcess) => unknown, number]>([
    ['the key q', ({ stdin }) => stdin.write('q'), 0],
    ['control c', ({ stdin }) => stdin.write('\x03'), 0],
    ['SIGINT', (process) => process.emit('SIGINT'), 130],
    ['SIGTERM', (process) => process.emit('SIGTERM'), 143],
    ['SIGHUP', (process) => process.emit('SIGHUP'), 129],
  ])('leaves the terminal as it was after %s', async (_, act, code) => {
    const { process, end } = await open(await serveServer());
    expect(process.stdin.isRaw).toBe(true);
    expect(process.stdout.text.startsWith(TAKEN)).toBe(true);
    act(process);
    expect(await end).toBe(code);
    expect(process.stdin.isRaw).toBe(false);
    expect(process.stdin.isPaused()).toBe(true);
    expect(process.stdout.text.endsWith(GIVEN_BACK)).toBe(true);
    expect([process.eventNames(), process.stdout.eventNames(), process.stdin.listenerCount('keypress')]).toEqual([[], [], 0]);
  });

  it('leaves the terminal in order when something else fails', async () => {
    const { process, end } = await open(await serveServer());
    process.emit('exit');
    expect(process.stdout.text.endsWith(GIVEN_BACK)).toBe(true);
    process.emit('SIGTERM');
    await end;
    expect(process.stdout.text.split(GIVEN_BACK)).toHaveLength(2);
  });

  it('gives the terminal to the shell when it is suspended, and takes it again', async () => {
    const { process, end } = await open(await serveServer());
    process.stdin.write('\x1a');
    await written(process, GIVEN_BACK);
    expect(process.signals).toEqual([`SIGSTOP to ${process.pid}`]);
    expect(process.stdin.isRaw).toBe(false);
    const from = process.stdout.text.length;
    process.emit('SIGCONT');
    await written(process, TAKEN, from);
    await written(process, 'q quit', from);
    process.stdin.write('q');
    expect(await end).toBe(0);
  });

  it('asks for the clients when they are wanted, and draws at once when a key or the size says so', async () => {
    const { process, end } = await open(await serveServer());
    expect(process.stdout.text).not.toContain('215');
    let from = process.stdout.text.length;
    process.stdin.write('c');
    await written(process, '215', from);
    from = process.stdout.text.length;
    process.stdout.rows = 12;
    process.stdout.emit('resize');
    expect(process.stdout.text.slice(from).split('\r\n')).toHaveLength(12);
    process.stdin.write('q');
    await end;
  });

  it('keeps its last figures while the master is away', async () => {
    let isAway = false;
    const worker = await serve({
      '/api/v1/summary': () => summaryOf(1),
      '/api/v1/streams': () => [workerStream('__defaultVhost__/live/one')],
    });
    const port = await serveMaster([slotOf(1, worker)], {
      '/api/v1/workers': () => {
        if (isAway) throw new Error('away');
        return [slotOf(1, worker)];
      },
    });
    const { process, end } = await open(port);
    isAway = true;
    const from = process.stdout.text.length;
    await written(process, 'these are old figures', from);
    expect(process.stdout.text.slice(from)).toContain('live/one');
    process.stdin.write('q');
    expect(await end).toBe(0);
  });

  it('ends while a worker is silent', async () => {
    const hung = await serveBytes(() => {});
    const worker = await serve({ '/api/v1/summary': () => summaryOf(1), '/api/v1/streams': () => [] });
    const port = await serveMaster([slotOf(1, worker), slotOf(2, hung)]);
    const process = new FakeProcess({ isTTY: true });
    const end = runCli(['--api', String(port), '--timeout', '300', 'top'], process);
    await written(process, 'silent');
    process.stdin.write('q');
    expect(await end).toBe(0);
  });

  it('needs a terminal and a master', async () => {
    expect(await run(await serveServer(), ['top'])).toEqual({
      code: 2,
      out: '',
      err: 'srs-cli: top needs a terminal; top --once prints one frame\n',
    });
    const port = await deadPort();
    const { code, out, err } = await run(port, ['top'], { isTTY: true });
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('cannot be reached: connection refused');
  });

  it('prints one frame for scripts, or one document', async () => {
    const port = await serveServer();
    const { code, out, err } = await run(port, ['top', '--once']);
    expect([code, err]).toEqual([0, '']);
    expect(out).not.toContain('\x1b');
    expect(out.indexOf('215')).toBeGreaterThan(out.indexOf('live/one'));
    expect(await json(port, 'top')).toMatchObject({
      isComplete: true,
      workers: [{ slot: 1, inKbps: 10, outKbps: 100 }],
      streams: [{ streamId: '__defaultVhost__/live/one' }],
      clients: [{ id: 215, worker: 1, outKbps: 300 }],
    });
  });
});
