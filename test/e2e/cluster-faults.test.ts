/** What becomes of viewers and publishers when servers of a cluster die, cables are cut, lines are bad and names are not found. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/deadline.ts';
import { NameServer } from '../support/name-server.ts';
import { allowsCongestionControl, type NetworkHost, requiresNetwork, TestNetwork } from '../support/network.ts';
import { ServerProcess } from '../support/server-process.ts';
import { addressOf, SMALL, viewersOf } from './cluster-test-support.ts';
import { type ClientOptions, LivePlayer, LivePublisher } from './live-client-test-support.ts';
import { directoryRowOf } from './server-view-test-support.ts';

/** Viewers wait no longer than that for the next origin. */
const TAKE_OVER_MS = 3_000;
/** A destination that takes nothing is given up after 10 s. */
const STANDSTILL_MS = 10_000;
const LIMIT_MS = 45_000;
/** How long cables are cut; one of a minute is for releases. */
const cutSeconds = [2, 10, ...(process.env.CUT_SECONDS === undefined ? [] : [Number(process.env.CUT_SECONDS)])];
const TEST_LIMIT_MS = 60_000 + 3_000 * Math.max(...cutSeconds);
/** The round trip takes 200 ms, and of 50 packets one is lost each way. */
const BAD_LINE = { delayMs: 100, loss: 0.02 };
const BAD_LINE_SECONDS = 12;
/** Of the origin. One that takes each loss for a jam sends a third of 2 Mbps over such a line. */
const CONGESTION_CONTROL = 'bbr';
/** Of 2 Mbps: a second has 12 times as many bytes as a key frame. */
const TWO_MBPS = { keyFrameBytes: 2_000_000 / 8 / 12 };

const isPossible = requiresNetwork();

const onVhost = (name: string): ClientOptions => ({ tcUrlParameters: `?vhost=${name}` });

let network: TestNetwork;
let names: NameServer;
let origin: ServerProcess;
let spare: ServerProcess;
let dying: ServerProcess;
/** Each has cables of its own to the origins. */
let edge: ServerProcess;
let lonely: ServerProcess;
let distant: ServerProcess;
let pushing: ServerProcess;

/** What happened and how long it took, for docs/cluster.md. */
const measured: string[] = [];
const note = (what: string, ms: number): void => void measured.push(`${what}: ${(ms / 1000).toFixed(1)} s`);

beforeAll(async () => {
  if (!isPossible) return;
  network = await TestNetwork.start();
  await network.ownAddress();
  const nameAddress = await network.ownAddress();
  const start = async (on: NetworkHost, vhost = '', top = ''): Promise<ServerProcess> =>
    ServerProcess.start({ on, workers: SMALL, vhost, top });
  const hosts = [];
  const originOptions = allowsCongestionControl(CONGESTION_CONTROL) ? { congestionControl: CONGESTION_CONTROL } : {};
  for (let count = 0; count < 6; count += 1) hosts.push(await network.host(count === 0 ? originOptions : {}));
  [origin, spare, dying] = await Promise.all([start(hosts[0]!), start(hosts[1]!), start(hosts[2]!)]);
  names = await NameServer.start(nameAddress, {
    'two.test': { address: spare.place.host, afterMs: 2_000 },
    // The C library gives up after 10 s.
    'eight.test': { address: spare.place.host, afterMs: 8_000 },
    'never.test': { address: spare.place.host, afterMs: Infinity },
  });
  const { rtmpPort } = spare.place;
  const remote = (name: string, ...origins: readonly string[]): string =>
    `vhost ${name} { mode remote; origin ${origins.join(' ')}; }\n`;
  const vhosts = [
    remote('dies', addressOf(dying), addressOf(spare)),
    remote('two', `two.test:${rtmpPort}`),
    remote('eight', `eight.test:${rtmpPort}`),
    remote('never', `never.test:${rtmpPort}`, addressOf(spare)),
  ].join('');
  [edge, lonely, distant, pushing] = await Promise.all([
    start(
      await network.host({ nameServer: nameAddress }),
      `mode remote; origin ${addressOf(origin)} ${addressOf(spare)};`,
      vhosts,
    ),
    start(hosts[3]!, `mode remote; origin ${addressOf(origin)};`),
    start(hosts[4]!, `mode remote; origin ${addressOf(origin)} ${addressOf(spare)};`),
    start(
      hosts[5]!,
      `mode remote; origin ${addressOf(origin)} ${addressOf(spare)};`,
      `vhost forwards { forward ${addressOf(origin)}; }`,
    ),
  ]);
});

