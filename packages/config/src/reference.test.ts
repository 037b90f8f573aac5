import { expect, it } from 'vitest';
import { fullConfig } from './full-config.ts';
import { configReference } from './reference.ts';

// `npm run reference -w @srs/config` writes both files anew.

it('docs/configuration.md is what the schema says', async () => {
  await expect(configReference()).toMatchFileSnapshot('../../../docs/configuration.md');
});

it('conf/full.conf is what the schema says', async () => {
  await expect(fullConfig()).toMatchFileSnapshot('../../../conf/full.conf');
});
