import { ManualClock, memoryLog } from '@srs/kernel';
import { expect, it } from 'vitest';
import { TurnedAway } from './turned-away.ts';

it('a flood is one line a second, and the next line counts the others', () => {
  const log = memoryLog();
  const clock = new ManualClock();
  const turnedAway = new TurnedAway(log, clock);
  for (let count = 0; count < 100; count += 1) turnedAway.add('10.0.0.1 is too many');
  clock.advance(999);
  turnedAway.add('10.0.0.2 is too many');
  clock.advance(1);
  turnedAway.add('10.0.0.3 is too many');
  clock.advance(5000);
  turnedAway.add('10.0.0.4 is too many');
  expect(log.lines.map(({ level, text }) => `${level} ${text}`)).toEqual([
    'error client refused. ret=1051: 10.0.0.1 is too many',
    'error client refused. ret=1051: 10.0.0.3 is too many, as were 100 others since the last such line',
    'error client refused. ret=1051: 10.0.0.4 is too many',
  ]);
});
