/** Servers that get streams from each other, and those who watch them there. */
import type { ServerProcess } from '../support/server-process.ts';
import { type ClientOptions, LivePlayer, type RtmpPlace } from './live-client-test-support.ts';

const VIEWERS = 3;

/** Workers of a server that is quick to start, where it is no matter what it is made of. */
export const SMALL = 'mode single;';

/** As `origin` and `forward` want it. */
export const addressOf = ({ place }: RtmpPlace): string => `${place.host}:${place.rtmpPort}`;

/** Some who get the stream by now. */
export async function viewersOf(server: ServerProcess, path: string, options: ClientOptions = {}): Promise<LivePlayer[]> {
  const viewers = await LivePlayer.crowd(server, path, VIEWERS, options);
  await Promise.all(viewers.map((viewer) => viewer.waitForFrames(50)));
  return viewers;
}
