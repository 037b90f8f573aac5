/** What the reporting process asks the processes that do the load. */
import type { ConnectionCounts } from './connection-counts.ts';
import type { LoadResult, LoadSecond } from './load-figures.ts';
import type { LoadShare } from './load-plan.ts';

/** Each question with its answer. */
export interface LoadAnswers {
  /** Opens the connections; answered when each is through or has failed. */
  readonly start: null;
  readonly counts: ConnectionCounts;
  /** From here on counts. */
  readonly begin: null;
  readonly second: LoadSecond;
  readonly finish: LoadResult;
  /** Closes the connections; the process ends after its answer. */
  readonly close: null;
}

export type LoadQuestion = keyof LoadAnswers;

/** The share comes first, as an environment of its own. */
export type LoadRequest =
  | { readonly kind: 'share'; readonly share: LoadShare }
  | { readonly kind: 'ask'; readonly id: number; readonly question: LoadQuestion };

export type LoadReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly kind: 'fault'; readonly text: string };
