/** Secrets that clients put into URLs must reach neither the log nor the API. */

/*
 * A word that ends like a secret's name (`stream_key`, `txSecret`, `X-Auth-Token`), then `=`, which may be escaped, or the `...` that
 * encoders write where they have no `=`. The word is bounded: without that each word of a long text would be tried to its end.
 */
const NAME = String.raw`[\w-]{0,32}?(?:token|key|secret|sign|signature|sig|pass|passwd|password|pwd|auth|jwt|credential)s?`;
const EQUALS = String.raw`=|%3D|\.\.\.`;
// A value that is such a name itself, with a value behind it, is none: `key...key...VALUE`. A colon at its end is that of a message.
const VALUE = String.raw`(?!${NAME}(?:${EQUALS}))(?:(?!\.\.\.|:(?:\s|$))[^&\s,'"?])+`;
const SECRET_PARAMETER = new RegExp(String.raw`(?<![\w-])(${NAME})(${EQUALS})${VALUE}`, 'gi');
// A scheme is short, for the same reason, and clients choose the text.
const USER_INFO = /(\b[a-z][a-z0-9+.-]{0,31}:\/\/[^\s/:@]*:)[^\s/@]+@/gi;

/** The text with the values of secret-looking URL parameters and passwords in URLs replaced by `***`. */
export function redact(text: string): string {
  return text.replace(SECRET_PARAMETER, '$1$2***').replace(USER_INFO, '$1***@');
}
