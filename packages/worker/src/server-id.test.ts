import { describe, expect, it } from 'vitest';
import { serverIdOf } from './server-id.ts';

describe('serverIdOf', () => {
  it('is the same for the same pid file, and another for another', () => {
    const id = serverIdOf({ pid: './objs/srs.pid' });
    expect(id).toMatch(/^vid-[0-9a-z]{7}$/);
    expect(serverIdOf({ pid: 'objs/srs.pid' })).toBe(id);
    expect(serverIdOf({ pid: './objs/other.pid' })).not.toBe(id);
  });
});
