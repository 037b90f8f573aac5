// @ts-check
/** The list of streams. Rows stay while their stream is there, so that the focus and what is unfolded stay too. */
import { addressList } from './addresses.js';
import { describePicture, describeSound } from './codecs.js';
import { make, setText } from './elements.js';

/** @import { Stream } from './types.js' */

/**
 * Tells streams of one vhost apart.
 *
 * @param {Pick<Stream, 'app' | 'stream'>} stream
 */
export const nameOf = ({ app, stream }) => `${app}/${stream}`;

export class StreamList {
  /** @type {HTMLUListElement} */
  #list;
  /** @type {(name: string) => string} */
  #linkTo;
  /** @type {Map<string, Row>} */
  #rows = new Map();

  /**
   * @param {HTMLUListElement} list
   * @param {(name: string) => string} linkTo where a click on a stream leads
   */
  constructor(list, linkTo) {
    this.#list = list;
    this.#linkTo = linkTo;
  }

  /**
   * @param {readonly Stream[]} streams
   * @param {string | undefined} chosen
   */
  show(streams, chosen) {
    const names = new Set(streams.map(nameOf));
    for (const [name, row] of this.#rows) {
      if (names.has(name)) continue;
      row.element.remove();
      this.#rows.delete(name);
    }
    streams.forEach((stream, index) => {
      const name = nameOf(stream);
      const row = this.#rows.get(name) ?? new Row(stream);
      this.#rows.set(name, row);
      row.update(stream, this.#linkTo(name), name === chosen);
      const place = this.#list.children[index];
      if (place !== row.element) this.#list.insertBefore(row.element, place ?? null);
    });
  }
}

class Row {
  #link = make('a', 'pick', '');
  #facts = make('p', 'facts', '');
  #details;
  #addresses = '';
  element;

  /** @param {Stream} stream */
  constructor({ app, stream }) {
    this.#link.append(make('bdi', 'name', stream), make('bdi', 'app', app));
    const summary = make('summary', '', 'Addresses');
    summary.setAttribute('aria-label', `Addresses of ${stream}`);
    this.#details = make('details', '', [summary]);
    this.element = make('li', '', [this.#link, this.#facts, this.#details]);
  }

  /**
   * @param {Stream} stream
   * @param {string} link
   * @param {boolean} isChosen
   */
  update(stream, link, isChosen) {
    this.#link.setAttribute('href', link);
    if (isChosen) this.#link.setAttribute('aria-current', 'true');
    else this.#link.removeAttribute('aria-current');
    this.element.classList.toggle('off', !stream.isPublished);
    setText(this.#facts, factsOf(stream));
    const addresses = JSON.stringify(stream.urls);
    if (addresses === this.#addresses) return;
    this.#addresses = addresses;
    this.#details.querySelector('ul')?.remove();
    this.#details.append(addressList(stream.urls));
  }
}

/** @param {Stream} stream */
function factsOf({ isPublished, players, video, audio }) {
  if (!isPublished) return 'not published at the moment';
  const viewers = players === 1 ? '1 player' : `${players} players`;
  return [describePicture(video), describeSound(audio), viewers].filter((fact) => fact !== '').join(' · ');
}
