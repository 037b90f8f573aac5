/** Which web pages may embed a client of this server. */
import type { Refusal } from './refusal.ts';

/** The domain of a page address in lower case; '' when there is none, as from every encoder. */
function pageDomain(pageUrl: string): string {
  const start = pageUrl.indexOf('://');
  if (start < 0) return '';
  // A query or a user name may look like a domain, and neither is where the page comes from.
  const authority = pageUrl.slice(start + 3).split(/[/?#]/, 1)[0] ?? '';
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  return (host.split(':', 1)[0] ?? '').toLowerCase();
}

/**
 * SRS's rule: the domain ends with one of the words. There is no dot before the word in the rule, so `evilgithub.com` passes
 * `github.com`: write `.github.com` to ask for one.
 * @param allowed no list lets everybody in
 * @returns undefined when the client may come in
 */
export function checkRefer(pageUrl: string, allowed: readonly string[]): Refusal | undefined {
  if (allowed.length === 0) return undefined;
  const domain = pageDomain(pageUrl);
  if (domain !== '' && allowed.some((word) => domain.endsWith(word.toLowerCase()))) return undefined;
  return { kind: 'page', text: `page ${JSON.stringify(pageUrl)} must end with one of: ${allowed.join(' ')}` };
}
