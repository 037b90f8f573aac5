/** What the answer of a hook server means. */
import { parseRedirectTarget, type RedirectTarget } from '@srs/config';
import { describeError } from '@srs/kernel';
import { excerpt, HookFailure, type HookFailureKind } from './hook-failure.ts';

export interface HookAnswer {
  readonly status: number;
  /** Where a redirect leads; '' without one. */
  readonly location: string;
  readonly body: string;
}

const OK = 200;
const REDIRECT = 302;
/** The server says that it is not its last word. */
const TRANSIENT_STATUSES: readonly number[] = [408, 425, 429];
/** The server says that it means the client. */
const REFUSING_STATUSES: readonly number[] = [401, 403];

/**
 * Yes is status 200 with `0`, or with a JSON object whose `code` is 0; space around it does not matter.
 * @throws HookFailure for everything else
 */
export function checkAnswer(url: string, answer: HookAnswer): void {
  const code = readCode(url, answer);
  if (code !== 0) throw refusal(url, code);
}

/**
 * The answer to whether a client may do something. Beside yes and no there is `{"code":302,"redirect":"rtmp://..."}`, or a redirect of HTTP
 * to an RTMP address, as those have it who come from nginx-rtmp.
 * @returns where the client is to go instead; undefined for yes
 * @throws HookFailure for everything else
 */
export function readVerdict(url: string, answer: HookAnswer): RedirectTarget | undefined {
  if (isRedirect(answer) && /^rtmps?:/.test(answer.location)) return targetOf(url, answer.location);
  const code = readCode(url, answer);
  if (code === 0) return undefined;
  if (code !== REDIRECT) throw refusal(url, code);
  const { redirect } = JSON.parse(answer.body.trim()) as { readonly redirect?: unknown };
  if (typeof redirect !== 'string') throw new HookFailure('invalid', url, 'answered code 302, must have "redirect":"rtmp://..."');
  return targetOf(url, redirect);
}

/** Addresses in one answer. */
const MAX_NAMED = 100;

/**
 * The answer to what a stream is to be pushed to: `{"code":0,"data":{"urls":["rtmp://...", ...]}}`, or any yes for nothing.
 * @returns the texts as they were sent
 * @throws HookFailure for everything else
 */
export function readNamedUrls(url: string, answer: HookAnswer): readonly string[] {
  checkAnswer(url, answer);
  const text = answer.body.trim();
  const { data } = (text.startsWith('{') ? JSON.parse(text) : {}) as { readonly data?: { readonly urls?: unknown } | null };
  const urls = data?.urls ?? [];
  if (!Array.isArray(urls) || !urls.every((each) => typeof each === 'string')) {
    throw new HookFailure('invalid', url, `answered data.urls ${excerpt(JSON.stringify(urls))}, must be a list of texts`);
  }
  if (urls.length > MAX_NAMED) {
    throw new HookFailure('invalid', url, `answered ${urls.length} data.urls, must be at most ${MAX_NAMED}`);
  }
  return urls;
}

/** @throws HookFailure unless the status is 200 */
export function checkStatus(url: string, answer: HookAnswer): void {
  const { status, location } = answer;
  if (status === OK) return;
  const reason = isRedirect(answer)
    ? `answered status ${status} to ${excerpt(location)}: redirects are not followed`
    : `answered status ${status}, must be 200`;
  throw new HookFailure(kindOfStatus(status), url, reason);
}

function isRedirect({ status, location }: HookAnswer): boolean {
  return status >= 300 && status < 400 && location !== '';
}

function targetOf(url: string, address: string): RedirectTarget {
  try {
    return parseRedirectTarget(address);
  } catch (error) {
    throw new HookFailure('invalid', url, `answered a redirect to nowhere: ${describeError(error)}`);
  }
}

function refusal(url: string, code: number): HookFailure {
  return new HookFailure('refused', url, `answered code ${code}, must be 0`);
}

/** @throws HookFailure when there is none */
function readCode(url: string, answer: HookAnswer): number {
  checkStatus(url, answer);
  const text = answer.body.trim();
  if (text === '0') return 0;
  if (text === '') throw new HookFailure('invalid', url, 'answered nothing, must be 0 or {"code":0}');
  if (text.startsWith('{')) return readJsonCode(url, text);
  const kind = /^-?\d+$/.test(text) ? 'refused' : 'invalid';
  throw new HookFailure(kind, url, `answered ${excerpt(text)}, must be 0 or {"code":0}`);
}

function readJsonCode(url: string, text: string): number {
  let answer: { readonly code?: unknown };
  try {
    answer = JSON.parse(text) as { readonly code?: unknown };
  } catch (error) {
    throw new HookFailure('invalid', url, `answered invalid JSON: ${describeError(error)}`);
  }
  const code = Object.hasOwn(answer, 'code') ? answer.code : undefined;
  if (typeof code === 'number') return code;
  throw new HookFailure('invalid', url, `answered ${excerpt(text)}, must have "code":0`);
}

function kindOfStatus(status: number): HookFailureKind {
  if (status >= 500 || TRANSIENT_STATUSES.includes(status)) return 'unavailable';
  return REFUSING_STATUSES.includes(status) ? 'refused' : 'invalid';
}
