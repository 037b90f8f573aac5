/** The URIs in an HLS playlist. */

/** Whatever has a scheme or a host leads elsewhere. */
const ABSOLUTE = /^(?:[a-z][a-z0-9+.-]*:|\/\/)/i;

/** Every URI that is relative to the playlist gets one more parameter: what names the stream in the query of a playlist is lost otherwise. */
export function withParameter(playlist: string, name: string, value: string): string {
  return addToUris(playlist, `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
}

/** No playlist has it. */
const MARK = '\0';

/** A playlist whose URIs get one parameter more, with another value for each viewer; what is the same for all is made once. */
export class ParameterPlaylist {
  readonly #pieces: readonly string[];

  constructor(playlist: string, name: string) {
    this.#pieces = addToUris(playlist, `${name}=${MARK}`).split(MARK);
  }

  /** @param value needs no escape in a URL */
  with(value: string): string {
    return this.#pieces.join(value);
  }
}

function addToUris(playlist: string, parameter: string): string {
  const add = (uri: string): string => (ABSOLUTE.test(uri) ? uri : `${uri}${uri.includes('?') ? '&' : '?'}${parameter}`);
  return playlist
    .split('\n')
    .map((line) => {
      if (line === '') return line;
      return line.startsWith('#') ? line.replace(/\bURI="([^"]*)"/g, (_, uri: string) => `URI="${add(uri)}"`) : add(line);
    })
    .join('\n');
}
