/** Vhosts for tests, written as operators write them. */
import { type Config, loadConfig, type VhostConfig } from '@srs/config';

export function configOf(text: string): Config {
  return loadConfig(`listen 1935; ${text}`, { fileName: 'test.conf' }).config;
}

export function vhostOf(text: string): VhostConfig {
  const vhost = configOf(`vhost a.com { ${text} }`).vhosts.get('a.com');
  if (vhost === undefined) throw new Error('no vhost a.com');
  return vhost;
}
