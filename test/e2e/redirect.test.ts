/** Clients are sent to another server: by a hook server, and by an operator who drains this one. */
import { join } from 'node:path';
import { openFollowing, parseRtmpUrl, RtmpPlayer, RtmpPublisher } from '@srs/client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ChildProgram, type FinishedProgram } from '../support/child-program.ts';
import { eventually } from '../support/deadline.ts';
import { HookServer } from '../support/hook-server.ts';
import { repositoryRoot, ServerProcess } from '../support/server-process.ts';
import { LivePlayer, LivePublisher } from './live-client-test-support.ts';
import { allClients } from './server-view-test-support.ts';

const LIMIT_MS = 15_000;
const SINGLE = 'mode single;';

let hooks: HookServer;
/** Asks the hook server; the others do not. */
let here: ServerProcess;
let there: ServerProcess;
let edge: ServerProcess;

beforeAll(async () => {
  hooks = await HookServer.start();
  const http = ({ httpApiPort, httpServerPort }: ServerProcess['place']) =>
    `http_api { enabled on; listen ${httpApiPort}; } http_server { enabled on; listen ${httpServerPort}; }`;
  const asked = ['on_connect', 'on_publish', 'on_play'].map((event) => `${event} ${hooks.url()};`).join(' ');
  const vhost = `http_hooks { enabled on; ${asked} } http_remux { enabled on; mount [vhost]/[app]/[stream].flv; }`;
  [here, there] = await Promise.all([
    ServerProcess.start({ workers: SINGLE, top: http, vhost }),
    ServerProcess.start({ workers: SINGLE }),
  ]);
  const origin = `${here.place.host}:${here.place.rtmpPort}`;
  edge = await ServerProcess.start({ workers: SINGLE, vhost: `mode remote; origin ${origin};` });
});

afterEach(() => {
  hooks.behaviour = () => '0';
});

afterAll(async () => {
  for (const server of [edge, here, there]) await server?.stop();
  await hooks?.close();
});

/** Of one event about a stream of that name, or of connect when there is none. */
function answerTo(action: string, redirect: string): void {
  hooks.behaviour = ({ body }) => (body.action === action ? JSON.stringify({ code: 302, redirect }) : '0');
}

const follow = <T>(path: string, open: (target: ReturnType<typeof parseRtmpUrl>) => Promise<T>): Promise<T> =>
  openFollowing(parseRtmpUrl(here.url(path)), open);

describe('a hook server', () => {
  it.each(['on_connect', 'on_publish'])('sends a publisher away in its answer to %s', async (event) => {
    answerTo(event, there.url('live'));
    const name = event.replace('_', '-');
    const publisher = await follow(`live/${name}?k=1`, (target) => RtmpPublisher.open(target));
    expect(publisher.client.target.port).toBe(there.place.rtmpPort);
    await eventually(
      async () => (await allClients(there)).some(({ streamId }) => streamId === `__defaultVhost__/live/${name}`),
      LIMIT_MS,
      () => 'nobody publishes there',
    );
    await here.waitForLog(`sent to ${there.url('live')}: the ${event} hook says so`);
    await here.waitForLog('client goes there');
    await publisher.close();
  });

  it('sends a player away, by the way of nginx-rtmp too, before its play is answered', async () => {
    hooks.behaviour = ({ body }, response) => {
      if (body.action !== 'on_play') return '0';
      response.writeHead(302, { location: there.url('other/name') }).end();
      return undefined;
    };
    const refused = await LivePlayer.open(here, 'live/one');
    expect(refused.rejection).toMatchObject({
      code: 'NetConnection.Connect.Rejected',
      description: 'RTMP 302 Redirect',
      redirect: { tcUrl: there.url('other'), url: there.url('other/name') },
    });
    expect(refused.statusCodes).not.toContain('NetStream.Play.Start');
    await refused.waitFor('end', () => !refused.isOpen);
  });

  it('is not believed when its address is none', async () => {
    answerTo('on_play', 'rtmp://nowhere:0/live?key=secret');
    const player = follow('live/one', (target) => RtmpPlayer.open(target, { onFrame: () => {} }));
    await expect(player).rejects.toThrow('the on_play hook gave no valid answer');
    const line = await here.waitForLog(
      'answered a redirect to nowhere: address "rtmp://nowhere:0/live" must have a port of 1..65535',
    );
    expect(line).not.toContain('secret');
  });

  it('that sends a client in circles is given up by the client', async () => {
    answerTo('on_play', here.url('live'));
    const player = follow('live/one', (target) => RtmpPlayer.open(target, { onFrame: () => {} }));
    await expect(player).rejects.toThrow('redirects more than 4 times');
  });

  it('sends viewers over HTTP to an http address, and to no other', async () => {
    const url = `http://${here.place.host}:${here.place.httpServerPort}/live/one.flv`;
    answerTo('on_play', 'https://cdn.test/live/one.flv?k=1');
    const moved = await fetch(url, { redirect: 'manual' });
    expect([moved.status, moved.headers.get('location')]).toEqual([302, 'https://cdn.test/live/one.flv?k=1']);
    await moved.body?.cancel();
    answerTo('on_play', there.url('live'));
    const refused = await fetch(url, { redirect: 'manual' });
    expect([refused.status, await refused.text()]).toEqual([403, expect.stringContaining('an RTMP address')]);
  });
});

