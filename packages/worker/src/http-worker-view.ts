/** What an http worker tells on its private API: it has no streams, and those who ask it are not counted as clients. */
import { Page } from './page.ts';
import type { RoleView } from './role.ts';

const noTraffic = { average: 0, last30s: 0, last5m: 0 };

export function httpWorkerView(): RoleView {
  return {
    totals: () => ({
      streams: 0,
      publishedStreams: 0,
      clients: 0,
      publishers: 0,
      players: 0,
      traffic: { recvBytes: 0, sendBytes: 0, recvKbps: noTraffic, sendKbps: noTraffic },
      droppedFrames: 0,
      playerCuts: 0,
      playerDroppedFrames: 0,
      fanOut: null,
    }),
    streams: () => [],
    clients: () => new Page(0, 0, []),
    client: () => null,
    kick: () => false,
    departures: () => [],
    counters: () => ({}),
    ringTotals: () => ({ held: 0 }),
    rings: () => ({ held: 0, rings: [] }),
  };
}
