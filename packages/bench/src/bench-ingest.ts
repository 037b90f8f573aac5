/** What publishers cost. */
import { runBenchProgram } from './peers/bench-program.ts';
import { ingestProgram } from './peers/ingest-program.ts';

process.exitCode = await runBenchProgram(ingestProgram, process.argv.slice(2));
