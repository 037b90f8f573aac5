/** What connections and names cost while they are there, and afterwards. */
import { runBenchProgram } from './peers/bench-program.ts';
import { memoryProgram } from './peers/memory-program.ts';

process.exitCode = await runBenchProgram(memoryProgram, process.argv.slice(2));
