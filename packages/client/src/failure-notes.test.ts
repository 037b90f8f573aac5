import { ManualClock } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { FailureNotes } from './failure-notes.ts';

describe('notes of failures', () => {
  it('tell the same failure once a minute, another one at once, and any after a success', () => {
    const clock = new ManualClock();
    const notes = new FailureNotes(clock);
    expect(notes.isNews('refused')).toBe(true);
    expect(notes.isNews('refused')).toBe(false);
    expect(notes.isNews('no route')).toBe(true);
    clock.advance(59_999);
    expect(notes.isNews('no route')).toBe(false);
    clock.advance(1);
    expect(notes.isNews('no route')).toBe(true);
    notes.clear();
    expect(notes.isNews('no route')).toBe(true);
  });
});
