import { expect, it } from 'vitest';
import { fullConfig } from './full-config.ts';
import { configReference, schemaTexts } from './reference.ts';
import { english } from './reference-en.ts';
import { chinese } from './reference-zh.ts';
import { chineseTexts, chineseValues } from './schema/translation-zh.ts';

// `npm run reference -w @srs/config` writes all of these files anew.

it('docs/configuration.md is what the schema says', async () => {
  await expect(configReference(english)).toMatchFileSnapshot('../../../docs/configuration.md');
});

it('every text of the schema has its Chinese one in schema/translation-zh.ts, and no Chinese one is left over', () => {
  const { docs, allowed } = schemaTexts();
  expect([...docs].filter((doc) => !Object.hasOwn(chineseTexts, doc))).toEqual([]);
  expect(Object.keys(chineseTexts).filter((text) => !docs.has(text))).toEqual([]);
  expect(Object.keys(chineseValues).filter((text) => !allowed.has(text))).toEqual([]);
});

it('what directives accept has no English words left in the Chinese page, but those a file is written with', () => {
  const words = [...schemaTexts().allowed].map((text) => chinese.allowed(text)).filter((text) => !text.includes(' | '));
  expect(words.filter((text) => /\b(or|of|one|a|an|more|words?|bytes)\b/.test(text))).toEqual([]);
});

it('docs/zh/configuration.md is what the schema says', async () => {
  await expect(configReference(chinese)).toMatchFileSnapshot('../../../docs/zh/configuration.md');
});

it('conf/full.conf is what the schema says', async () => {
  await expect(fullConfig()).toMatchFileSnapshot('../../../conf/full.conf');
});
