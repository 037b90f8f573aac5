/** Secrets that clients put into URLs must reach neither the log nor the API. */

const SECRET_PARAMETER = /\b(token|key|secret|sign|signature|pass|password|passwd|auth)=([^&\s,'"?]+)/gi;
// A scheme is short: without a bound, each word of a long text would be tried to its end, and clients choose the text.
const USER_INFO = /(\b[a-z][a-z0-9+.-]{0,31}:\/\/[^\s/:@]*:)[^\s/@]+@/gi;

/** The text with the values of secret-looking URL parameters and passwords in URLs replaced by `***`. */
export function redact(text: string): string {
  return text.replace(SECRET_PARAMETER, '$1=***').replace(USER_INFO, '$1***@');
}
