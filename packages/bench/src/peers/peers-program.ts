/** `npm run bench:peers`. */
import { type BenchProgram, commonOptions, maxPort, readNumber, readNumbers, readWords } from './bench-program.ts';
import { MAX_CLIENTS } from './peer.ts';
import type { PeersDocument } from './peers-document.ts';
import { peersMarkdown, peersPlot } from './peers-report.ts';
import { comparePeers, type PeersPlan, serverNames } from './peers-run.ts';

/** Reading at once whatever a server sends costs the tester more than a core can give. */
export const READ_EVERY_MS = 100;

export const peersProgram: BenchProgram<PeersPlan, PeersDocument> = {
  name: 'peers',
  purpose: 'RTMP players of this server, nginx-rtmp, Node-Media-Server and a bare send loop, in turn.',
  options: {
    players: { type: 'string', default: '300,900,1800,2700,4000,8000', requiresArg: true, describe: 'Numbers of players' },
    servers: { type: 'string', default: serverNames.join(','), requiresArg: true, describe: 'What to measure, in this order' },
    rounds: { type: 'number', default: 2, requiresArg: true, describe: 'How often everything is measured' },
    'read-every': {
      type: 'number',
      default: READ_EVERY_MS,
      requiresArg: true,
      describe: 'Milliseconds between two looks of a player for bytes; 0 reads whenever something comes',
    },
    ...commonOptions,
  },
  read: (parsed) => ({
    players: readNumbers(parsed, 'players', 1, MAX_CLIENTS - 1),
    servers: readWords(parsed, 'servers', serverNames),
    rounds: readNumber(parsed, 'rounds', 1, 100),
    seconds: readNumber(parsed, 'seconds', 1, 120),
    kbps: readNumber(parsed, 'kbps', 1, 100_000),
    readEveryMs: readNumber(parsed, 'read-every', 0, 1_000),
    port: readNumber(parsed, 'port', 1, maxPort),
  }),
  run: comparePeers,
  write: (document) => ({ md: peersMarkdown(document), svg: peersPlot(document) }),
  isComplete: ({ runs }) => runs.every(({ figures }) => figures !== undefined),
};
