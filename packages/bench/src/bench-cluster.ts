/** Edges beside an origin. */
import { runBenchProgram } from './peers/bench-program.ts';
import { clusterProgram } from './peers/cluster-program.ts';

process.exitCode = await runBenchProgram(clusterProgram, process.argv.slice(2));
