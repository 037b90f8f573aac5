/** RTMP players of this server beside those of others. */

import { runBenchProgram } from './peers/bench-program.ts';
import { peersProgram } from './peers/peers-program.ts';

process.exitCode = await runBenchProgram(peersProgram, process.argv.slice(2));
