// @ts-check
/** The addresses of a stream, to click and to copy. */
import { make } from './elements.js';

/** @import { Stream } from './types.js' */

const TOLD_MS = 1500;

/**
 * Where a browser finds what the server has at a path.
 *
 * @param {string} path
 * @param {'http' | 'ws'} scheme
 */
export function addressAt(path, scheme) {
  const url = new URL(path, location.href);
  if (scheme === 'ws') url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

/**
 * @param {Stream['urls']} urls
 * @returns {HTMLUListElement}
 */
export function addressList({ rtmp, flv, hls }) {
  /** @type {[label: string, address: string | null, isLink: boolean][]} */
  const rows = [
    ['RTMP', rtmp, true],
    ['HTTP-FLV', flv === null ? null : addressAt(flv, 'http'), true],
    // Nothing opens such a link.
    ['WS-FLV', flv === null ? null : addressAt(flv, 'ws'), false],
    ['HLS', hls === null ? null : addressAt(hls, 'http'), true],
  ];
  const items = rows.flatMap(([label, address, isLink]) => (address === null ? [] : [item(label, address, isLink)]));
  return make('ul', 'addresses', items);
}

/**
 * @param {string} label
 * @param {string} address
 * @param {boolean} isLink
 */
function item(label, address, isLink) {
  const text = isLink ? make('a', 'address', foldable(address)) : make('span', 'address', foldable(address));
  if (text instanceof HTMLAnchorElement) text.href = address;
  const button = make('button', 'copy', 'Copy');
  button.type = 'button';
  button.setAttribute('aria-label', `Copy the ${label} address`);
  button.addEventListener('click', () => {
    void copy(address, text).then((isCopied) => {
      button.textContent = isCopied ? 'Copied' : 'Press Ctrl+C';
      setTimeout(() => {
        button.textContent = 'Copy';
      }, TOLD_MS);
    });
  });
  return make('li', '', [make('span', 'label', label), text, button]);
}

/**
 * Long addresses are folded behind a slash.
 *
 * @param {string} address
 */
function foldable(address) {
  return address.split(/(?<=[^/]\/)(?!\/)/).flatMap((part) => [new Text(part), document.createElement('wbr')]);
}

/**
 * Browsers give the clipboard to secure pages only. Elsewhere the text is marked, and the older way tried.
 *
 * @param {string} text
 * @param {Node} element that shows it
 * @returns {Promise<boolean>}
 */
async function copy(text, element) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection()?.selectAllChildren(element);
    return document.execCommand('copy');
  }
}
