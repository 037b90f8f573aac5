import { expect, it } from 'vitest';
import { trimMemory } from './memory-trim.ts';

it('trimMemory can be called again and again, on every system', () => {
  for (let count = 0; count < 3; count++) expect(typeof trimMemory()).toBe('boolean');
});
