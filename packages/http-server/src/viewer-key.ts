/** The key of a viewer in the URLs that it asks for: `hls_ctx`. */

export const KEY_PARAMETER = 'hls_ctx';
const KEY = /[?&]hls_ctx=([\w-]{22})(?=&|$)/;

/** @returns the URL as it is for all viewers, and the key when it has one */
export function splitKey(url: string): { readonly url: string; readonly key: string | undefined } {
  const found = url.includes(KEY_PARAMETER) ? KEY.exec(url) : null;
  if (found === null) return { url, key: undefined };
  const [text, key] = found;
  const before = url.slice(0, found.index);
  const behind = url.slice(found.index + text.length);
  return { url: behind !== '' && text.startsWith('?') ? `${before}?${behind.slice(1)}` : before + behind, key };
}

/** The parameters of a query but those whose names are given, as they were written. */
export function withoutParameters(query: string, isLeftOut: (name: string) => boolean): string {
  return query
    .split('&')
    .filter((pair) => pair !== '' && !isLeftOut(pair.split('=', 1)[0] ?? ''))
    .join('&');
}
