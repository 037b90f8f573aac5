/** What the answer of a hook server means. */
import { describeError } from '@srs/kernel';
import { excerpt, HookFailure, type HookFailureKind } from './hook-failure.ts';

export interface HookAnswer {
  readonly status: number;
  /** Where a redirect leads; '' without one. */
  readonly location: string;
  readonly body: string;
}

const OK = 200;
/** The server says that it is not its last word. */
const TRANSIENT_STATUSES: readonly number[] = [408, 425, 429];
/** The server says that it means the client. */
const REFUSING_STATUSES: readonly number[] = [401, 403];

/**
 * Yes is status 200 with `0`, or with a JSON object whose `code` is 0; space around it does not matter.
 * @throws HookFailure for everything else
 */
export function checkAnswer(url: string, answer: HookAnswer): void {
  checkStatus(url, answer);
  const { body } = answer;
  const text = body.trim();
  if (text === '0') return;
  if (text === '') throw new HookFailure('invalid', url, 'answered nothing, must be 0 or {"code":0}');
  if (!text.startsWith('{')) {
    const kind = /^-?\d+$/.test(text) ? 'refused' : 'invalid';
    throw new HookFailure(kind, url, `answered ${excerpt(text)}, must be 0 or {"code":0}`);
  }
  checkCode(url, text);
}

/** @throws HookFailure unless the status is 200 */
export function checkStatus(url: string, { status, location }: HookAnswer): void {
  if (status === OK) return;
  const isRedirect = status >= 300 && status < 400 && location !== '';
  const reason = isRedirect
    ? `answered status ${status} to ${excerpt(location)}: redirects are not followed`
    : `answered status ${status}, must be 200`;
  throw new HookFailure(kindOfStatus(status), url, reason);
}

function checkCode(url: string, text: string): void {
  let answer: { readonly code?: unknown };
  try {
    answer = JSON.parse(text) as { readonly code?: unknown };
  } catch (error) {
    throw new HookFailure('invalid', url, `answered invalid JSON: ${describeError(error)}`);
  }
  const code = Object.hasOwn(answer, 'code') ? answer.code : undefined;
  if (code === 0) return;
  if (typeof code === 'number') throw new HookFailure('refused', url, `answered code ${code}, must be 0`);
  throw new HookFailure('invalid', url, `answered ${excerpt(text)}, must have "code":0`);
}

function kindOfStatus(status: number): HookFailureKind {
  if (status >= 500 || TRANSIENT_STATUSES.includes(status)) return 'unavailable';
  return REFUSING_STATUSES.includes(status) ? 'refused' : 'invalid';
}
