/** A no, with its reason. */

export type StreamUse = 'publish' | 'play';

export type RefusalKind =
  /** `security`: no rule allows it. */
  | 'address-not-allowed'
  /** `security`: a rule denies it. */
  | 'address-denied'
  /** `refer`: the page the client is embedded in. */
  | 'page'
  /** `publish_auth`, `play_auth`: key or signature is missing, wrong or too old. */
  | 'credentials'
  /** `limits`: too many from one address. */
  | 'limit';

export interface Refusal {
  readonly kind: RefusalKind;
  /** For the client and the log: what was refused and why. It holds neither a secret nor what would have been right. */
  readonly text: string;
}
