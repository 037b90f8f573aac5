/** Why a hook call did not end with a yes. */
import { redact } from '@srs/kernel';

export type HookFailureKind =
  /** The server has understood and says no. */
  | 'refused'
  /** It answered something else, which it would answer again. */
  | 'invalid'
  /** It was not there, or not able to: another try may succeed. */
  | 'unavailable';

export class HookFailure extends Error {
  readonly kind: HookFailureKind;

  /** @param reason goes on after the URL: `answered status 500, must be 200` */
  constructor(kind: HookFailureKind, url: string, reason: string) {
    super(redact(`hook ${url} ${reason}`));
    this.name = 'HookFailure';
    this.kind = kind;
  }
}

const MAX_SHOWN = 80;

/** A part of what came from outside, fit for a line of a log. */
export function excerpt(text: string): string {
  return text.length > MAX_SHOWN ? `${JSON.stringify(text.slice(0, MAX_SHOWN))}...` : JSON.stringify(text);
}
