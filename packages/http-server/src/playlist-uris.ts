/** The URIs in an HLS playlist. */

/** Whatever has a scheme leads elsewhere. */
const ABSOLUTE = /^[a-z][a-z0-9+.-]*:/i;

/** Every URI that is relative to the playlist gets one more parameter: what names the stream in the query of a playlist is lost otherwise. */
export function withParameter(playlist: string, name: string, value: string): string {
  const parameter = `${encodeURIComponent(name)}=${encodeURIComponent(value)}`;
  const add = (uri: string): string => (ABSOLUTE.test(uri) ? uri : `${uri}${uri.includes('?') ? '&' : '?'}${parameter}`);
  return playlist
    .split('\n')
    .map((line) => {
      if (line === '') return line;
      return line.startsWith('#') ? line.replace(/\bURI="([^"]*)"/g, (_, uri: string) => `URI="${add(uri)}"`) : add(line);
    })
    .join('\n');
}
