import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/deadline.ts';
import { isAlive, openDescriptors } from '../support/proc.ts';
import { ServerProcess, type WorkerInfo } from '../support/server-process.ts';
import { LivePlayer, LivePublisher } from './live-client-test-support.ts';
import { readyWorker, ringsOf, workersOf } from './server-view-test-support.ts';

/** How long a worker that died may be away. */
const BACK_LIMIT_MS = 2_000;
/** How long new publishes and plays may take while a back-source is being restarted. */
const SERVICE_LIMIT_MS = 3_000;

let server: ServerProcess;

async function streamWorkers(): Promise<[WorkerInfo, WorkerInfo]> {
  const [one, other] = await workersOf(server, 'stream');
  return [one!, other!];
}

async function backSource(): Promise<WorkerInfo> {
  return (await workersOf(server, 'back-source'))[0]!;
}

async function successorOf(worker: WorkerInfo, limitMs: number): Promise<WorkerInfo> {
  return await eventually(
    async () => {
      const ready = await readyWorker(server, worker.slot);
      return ready !== undefined && ready.pid !== worker.pid && ready;
    },
    limitMs,
    () => `slot ${worker.slot} has no new ${worker.role} worker\n${server.program.tail()}`,
  );
}

function expectRings(count: number): Promise<unknown> {
  let rings = { count: -1, usedBytes: -1 };
  return eventually(
    async () => {
      rings = await ringsOf(server);
      return rings.count === count;
    },
    5_000,
    () => `${rings.count} rings of ${rings.usedBytes} bytes are in use instead of ${count}`,
  );
}

beforeEach(async () => {
  server = await ServerProcess.start({ vhost: 'publish { busy replace; }' });
});

afterEach(async () => {
  await server.stop();
});

describe('a stream worker is killed', () => {
  it('only its players drop; it is back within 2 s and serves', async () => {
    const [stays, dies] = await streamWorkers();
    const publisher = await LivePublisher.start(server, 'live/one', { onWorker: stays.pid });
    const lucky = await LivePlayer.crowd(server, 'live/one', 5, { onWorker: stays.pid });
    const unlucky = await LivePlayer.crowd(server, 'live/one', 5, { onWorker: dies.pid });
    await Promise.all([...lucky, ...unlucky].map((player) => player.waitForFrames(10)));

    process.kill(dies.pid, 'SIGKILL');
    await Promise.all(unlucky.map((player) => player.waitForClose()));
    const successor = await successorOf(dies, BACK_LIMIT_MS);
    const newcomer = await LivePlayer.start(server, 'live/one', { onWorker: successor.pid });
    await newcomer.waitForFrames(50);
    expect(newcomer.checker.complaint).toBe('');

    await Promise.all(lucky.map((player) => player.waitForFrames(50)));
    expect(lucky.map((player) => player.checker.complaint)).toEqual(lucky.map(() => ''));
    expect(publisher.isOpen).toBe(true);
    for (const client of [...lucky, newcomer, publisher]) client.leave();
    await expectRings(0);
  });

  it('of a publisher: players of other workers stay attached, and a republish reaches them', async () => {
    const [stays, dies] = await streamWorkers();
    const publisher = await LivePublisher.start(server, 'live/one', { onWorker: dies.pid });
    const players = await LivePlayer.crowd(server, 'live/one', 3, { onWorker: stays.pid });
    await Promise.all(players.map((player) => player.waitForFrames(10)));

    process.kill(dies.pid, 'SIGKILL');
    await publisher.waitForClose();
    publisher.close();
    await successorOf(dies, BACK_LIMIT_MS);
    const again = await LivePublisher.start(server, 'live/one', { session: 2 });
    await Promise.all(players.map((player) => player.waitForSession(2)));
    await Promise.all(players.map((player) => player.waitForFrames(50)));
    for (const player of players) {
      expect(player.checker.complaint).toBe('');
      expect(player.isOpen).toBe(true);
    }
    await expectRings(1);
    for (const client of [...players, again]) client.leave();
    await expectRings(0);
  });
});

describe('the back-source is killed', () => {
  it('players see no gap, new publishes and plays work within 3 s, memory is not leaked; twice in a row', async () => {
    const [one, other] = await streamWorkers();
    const publishers = [
      await LivePublisher.start(server, 'live/one', { onWorker: one.pid }),
      await LivePublisher.start(server, 'live/two', { onWorker: other.pid }),
    ];
    const players = [
      ...(await LivePlayer.crowd(server, 'live/one', 4)),
      ...(await LivePlayer.crowd(server, 'live/two', 4)),
      // Across the workers, whatever chance has given the others.
      await LivePlayer.start(server, 'live/one', { onWorker: other.pid }),
      await LivePlayer.start(server, 'live/two', { onWorker: one.pid }),
    ];
    await Promise.all(players.map((player) => player.waitForFrames(10)));

    for (const round of [1, 2]) {
      const victim = await backSource();
      process.kill(victim.pid, 'SIGKILL');
      const killedMs = performance.now();
      const path = `live/new-${round}`;
      const [fresh, viewer, late] = await Promise.all([
        LivePublisher.start(server, path),
        LivePlayer.start(server, path),
        LivePlayer.start(server, 'live/one'),
      ]);
      await Promise.all([viewer.waitForFrames(1), late.waitForFrames(1)]);
      expect(performance.now() - killedMs).toBeLessThan(SERVICE_LIMIT_MS);
      await successorOf(victim, SERVICE_LIMIT_MS);

      // An end and a new start of a publish that was there all the time, under players that were there all the time.
      const old = publishers[0]!;
      old.leave();
      await old.waitForClose();
      publishers[0] = await LivePublisher.start(server, 'live/one', { session: round + 1 });
      const watching = players.filter((player) => player.path === 'live/one');
      await Promise.all(watching.map((player) => player.waitForSession(round + 1)));
      await Promise.all([...players, viewer, late].map((player) => player.waitForFrames(50)));
      for (const player of [...players, viewer, late]) {
        expect(player.checker.complaint).toBe('');
        expect(player.isOpen).toBe(true);
      }
      await expectRings(3);
      for (const client of [fresh, viewer, late]) client.leave();
      await expectRings(2);
    }
    for (const client of [...players, ...publishers]) client.leave();
    await expectRings(0);
    expect((await ringsOf(server)).usedBytes).toBe(0);
  });
});