describe('a server that is drained', () => {
  const cli = (...args: string[]): Promise<FinishedProgram> =>
    ChildProgram.run(join(repositoryRoot, 'bin/srs-cli'), [
      '--api',
      `${here.place.host}:${here.place.privatePort}`,
      '--timeout',
      '10000',
      ...args,
    ]);
  const readiness = async (): Promise<number> => {
    const answer = await fetch(`http://${here.place.host}:${here.place.httpApiPort}/readyz`);
    await answer.body?.cancel();
    return answer.status;
  };

  it('sends all to the other one, whose edge takes its viewers along, and takes clients again when that is cancelled', async () => {
    const target = `rtmp://${there.place.host}:${there.place.rtmpPort}`;
    const publisher = await LivePublisher.start(here, 'live/moves');
    const viewer = await LivePlayer.start(edge, 'live/moves');
    const player = await LivePlayer.start(here, 'live/moves');
    await viewer.waitForFrames(20);
    expect(await readiness()).toBe(200);

    const draining = cli('drain', '--all', '--to', target, '--within', '2s');
    await here.waitForLog('the server is drained: 3 clients may stay for 2 s');
    expect(await readiness()).toBe(503);
    expect((await cli('status')).stdout).toMatch(/drained: 3 of 3 clients are left, who stays is sent to rtmp:/);
    const late = await follow('live/moves', (to) => RtmpPlayer.open(to, { onFrame: () => {} }));
    expect(late.client.target.port).toBe(there.place.rtmpPort);
    await late.close();
    player.leave();

    await publisher.waitFor('redirect', () => publisher.rejection !== undefined);
    expect(publisher.rejection?.redirect).toEqual({ tcUrl: `${target}/live`, url: `${target}/live/moves` });
    const next = await LivePublisher.start(there, 'live/moves');
    const drained = await draining;
    expect([drained.code, drained.stdout]).toEqual([
      0,
      expect.stringMatching(/^empty after \d+ s: 1 left by themselves, 2 redirected, 0 dismissed; .*--cancel/),
    ]);
    const seen = viewer.checker.frames;
    await eventually(
      () => viewer.checker.frames > seen + 20,
      LIMIT_MS,
      () => `${viewer.checker.frames} frames`,
    );
    expect(viewer.isOpen).toBe(true);
    expect((await allClients(there)).map(({ type }) => type).toSorted()).toEqual(['play', 'publish']);

    expect((await cli('drain', '--cancel')).code).toBe(0);
    expect(await readiness()).toBe(200);
    const back = await LivePlayer.start(here, 'live/moves');
    for (const client of [back, viewer, next]) client.leave();
  });

  it('refuses whom it cannot send anywhere, dismisses those who are there, and ends if it is told to', async () => {
    const publisher = await LivePublisher.start(there, 'live/last');
    const api = ['--api', `${there.place.host}:${there.place.privatePort}`];
    const draining = ChildProgram.run(join(repositoryRoot, 'bin/srs-cli'), [
      ...api,
      'drain',
      '--all',
      '--within',
      '1s',
      '--stop',
    ]);
    await there.waitForLog('the server is drained: 1 client may stay for 1 s');
    const player = openFollowing(parseRtmpUrl(there.url('live/last')), (to) => RtmpPlayer.open(to, { onFrame: () => {} }));
    await expect(player).rejects.toThrow('NetStream.Play.Failed, the server is drained and takes no new clients');
    await publisher.waitFor('end', () => !publisher.isOpen);
    const { code, stdout } = await draining;
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/0 left by themselves, 0 redirected, 1 dismissed, the server ends\n$/),
    ]);
    await eventually(
      () => !there.program.isRunning,
      LIMIT_MS,
      () => 'the server still runs',
    );
  });
});
