/** What players and files cost over HTTP. */
import { runBenchProgram } from './peers/bench-program.ts';
import { httpProgram } from './peers/http-program.ts';

process.exitCode = await runBenchProgram(httpProgram, process.argv.slice(2));
