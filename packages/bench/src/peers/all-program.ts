/** `npm run bench:all`: every benchmark in turn, and one table of the project's goals. */
import { describeError } from '@srs/kernel';
import { type BenchEnvironment, describeEnvironment, environmentLines } from './bench-environment.ts';
import {
  type BenchDocument,
  type BenchProgram,
  commonOptions,
  maxPort,
  readNumber,
  readWords,
  runPart,
} from './bench-program.ts';
import { clusterProgram } from './cluster-program.ts';
import { type Figure, resultText } from './figure.ts';
import { httpProgram } from './http-program.ts';
import { ingestProgram } from './ingest-program.ts';
import { latencyProgram } from './latency-program.ts';
import { markdownTable } from './markdown.ts';
import { memoryProgram } from './memory-program.ts';
import { peersProgram } from './peers-program.ts';
import { scalingProgram } from './scaling-program.ts';
import { startProgram } from './start-program.ts';
import type { Workbench } from './workbench.ts';

interface Part {
  readonly run: (bench: Workbench, args: readonly string[], out: string) => Promise<BenchDocument>;
  /** To try the benchmark itself, not for figures that count. */
  readonly quick: readonly string[];
}

function part<Settings, Document extends BenchDocument>(
  program: BenchProgram<Settings, Document>,
  quick: readonly string[],
): Part {
  return { run: (bench, args, out) => runPart(bench, program, args, out), quick };
}

const parts = {
  peers: part(peersProgram, ['--players', '300,2700', '--rounds', '1', '--seconds', '5']),
  latency: part(latencyProgram, ['--seconds', '5']),
  scaling: part(scalingProgram, ['--workers', '1,2', '--rounds', '1', '--seconds', '5']),
  ingest: part(ingestProgram, ['--publishers', '1,10', '--rounds', '1', '--seconds', '5']),
  http: part(httpProgram, ['--players', '300', '--rounds', '1', '--seconds', '5']),
  cluster: part(clusterProgram, ['--players', '300', '--rounds', '1', '--seconds', '5']),
  memory: part(memoryProgram, ['--names', '10000', '--seconds', '5']),
  start: part(startProgram, ['--rounds', '2']),
} as const;
type PartName = keyof typeof parts;
const partNames = Object.keys(parts) as PartName[];

export interface AllPlan {
  readonly parts: readonly PartName[];
  readonly isQuick: boolean;
  readonly port: number;
}

export interface AllDocument {
  readonly kind: 'all';
  readonly environment: BenchEnvironment;
  readonly figures: readonly FigureOfPart[];
  /** Benchmarks that broke off, and why. */
  readonly failures: readonly { readonly part: PartName; readonly reason: string }[];
}

interface FigureOfPart extends Figure {
  readonly command: string;
}

export const allProgram: BenchProgram<AllPlan, AllDocument> = {
  name: 'all',
  file: 'figures',
  purpose: 'All benchmarks, and the table of the goals.',
  options: {
    only: { type: 'string', default: partNames.join(','), requiresArg: true, describe: 'The benchmarks to run' },
    quick: { type: 'boolean', default: false, describe: 'Short runs, to try the benchmarks themselves' },
    port: commonOptions.port,
  },
  read: (parsed) => ({
    parts: readWords(parsed, 'only', partNames),
    isQuick: parsed.quick === true,
    port: readNumber(parsed, 'port', 1, maxPort),
  }),
  run: runAll,
  write: (document) => ({ md: allMarkdown(document) }),
  isComplete: ({ failures }) => failures.length === 0,
};

async function runAll(bench: Workbench, plan: AllPlan, command: string, out: string): Promise<AllDocument> {
  const environment = await describeEnvironment(bench, command);
  const figures: FigureOfPart[] = [];
  const failures: { readonly part: PartName; readonly reason: string }[] = [];
  const portArgs = plan.port === commonOptions.port.default ? [] : ['--port', String(plan.port)];
  for (const name of plan.parts) {
    bench.say(`== bench:${name}`);
    try {
      const document = await parts[name].run(bench, [...(plan.isQuick ? parts[name].quick : []), ...portArgs], out);
      figures.push(...document.figures.map((figure) => ({ ...figure, command: document.environment.command })));
    } catch (thrown) {
      bench.signal.throwIfAborted();
      failures.push({ part: name, reason: describeError(thrown) });
      bench.say(`bench:${name} failed: ${describeError(thrown)}`);
    }
  }
  return { kind: 'all', environment, figures, failures };
}

export function allMarkdown({ environment, figures, failures }: AllDocument): string {
  return [
    '# Figures',
    'Written by `npm run bench:all`; do not edit. How it is measured: [README](README.md).',
    environmentLines(environment),
    markdownTable(
      ['What', 'Goal', 'Figure', 'Result', 'Command'],
      figures.map((figure) => [figure.what, figure.goal, figure.figure, resultText(figure), `\`${figure.command}\``]),
    ),
    ...(failures.length === 0
      ? []
      : [
          '## Not measured',
          failures.map(({ part, reason }) => `- bench:${part}: ${reason.replaceAll(/\s*\n\s*/g, ' ')}`).join('\n'),
        ]),
    '',
  ].join('\n\n');
}
