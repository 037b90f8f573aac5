/** What viewers wait for. */
import { runBenchProgram } from './peers/bench-program.ts';
import { latencyProgram } from './peers/latency-program.ts';

process.exitCode = await runBenchProgram(latencyProgram, process.argv.slice(2));
