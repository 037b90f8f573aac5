/** Closes a test run: what was skipped and how to get it, then `N passed, N failed` as the very last line of output. */
import type { Reporter, SerializedError, TestCase, TestModule, TestSuite } from 'vitest/node';
import { MISSING_PREFIX } from './programs.ts';

interface SkippedTest {
  readonly name: string;
  readonly note: string;
}

export interface RunSummary {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly SkippedTest[];
}

/** A failing hook or file has no test to carry it, so each suite or file with an error of its own counts as one failure. */
function failuresOutsideTests(container: TestModule | TestSuite): number {
  let failures = container.errors().length > 0 ? 1 : 0;
  for (const suite of container.children.suites()) failures += failuresOutsideTests(suite);
  return failures;
}

/** A test without a note was skipped by its source, or because what runs before it failed. */
function reasonOf(test: TestCase): string {
  for (let at: TestCase | TestSuite | TestModule = test; at.type !== 'module'; ) {
    at = at.parent;
    if (at.errors().length > 0) return 'because of a failed hook';
  }
  return 'in the source';
}

export function summarize(modules: readonly TestModule[], unhandledErrors: number): RunSummary {
  let passed = 0;
  let failed = unhandledErrors;
  const skipped: SkippedTest[] = [];
  for (const module of modules) {
    failed += failuresOutsideTests(module);
    for (const test of module.children.allTests()) {
      const result = test.result();
      switch (result.state) {
        case 'passed':
          passed++;
          break;
        case 'failed':
          failed++;
          break;
        case 'skipped':
          skipped.push({ name: `${module.relativeModuleId} > ${test.fullName}`, note: result.note ?? reasonOf(test) });
          break;
        case 'pending':
          // The run was interrupted or its worker died before the test could end.
          failed++;
          break;
      }
    }
  }
  return { passed, failed, skipped };
}

export function formatSummary(summary: RunSummary): string {
  const byNote = Map.groupBy(summary.skipped, (test) => test.note);
  const lines: string[] = [''];
  for (const [note, tests] of byNote) {
    lines.push(`skipped ${tests.length}, ${note.startsWith(MISSING_PREFIX) ? 'each ' : ''}${note}`);
    for (const test of tests) lines.push(`  ${test.name}`);
  }
  lines.push(`${summary.passed} passed, ${summary.failed} failed`);
  return `${lines.join('\n')}\n`;
}

export default class SummaryReporter implements Reporter {
  #summary: RunSummary | undefined;
  #isArmed = false;

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    this.#summary = summarize(modules, unhandledErrors.length);
    if (this.#isArmed) return;
    this.#isArmed = true;
    // At exit, because other reporters and the runner itself may still print after the end of the run. Writing works there:
    // standard output is synchronous when it is a file, a terminal or a pipe.
    process.once('exit', () => {
      if (this.#summary !== undefined) process.stdout.write(formatSummary(this.#summary));
    });
  }
}
