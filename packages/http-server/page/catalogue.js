// @ts-check
/** Asks the server again and again which streams there are. */

/** @import { Catalogue } from './types.js' */

const PERIOD_MS = 2000;
const LIMIT_MS = 5000;

/**
 * @param {() => string | undefined} chosen the stream that must be in the list, whether it is published or not
 * @param {(catalogue: Catalogue) => void} onCatalogue
 * @param {() => void} onLost the server does not answer; it is asked again
 */
export async function watchCatalogue(chosen, onCatalogue, onLost) {
  for (;;) {
    const catalogue = await ask(chosen()).catch(() => undefined);
    if (catalogue === undefined) onLost();
    else onCatalogue(catalogue);
    await new Promise((resolve) => setTimeout(resolve, PERIOD_MS));
  }
}

/**
 * @param {string | undefined} stream
 * @returns {Promise<Catalogue>}
 */
async function ask(stream) {
  const query = new URLSearchParams();
  if (stream !== undefined) query.set('stream', stream);
  // `?vhost=name` of the page is that of the list.
  const vhost = new URLSearchParams(location.search).get('vhost');
  if (vhost !== null) query.set('vhost', vhost);
  const response = await fetch(`/srs/streams?${query}`, { signal: AbortSignal.timeout(LIMIT_MS) });
  if (!response.ok) throw new Error(`the server answers ${response.status}`);
  return /** @type {Catalogue} */ (await response.json());
}
