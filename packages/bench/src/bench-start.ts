/** How long the server takes to start. */
import { runBenchProgram } from './peers/bench-program.ts';
import { startProgram } from './peers/start-program.ts';

process.exitCode = await runBenchProgram(startProgram, process.argv.slice(2));
