import { expect, it } from 'vitest';
import { nginxFilesConfig } from './nginx-files-peer.ts';
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

it('HTTP is on where it is measured, with the same vhost for all protocols', () => {
  const http = { ...srsDefault, httpDirectory: '/html' };
  const config = srsConfig(http, 21_100);
  expect(config).toContain('http_server { enabled on; listen 127.0.0.1:21105; dir /html; }');
  expect(config).toContain('http_remux { enabled on; }');
  expect(srsConfig({ ...http, playedOver: 'http-flv' }, 21_100)).toBe(config);
  expect(srsConfig(srsDefault, 21_100)).not.toContain('http');
  expect(nginxFilesConfig(21_100, '/html', false)).toMatch(/listen 127\.0\.0\.1:21100;\s+root \/html;/);
});

it('no server is short of connections before the others', () => {
  expect(srsConfig(srsDefault, 1)).toContain('max_connections 20000;');
  expect(nginxConfig(1, '/module.so', false)).toMatch(/worker_connections 20064;/);
});
