/** Which web pages may embed a client of this server. */

/** The domain of a page address; '' when there is none, as from every encoder. */
function pageDomain(pageUrl: string): string {
  const start = pageUrl.indexOf('://');
  if (start < 0) return '';
  return pageUrl.slice(start + 3).split(/[/:]/, 1)[0] ?? '';
}

/**
 * SRS's rule: the domain ends with one of the words. There is no dot before the word in the rule, so `evilgithub.com` passes
 * `github.com`: write `.github.com` to ask for one.
 * @param allowed no list lets everybody in
 */
export function isReferAllowed(pageUrl: string, allowed: readonly string[]): boolean {
  if (allowed.length === 0) return true;
  const domain = pageDomain(pageUrl);
  return domain !== '' && allowed.some((word) => domain.endsWith(word));
}
