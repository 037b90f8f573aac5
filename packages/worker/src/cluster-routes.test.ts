import { loadConfig } from '@srs/config';
import { expect, it } from 'vitest';
import { clusterRoutes } from './cluster-routes.ts';

it.each([
  ['is sent to the server that has it', 'on_miss redirect;', { host: '10.0.0.2', port: 1935 }],
  ['stays where that gets it', 'on_miss pull;', undefined],
  ['stays where the vhost has another name there', 'on_miss redirect; vhost other.test;', undefined],
])('a viewer of a stream that lives elsewhere %s', async (_, cluster, to) => {
  const text = `listen 1935; vhost a.test { cluster { origin_cluster on; ${cluster} } }`;
  const vhost = loadConfig(text, { fileName: 'srs.conf' }).config.vhosts.get('a.test')!;
  const routes = clusterRoutes({ whereIs: async () => ({ host: '10.0.0.2', port: 1935 }) });
  const stream = { vhost, streamId: 'a.test/live/one' } as unknown as Parameters<typeof routes.find>[1];
  const answer = await routes.find('play', stream);
  expect(answer?.kind === 'redirect' && answer.to.kind === 'server' ? answer.to : undefined).toEqual(
    to === undefined ? undefined : { kind: 'server', ...to, isSecure: false },
  );
});