describe('the master is killed', () => {
  it('no process is left after 5 s, nor its runtime directory', async () => {
    const directory = runtimeDirectory(await backSource());
    expect(existsSync(directory)).toBe(true);
    const publisher = await LivePublisher.start(server, 'live/one');
    const players = await LivePlayer.crowd(server, 'live/one', 5);
    const pids = server.pids();
    expect(pids).toHaveLength(4);

    server.signal('SIGKILL');
    await eventually(
      () => !pids.some(isAlive),
      5_000,
      () => `processes ${pids.filter(isAlive).join(', ')} are left\n${server.program.tail()}`,
    );
    expect(existsSync(directory)).toBe(false);
    // They were told, not cut off.
    for (const player of players) expect(player.statusCodes).toContain('NetStream.Play.Stop');
    expect(publisher.statusCodes).toContain('NetStream.Unpublish.Success');
  });
});

/** The directory of the control socket that a back-source listens on. */
function runtimeDirectory(worker: WorkerInfo): string {
  const sockets = openDescriptors(worker.pid).flatMap(({ target }) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []);
  // Num RefCount Protocol Flags Type St Inode Path
  const known = readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/ +/));
  const path = known.find(([, , , , , , inode = '', name = '']) => sockets.includes(inode) && name.endsWith('.sock'))?.[7];
  if (path === undefined) throw new Error(`process ${worker.pid} listens on no control socket`);
  return dirname(path);
}

describe('a stream worker hangs while the back-source is killed', () => {
  it('others publish its stream meanwhile; when it wakes up it gives in, and players go on', async () => {
    const [stays, hangs] = await streamWorkers();
    const old = await LivePublisher.start(server, 'live/one', { onWorker: hangs.pid });
    const players = await LivePlayer.crowd(server, 'live/one', 3, { onWorker: stays.pid });
    await Promise.all(players.map((player) => player.waitForFrames(10)));

    process.kill(hangs.pid, 'SIGSTOP');
    try {
      const victim = await backSource();
      process.kill(victim.pid, 'SIGKILL');
      await successorOf(victim, SERVICE_LIMIT_MS);
      const newcomer = await LivePublisher.start(server, 'live/one', { session: 2, onWorker: stays.pid });
      await Promise.all(players.map((player) => player.waitForSession(2)));
      await expectRings(2);
      process.kill(hangs.pid, 'SIGCONT');
      await old.waitForClose();
      expect(old.statusCodes).toContain('NetStream.Publish.BadName');
      await expectRings(1);
      await Promise.all(players.map((player) => player.waitForFrames(50)));
      for (const player of players) {
        expect(player.checker.complaint).toBe('');
        expect(player.checker.sessions).toEqual([1, 2]);
      }
      for (const client of [...players, newcomer]) client.leave();
      await expectRings(0);
    } finally {
      process.kill(hangs.pid, 'SIGCONT');
    }
  });
});

describe('a stream worker hangs', () => {
  it('a newcomer takes its stream over, players go on, and the worker does no harm when it wakes up', async () => {
    const [stays, hangs] = await streamWorkers();
    const old = await LivePublisher.start(server, 'live/one', { onWorker: hangs.pid });
    const other = await LivePublisher.start(server, 'live/other', { onWorker: stays.pid });
    const players = await LivePlayer.crowd(server, 'live/one', 3, { onWorker: stays.pid });
    const neighbour = await LivePlayer.start(server, 'live/other', { onWorker: stays.pid });
    await Promise.all(players.map((player) => player.waitForFrames(10)));

    process.kill(hangs.pid, 'SIGSTOP');
    try {
      const newcomer = await LivePublisher.start(server, 'live/one', { session: 2, onWorker: stays.pid });
      await Promise.all(players.map((player) => player.waitForSession(2)));
      // The ring of the worker that hangs stays its own, whatever comes and goes meanwhile.
      await expectRings(3);
      await Promise.all(players.map((player) => player.waitForFrames(30)));
      process.kill(hangs.pid, 'SIGCONT');
      await old.waitForClose();
      expect(old.statusCodes).toContain('NetStream.Publish.BadName');
      await expectRings(2);
      await Promise.all([...players, neighbour].map((player) => player.waitForFrames(50)));
      for (const player of [...players, neighbour]) expect(player.checker.complaint).toBe('');
      for (const player of players) expect(player.checker.sessions).toEqual([1, 2]);
      const woken = await LivePlayer.start(server, 'live/one', { onWorker: hangs.pid });
      await woken.waitForFrames(30);
      expect(woken.checker.complaint).toBe('');
      expect(woken.checker.sessions).toEqual([2]);
      for (const client of [...players, neighbour, woken, newcomer, other]) client.leave();
      await expectRings(0);
    } finally {
      process.kill(hangs.pid, 'SIGCONT');
    }
  });
});