afterAll(async () => {
  if (process.env.CUT_SECONDS !== undefined) process.stdout.write(`${measured.sort().join('\n')}\n`);
  for (const server of [edge, lonely, distant, pushing, origin, spare, dying]) await server?.stop();
  await names?.stop();
  await network?.stop();
});

const cable = (one: ServerProcess, other: ServerProcess) => network.cable(one.place.host, other.place.host);

/** Nobody was disconnected, time went on, nothing came twice, and what came after a gap could be shown. */
function expectAttached(viewers: readonly LivePlayer[]): void {
  for (const viewer of viewers) {
    expect(viewer.checker.faults).toEqual([]);
    expect(viewer.isOpen).toBe(true);
  }
}

const publishersOf = async (server: ServerProcess, path: string): Promise<boolean> =>
  (await directoryRowOf(server, path))?.publisher != null;

describe.concurrent('a cluster', { timeout: TEST_LIMIT_MS }, () => {
  it.skipIf(!isPossible)('lets go of publishers and viewers behind a cable that is never mended', async () => {
    const [studio, home] = [await network.ownAddress(), await network.ownAddress()];
    const publisher = await LivePublisher.start(origin, 'live/gone', { localAddress: studio });
    const viewer = await LivePlayer.start(origin, 'live/gone', { localAddress: home });
    const stays = await LivePublisher.start(origin, 'live/stays');
    const left = await LivePlayer.start(origin, 'live/stays', { localAddress: home });
    await Promise.all([viewer.waitForFrames(50), left.waitForFrames(50)]);
    await Promise.all([network.cable(studio, origin.place.host).cut(), network.cable(home, origin.place.host).cut()]);
    const cutMs = performance.now();
    const isGone = async (): Promise<boolean> => !(await publishersOf(origin, 'live/gone'));
    await eventually(isGone, LIMIT_MS, () => 'the publisher is still there');
    note('a publisher behind a cut cable is let go', performance.now() - cutMs);
    expect(performance.now() - cutMs).toBeLessThan(8_000);
    await origin.waitForLog(new RegExp(`\\[${left.peer.id}\\].*client disconnect peer`), { limitMs: LIMIT_MS });
    note('a viewer behind a cut cable is let go', performance.now() - cutMs);
    for (const client of [publisher, viewer, stays, left]) client.close();
  });

  it.skipIf(!isPossible)('tries a destination anew that has taken nothing for 10 s, and on an edge the next origin', async () => {
    const pushed = await LivePublisher.start(pushing, 'live/pushed');
    const forwarded = await LivePublisher.start(pushing, 'live/forwarded', onVhost('forwards'));
    const [there] = await viewersOf(origin, 'live/forwarded');
    await viewersOf(origin, 'live/pushed');
    const next = await LivePlayer.start(spare, 'live/pushed');
    const toOrigin = cable(pushing, origin);
    await toOrigin.cut();
    const cutMs = performance.now();
    await next.waitForFrames(1, LIMIT_MS);
    note('what is published on an edge reaches the next origin after a cut', performance.now() - cutMs);
    expect(performance.now() - cutMs).toBeLessThan(STANDSTILL_MS + TAKE_OVER_MS);
    await pushing.waitForLog(/forward of forwards\/live\/forwarded to .*next try/, { limitMs: LIMIT_MS });
    note('a forward notices a cut', performance.now() - cutMs);
    await toOrigin.mend();
    const mendedMs = performance.now();
    await there!.waitForFrames(1, LIMIT_MS);
    note('a forward goes on after the cable is mended', performance.now() - mendedMs);
    await there!.waitForFrames(50);
    expectAttached([there!, next]);
    for (const publisher of [pushed, forwarded]) {
      expect(publisher.isOpen).toBe(true);
      publisher.leave();
    }
  });

  it.skipIf(!isPossible)('keeps viewers when the cable to the only origin is cut', async () => {
    for (const seconds of cutSeconds) {
      const path = `live/alone${seconds}`;
      const publisher = await LivePublisher.start(origin, path);
      const viewers = await viewersOf(lonely, path);
      const toOrigin = cable(lonely, origin);
      await toOrigin.cut();
      await delay(seconds * 1000);
      // What was on its way has come long ago.
      const frames = viewers[0]!.checker.frames;
      await toOrigin.mend();
      const mendedMs = performance.now();
      await viewers[0]!.waitFor('frames again', () => viewers[0]!.checker.frames > frames);
      note(`cut for ${seconds} s, no other origin: media again after it is mended`, performance.now() - mendedMs);
      expect(performance.now() - mendedMs).toBeLessThan(TAKE_OVER_MS + 1_000);
      await Promise.all(viewers.map((viewer) => viewer.waitForFrames(50)));
      expectAttached(viewers);
      for (const client of [publisher, ...viewers]) client.leave();
    }
  });

  it.skipIf(!isPossible)('goes to the next origin when the cable to one is cut, and stays there', async () => {
    for (const seconds of cutSeconds) {
      const path = `live/spare${seconds}`;
      const publisher = await LivePublisher.start(origin, path);
      const other = await LivePublisher.start(spare, path, { session: 2 });
      const viewers = await viewersOf(edge, path);
      const toOrigin = cable(edge, origin);
      await toOrigin.cut();
      const cutMs = performance.now();
      const mended = delay(seconds * 1000).then(() => toOrigin.mend());
      if (seconds * 1000 > TAKE_OVER_MS) {
        await Promise.all(viewers.map((viewer) => viewer.waitForSession(2)));
        note(`cut for ${seconds} s, another origin: its media`, performance.now() - cutMs);
        expect(performance.now() - cutMs).toBeLessThan(TAKE_OVER_MS);
        await mended;
      } else {
        const before = viewers[0]!.checker.frames;
        await viewers[0]!.waitFor('frames again', () => viewers[0]!.checker.frames > before);
        await mended;
        await viewers[0]!.waitForFrames(1);
        note(`cut for ${seconds} s, another origin: media again`, performance.now() - cutMs);
        expect(performance.now() - cutMs).toBeLessThan(TAKE_OVER_MS + 1_000);
      }
      await Promise.all(viewers.map((viewer) => viewer.waitForFrames(50)));
      expectAttached(viewers);
      for (const client of [publisher, other, ...viewers]) client.leave();
    }
  });

  it.skipIf(!isPossible)('finds origins whose names are slow to find, and others meanwhile', async () => {
    const publisher = await LivePublisher.start(spare, 'live/named');
    const open = async (vhost: string, limitMs: number): Promise<void> => {
      const startMs = performance.now();
      const viewer = await LivePlayer.start(edge, 'live/named', onVhost(vhost));
      await viewer.waitForFrames(1, LIMIT_MS);
      const ms = performance.now() - startMs;
      note(`first media, name server of the origin: ${vhost}`, ms);
      expect(ms).toBeLessThan(limitMs);
      await viewer.waitForFrames(50);
      expectAttached([viewer]);
      viewer.leave();
    };
    await Promise.all([open('two', 5_000), open('eight', 15_000), open('never', 5_000)]);
    names.isDown = true;
    await open('two', 2_000);
    names.isDown = false;
    publisher.leave();
  });

  it.skipIf(!isPossible)(
    'plays 2 Mbps over a line of 200 ms that loses 2 %, from the same origin all the time',
    async ({ skip }) => {
      skip(!allowsCongestionControl(CONGESTION_CONTROL), `net.ipv4.tcp_allowed_congestion_control has no ${CONGESTION_CONTROL}`);
      await cable(distant, origin).shape(BAD_LINE);
      const publisher = await LivePublisher.start(origin, 'live/far', TWO_MBPS);
      const viewers = await viewersOf(distant, 'live/far');
      const [first] = viewers;
      const beginMs = first!.checker.playedMs;
      await delay(BAD_LINE_SECONDS * 1000);
      const playedMs = first!.checker.playedMs - beginMs;
      measured.push(`bad line: ${playedMs} ms played in ${BAD_LINE_SECONDS} s, ${first!.checker.gaps.length} gaps`);
      expect(distant.log().filter((line) => line.includes('edge pull of'))).toEqual([]);
      expectAttached(viewers);
      expect(playedMs).toBeGreaterThan(BAD_LINE_SECONDS * 800);
      for (const client of [publisher, ...viewers]) client.leave();
    },
  );

  it.skipIf(!isPossible)('goes to the next origin when one is killed', async () => {
    const publisher = await LivePublisher.start(dying, 'live/dies');
    const other = await LivePublisher.start(spare, 'live/dies', { session: 2 });
    const viewers = await viewersOf(edge, 'live/dies', onVhost('dies'));
    dying.signal('SIGKILL');
    const killedMs = performance.now();
    await Promise.all(viewers.map((viewer) => viewer.waitForSession(2)));
    note('origin killed: media of the next', performance.now() - killedMs);
    expect(performance.now() - killedMs).toBeLessThan(TAKE_OVER_MS);
    await Promise.all(viewers.map((viewer) => viewer.waitForFrames(50)));
    expectAttached(viewers);
    for (const client of [publisher, other, ...viewers]) client.leave();
  });
});
