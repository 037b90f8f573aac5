/** What the files in `conf/` and `deploy/` make of several servers. */
import { describe, expect, it } from 'vitest';
import type { ServerProcess } from '../support/server-process.ts';
import { startShipped } from '../support/shipped-topology.ts';
import { LivePlayer, LivePublisher } from './live-client-test-support.ts';

/** Publishes on one server and plays on the others, frame by frame. */
async function expectFlow(from: ServerProcess, to: readonly ServerProcess[]): Promise<void> {
  const publisher = await LivePublisher.start(from, 'live/flow');
  const players = await Promise.all(to.map((server) => LivePlayer.start(server, 'live/flow')));
  await Promise.all(players.map((player) => player.waitForFrames(50)));
  for (const { checker } of players) expect([checker.complaint, checker.gaps]).toEqual(['', []]);
  for (const client of [publisher, ...players]) client.leave();
}

describe('the configuration files of', () => {
  it('an origin, a region and a leaf carry streams to the viewers, and what is published at a leaf to the origin', async () => {
    await using topology = await startShipped(['conf/origin.conf', 'conf/edge.region.conf', 'conf/edge.leaf.conf']);
    const [origin, region, leaf] = topology.servers as [ServerProcess, ServerProcess, ServerProcess];
    await expectFlow(origin, [region, leaf]);
    await expectFlow(leaf, [origin]);
  });

  it('an edge that asks its origin about every client carry streams both ways', async () => {
    await using topology = await startShipped(['conf/origin.conf', 'conf/edge.token.traverse.conf']);
    const [origin, edge] = topology.servers as [ServerProcess, ServerProcess];
    await expectFlow(origin, [edge]);
    await expectFlow(edge, [origin]);
  });

  it('a master and a slave send every stream on', async () => {
    await using topology = await startShipped(['conf/forward.slave.conf', 'conf/forward.master.conf']);
    const [slave, master] = topology.servers as [ServerProcess, ServerProcess];
    await expectFlow(master, [slave]);
  });

  it('the pods of Kubernetes find each other', async () => {
    const files = ['deploy/kubernetes/origin.conf', 'deploy/kubernetes/edge.conf'];
    // The names and the disk of pods.
    await using topology = await startShipped(files, ([started]) => ({
      'work_dir /data;': '',
      // The test's clients have left, and load balancers that would have to know are none.
      'force_grace_quit on;': '',
      '/data/html': './objs/nginx/html',
      'srs-origin-0.srs-origins:1935': '127.0.0.1:1',
      'srs-origin-1.srs-origins:1935': `127.0.0.1:${started?.place.rtmpPort}`,
    }));
    const [origin, edge] = topology.servers as [ServerProcess, ServerProcess];
    await expectFlow(origin, [edge]);
  });
});
