import { expect, it } from 'vitest';
import { nginxConfig } from './nginx-peer.ts';
import { srsConfig, srsDefault, srsLowLatency } from './srs-peer.ts';

it('both servers of this kind listen on loopback, where they were told', () => {
  expect(srsConfig(srsDefault, 21_100)).toContain('listen 127.0.0.1:21100;');
  expect(nginxConfig(21_100, '/module.so', false)).toContain('listen 127.0.0.1:21100;');
});

it('the default has no directive that changes how players are served', () => {
  const [, vhost] = /vhost __defaultVhost__ \{([^}]*)\}/.exec(srsConfig(srsDefault, 1)) ?? [];
  expect(vhost?.trim()).toBe('');
  expect(srsConfig(srsLowLatency, 1)).toMatch(/vhost __defaultVhost__ \{\s*min_latency on;\s*\}/);
});

it('nginx keeps its rights only where there are some to lose', () => {
  expect(nginxConfig(1, '/module.so', true)).toContain('user root;');
  expect(nginxConfig(1, '/module.so', false)).not.toContain('user');
});

it('no server is short of connections before the others', () => {
  expect(srsConfig(srsDefault, 1)).toContain('max_connections 20000;');
  expect(nginxConfig(1, '/module.so', false)).toMatch(/worker_connections 20064;/);
});
