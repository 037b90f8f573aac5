/** `npm run bench:http`. */
import { type BenchProgram, commonOptions, maxPort, readNumber, readWords } from './bench-program.ts';
import { type HttpDocument, type HttpPlan, httpParts } from './http-document.ts';
import { httpMarkdown } from './http-report.ts';
import { measureHttp } from './http-run.ts';
import { MAX_CLIENTS } from './peer.ts';
import { READ_EVERY_MS } from './peers-program.ts';

const protocols = ['rtmp', 'http-flv', 'ws-flv'] as const;

export const httpProgram: BenchProgram<HttpPlan, HttpDocument> = {
  name: 'http',
  purpose: 'Players over HTTP-FLV beside RTMP, and files of HLS beside nginx.',
  options: {
    measure: { type: 'string', default: httpParts.join(','), requiresArg: true, describe: 'Players, files, or both' },
    over: { type: 'string', default: 'rtmp,http-flv', requiresArg: true, describe: `Of ${protocols.join(', ')}` },
    players: { type: 'number', default: 2_700, requiresArg: true, describe: 'Players of the stream' },
    'read-every': {
      type: 'number',
      default: READ_EVERY_MS,
      requiresArg: true,
      describe: 'Milliseconds between two looks of a player for bytes; 0 reads whenever something comes',
    },
    connections: { type: 'number', default: 32, requiresArg: true, describe: 'Connections that ask for files' },
    'segment-kb': { type: 'number', default: 400, requiresArg: true, describe: 'Kilobytes of a segment' },
    rounds: { type: 'number', default: 3, requiresArg: true, describe: 'How often everything is measured' },
    ...commonOptions,
  },
  read: (parsed) => ({
    measure: readWords(parsed, 'measure', httpParts),
    over: readWords(parsed, 'over', protocols),
    players: readNumber(parsed, 'players', 1, MAX_CLIENTS - 1),
    readEveryMs: readNumber(parsed, 'read-every', 0, 1_000),
    connections: readNumber(parsed, 'connections', 1, 1_000),
    segmentKb: readNumber(parsed, 'segment-kb', 1, 100_000),
    rounds: readNumber(parsed, 'rounds', 1, 100),
    seconds: readNumber(parsed, 'seconds', 1, 120),
    kbps: readNumber(parsed, 'kbps', 1, 100_000),
    port: readNumber(parsed, 'port', 1, maxPort),
  }),
  run: measureHttp,
  write: (document) => ({ md: httpMarkdown(document) }),
  isComplete: ({ playerRuns, fileRuns }) => [...playerRuns, ...fileRuns].every(({ figures }) => figures !== undefined),
};
