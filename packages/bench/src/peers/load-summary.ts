/** What `srs-bench --json` says, as far as the benchmarks read it. */

export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

export interface ProcessUsage {
  readonly pid: number;
  readonly label: string;
  /** Of one core, like all that follow. */
  readonly cpuPercent: number;
  readonly userPercent: number;
  readonly systemPercent: number;
  readonly rssKb: number;
  readonly pssKb: number;
  readonly voluntarySwitches: number;
}

export interface LoadSummary {
  readonly type: 'summary';
  /** Whether the tester itself was up to its work. */
  readonly valid: boolean;
  readonly invalidReasons: readonly string[];
  readonly mode: 'play' | 'publish';
  readonly players: {
    readonly wanted: number;
    readonly connected: number;
    readonly failed: number;
    readonly lost: number;
    readonly failures: Readonly<Record<string, number>>;
  };
  readonly seconds: number;
  readonly bytes: number;
  readonly kbps: { readonly min: number; readonly p1: number; readonly avg: number; readonly total: number };
  readonly frames: number;
  readonly gaps: { readonly players: number; readonly frames: number };
  readonly wrong: { readonly players: number; readonly messages: number };
  readonly silenceMs: { readonly p99: number; readonly max: number };
  readonly firstFrameMs: Percentiles;
  readonly latencyMs: Percentiles;
  readonly server: {
    readonly cpuPercent: number;
    readonly pssKb: number;
    readonly pssPerPlayerKb: number;
    readonly processes: readonly ProcessUsage[];
  };
  readonly tester: { readonly cpuPercent: number; readonly loopDelayP99Ms: number };
}

/** A line for each second of a run, of which only the coming matters here. */
export interface LoadSecond {
  readonly type: 'second';
}

/** What a line reports; undefined for any other text. */
export function parseReport(line: string): LoadSummary | LoadSecond | undefined {
  const document: unknown = line.startsWith('{') ? JSON.parse(line) : undefined;
  if (typeof document !== 'object' || document === null || !('type' in document)) return undefined;
  return document.type === 'summary' || document.type === 'second' ? (document as LoadSummary | LoadSecond) : undefined;
}
