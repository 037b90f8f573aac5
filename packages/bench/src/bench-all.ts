/** Every benchmark, and one table of what the project wants to reach. */
import { allProgram } from './peers/all-program.ts';
import { runBenchProgram } from './peers/bench-program.ts';

process.exitCode = await runBenchProgram(allProgram, process.argv.slice(2));
