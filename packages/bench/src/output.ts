/** Shows a load test: documents for machines, or lines and tables for people. */
import { SingleBar } from 'cli-progress';
import picocolors from 'picocolors';
import type { LoadPlan } from './load-plan.ts';
import { connectionsOf } from './load-plan.ts';
import type { RunObserver } from './load-run.ts';
import type { SummaryReport } from './report.ts';
import { secondLine, summaryText } from './report-text.ts';

export interface BenchOutput extends RunObserver {
  onSummary(summary: SummaryReport): void;
  /** Leaves the terminal as it was. */
  close(): void;
}

export function createOutput(plan: LoadPlan): BenchOutput {
  return plan.isJson ? jsonOutput() : textOutput(plan);
}

function jsonOutput(): BenchOutput {
  const print = (document: object): void => void process.stdout.write(`${JSON.stringify(document)}\n`);
  return { onProgress: () => {}, onSecond: print, onSummary: print, close: () => {} };
}

function textOutput(plan: LoadPlan): BenchOutput {
  const colors = picocolors.createColors(isColorful());
  const isTerminal = process.stdout.isTTY;
  let bar: SingleBar | undefined;
  const endBar = (): void => {
    bar?.stop();
    bar = undefined;
  };
  return {
    onProgress({ wanted, connected, failed }) {
      if (!isTerminal) return;
      if (bar === undefined) {
        bar = new SingleBar({ format: 'connecting [{bar}] {value}/{total}, {failed} failed', clearOnComplete: true });
        bar.start(wanted, 0, { failed: 0 });
      }
      bar.update(connected + failed, { failed });
      if (connected + failed === wanted) endBar();
    },
    onSecond(report) {
      // Whoever reads a log later wants the measured seconds; the others are for a terminal.
      if (report.phase === 'connecting') return;
      endBar();
      process.stdout.write(`${secondLine(report)}\n`);
    },
    onSummary(summary) {
      endBar();
      process.stdout.write(summaryText(summary, connectionsOf(plan), colors));
    },
    close: endBar,
  };
}

/** Colours are for a terminal. https://no-color.org: any value of NO_COLOR but the empty one turns them off. */
function isColorful(): boolean {
  return process.stdout.isTTY && (process.env.NO_COLOR ?? '') === '' && process.env.TERM !== 'dumb';
}
