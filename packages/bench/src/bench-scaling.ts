/** Players of one, two and more stream workers. */
import { runBenchProgram } from './peers/bench-program.ts';
import { scalingProgram } from './peers/scaling-program.ts';

process.exitCode = await runBenchProgram(scalingProgram, process.argv.slice(2));
