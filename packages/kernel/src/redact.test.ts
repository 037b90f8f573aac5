import { describe, expect, it } from 'vitest';
import { redact } from './redact.ts';

describe('redact', () => {
  it.each([
    ['rtmp://h/live?token=abc&vhost=v', 'rtmp://h/live?token=***&vhost=v'],
    ['rtmp://h/live?key=a,vhost=b', 'rtmp://h/live?key=***,vhost=b'],
    ['http://user:pw@h/x', 'http://user:***@h/x'],
    ['stream=livestream, type=play', 'stream=livestream, type=play'],
  ])('%s', (text, expected) => {
    expect(redact(text)).toBe(expected);
  });

  it.each(['a.', 'a-', 'a://', 'a://b:', 'token=', 'a ', '@'])(
    'takes no longer for a text of many %j than for any other',
    (piece) => {
      const startedMs = performance.now();
      redact(piece.repeat(500_000));
      expect(performance.now() - startedMs).toBeLessThan(2_000);
    },
  );
});
