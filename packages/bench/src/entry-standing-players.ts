/**
 * Players that are there and take nothing, for what a server needs while nothing happens:
 * `entry-standing-players.ts paused|waiting|passing URL COUNT`.
 *
 * `paused` players have asked for a pause and `waiting` ones wait for a publisher; both stay until the process is told to end, and
 * `ready` is printed when all are there. `passing` ones ask each for a stream of its own (`{n}` in the URL) and leave; `done` is
 * printed when all were there.
 */

import { RtmpPlayer } from '@srs/client';

const modes = ['paused', 'waiting', 'passing'] as const;
/** So many connect at a time. */
const AT_ONCE = 50;

const [mode = '', url = '', countText = ''] = process.argv.slice(2);
if (!modes.some((known) => known === mode) || !(Number(countText) >= 1)) {
  throw new Error(`Usage: entry-standing-players.ts ${modes.join('|')} URL COUNT`);
}
const count = Number(countText);
let next = 0;

function open(index: number): Promise<RtmpPlayer> {
  return RtmpPlayer.open(url.replace('{n}', String(index)), { handshake: 'simple', onFrame: () => {} });
}

async function openInTurn(): Promise<void> {
  while (next < count) {
    const index = next++;
    const player = await open(index);
    if (mode === 'passing') await player.close();
    else stay(player);
  }
}

function stay(player: RtmpPlayer): void {
  if (mode === 'paused') player.pause(true);
  void player.closed.then(() => {
    process.stderr.write('a player lost its connection\n');
    process.exit(1);
  });
}

await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, openInTurn));
process.stdout.write(mode === 'passing' ? 'done\n' : 'ready\n');
