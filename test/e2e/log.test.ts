import { describe, expect, it } from 'vitest';
import { ServerProcess, type WorkerInfo } from '../support/server-process.ts';
import { LivePlayer, LivePublisher } from './live-client-test-support.ts';
import { allClients, workersOf } from './server-view-test-support.ts';

const classicLine =
  /^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\]\[(?<level>verb|debug|trace|warn|error)\]\[(?<pid>\d+)\]\[(?<cid>\d+)\](?:\[\d+\])? (?<text>.*)$/;
const JSON_TRACE_LEVEL = 30;

interface Line {
  readonly level: string;
  readonly pid: number;
  readonly cid: number;
  readonly text: string;
}

function parse(line: string): Line {
  const groups = classicLine.exec(line)?.groups;
  if (groups === undefined) throw new Error(`not a line of the classic format: ${line}`);
  return { level: groups.level!, pid: Number(groups.pid), cid: Number(groups.cid), text: groups.text! };
}

const updateOf = (player: LivePlayer) => new RegExp(`\\[${player.peer.id}\\] update source_id=`);

async function twoWorkers(server: ServerProcess): Promise<[WorkerInfo, WorkerInfo]> {
  const [one, other] = await workersOf(server, 'stream');
  return [one!, other!];
}

describe('the classic log', () => {
  it('leads from a player over source_id to its publisher, across workers and publishes', async () => {
    await using server = await ServerProcess.start();
    const [one, other] = await twoWorkers(server);
    const publisher = await LivePublisher.start(server, 'live/one', { onWorker: one.pid });
    const player = await LivePlayer.start(server, 'live/one', { onWorker: other.pid });
    await player.waitForFrames(10);

    // From the number the client was told.
    const played = parse(await server.waitForLog(new RegExp(`\\[${player.peer.id}\\] source url=`)));
    expect(played).toMatchObject({ level: 'trace', pid: other.pid, cid: player.peer.id });
    const sourceOf = (line: Line) => Number(/\bsource_id=(-?\d+)\[\1\]$/.exec(line.text)?.[1]);
    expect(played.text).toMatch(/^source url=__defaultVhost__\/live\/one, ip=127\.0\.0\.1, cache=1, is_edge=0, source_id=/);
    // The first player of a worker may be there before the worker has heard who publishes.
    const known = sourceOf(played) >= 0 ? played : parse(await server.waitForLog(updateOf(player)));
    const sourceId = sourceOf(known);
    expect(sourceId).toBe(publisher.peer.id);
    const identified = parse(await server.waitForLog(new RegExp(`\\[${sourceId}\\] client identified`)));
    expect(identified.pid).toBe(one.pid);
    expect(identified.text).toBe('client identified, type=publish(FMLEPublish), stream_name=one, duration=-1');

    publisher.leave();
    await publisher.waitForClose();
    const next = await LivePublisher.start(server, 'live/one', { session: 2, onWorker: other.pid });
    await server.waitForLog(`[${player.peer.id}] update source_id=${next.peer.id}[${next.peer.id}]`);
    player.leave();
    next.leave();
    await server.waitForLog(new RegExp(`\\[${player.peer.id}\\] client finished\\.`));
    await server.stop();

    const lines = server.log().map(parse);
    // One connection, one number; one number, one process.
    const pidsOfCid = new Map<number, Set<number>>();
    for (const { cid, pid } of lines) pidsOfCid.set(cid, (pidsOfCid.get(cid) ?? new Set()).add(pid));
    for (const [cid, pids] of pidsOfCid) expect([cid, pids.size]).toEqual([cid, 1]);
    const told = lines.filter((line) => line.cid === player.peer.id).map((line) => line.text);
    const wanted = [
      /^RTMP client ip=127\.0\.0\.1$/,
      /^simple handshake success$/,
      /^connect app, tcUrl=rtmp:/,
      /^client identified, type=Play/,
    ];
    expect(wanted.map((pattern) => told.findIndex((text) => pattern.test(text)))).toEqual([0, 1, 2, 3]);
  });

  it('has no secret of a client, nor has the API, and a name with control characters cannot forge a line', async () => {
    await using server = await ServerProcess.start({ workers: 'mode single;' });
    const secrets = { tcUrlParameters: '?token=SECRET-A&key=SECRET-B', parameters: '?token=SECRET-C&sign=SECRET-D' };
    const rtmp = { pageUrl: 'http://user:SECRET-E@www.test/?auth=SECRET-F', swfUrl: 'http://www.test/p.swf?password=SECRET-G' };
    const publisher = await LivePublisher.start(server, 'live/one', { ...secrets, rtmp });
    const player = await LivePlayer.start(server, 'live/one', { ...secrets, rtmp });
    await player.waitForFrames(10);
    using second = await LivePublisher.open(server, 'live/one', { ...secrets, rtmp });
    expect(second.rejection).toBeDefined();
    const forged = '[2026-01-01 00:00:00.000][trace][1][100] the server has stopped';
    using forger = await LivePlayer.open(server, 'live/two', { rtmp: { pageUrl: `http://x/\n${forged}` } });
    expect(forger.rejection).toBeUndefined();
    const listed = JSON.stringify(await allClients(server));
    expect(listed).toContain('token=***');
    expect(listed).not.toContain('SECRET');
    for (const client of [player, publisher]) client.leave();
    await server.waitForLog(new RegExp(`\\[${player.peer.id}\\] client finished`));
    await server.stop();
    const text = server.log().join('\n');
    expect(text).not.toContain('SECRET');
    expect(text).toContain('token=***');
    expect(server.log()).not.toContain(forged);
    for (const line of server.log()) parse(line);
  });
});

it('the JSON log has one object per line, with the same numbers', async () => {
  await using server = await ServerProcess.start({ top: 'srs_log_format json;' });
  const [one, other] = await twoWorkers(server);
  const publisher = await LivePublisher.start(server, 'live/one', { onWorker: one.pid, parameters: '?token=SECRET' });
  const player = await LivePlayer.start(server, 'live/one', { onWorker: other.pid });
  await player.waitForFrames(10);
  player.leave();
  await server.waitForLog(/"cid":\d+.*client finished/);
  publisher.leave();
  await server.stop();
  const lines = server
    .log()
    .map((line) => JSON.parse(line) as { level: number; time: number; pid: number; cid: number; msg: string });
  for (const line of lines) {
    expect(line).toEqual({
      level: expect.any(Number) as number,
      time: expect.any(Number) as number,
      pid: expect.any(Number) as number,
      cid: expect.any(Number) as number,
      msg: expect.any(String) as string,
    });
    expect(line.msg).not.toContain('SECRET');
  }
  const played = lines.find((line) => line.cid === player.peer.id && line.msg.includes(`source_id=${publisher.peer.id}[`));
  expect(played).toMatchObject({ level: JSON_TRACE_LEVEL, pid: other.pid });
  expect(lines.some((line) => line.cid === publisher.peer.id && line.pid === one.pid)).toBe(true);
});
