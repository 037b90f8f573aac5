/** The addresses on a command line of `srs-bench`. */
import { describeTarget, parseRtmpUrl } from '@srs/client';
import { SrsError } from '@srs/kernel';
import { describeHttpTarget, parseHttpUrl } from './http-target.ts';
import { urlOfStream } from './load-plan.ts';
import { BadArguments, type Parsed } from './option-parser.ts';
import { isHttpUrl, parsePlayUrl, publishUrlOf } from './play-target.ts';

const PLACE_OF_NUMBER = '{n}';

/** The machine of an address, and how messages name it. */
interface Place {
  readonly host: string;
  readonly name: string;
}

const playlistPath = /^[^?#]*\.m3u8(?:[?#]|$)/;

/** The one address of a command, or its default. */
export function urlIn(options: Parsed, defaultUrl: string): string {
  const [word, more] = options._;
  if (more !== undefined) throw new BadArguments(`${JSON.stringify(String(more))} is one word too many: there is one URL`);
  return word === undefined ? defaultUrl : String(word);
}

export function checkPlayUrl(options: Parsed, url: string): void {
  if (isHttpUrl(url) && playlistPath.test(url)) {
    throw new BadArguments(`${url.split('?', 1)[0]} is a playlist: srs-bench hls plays those`);
  }
  checkUrl(options, url, parsePlayUrl);
}

export function checkPublishUrl(options: Parsed, url: string): void {
  checkUrl(options, url, (text) => {
    const target = parseRtmpUrl(text);
    return { host: target.host, name: describeTarget(target) };
  });
}

export function checkHttpUrl(options: Parsed, url: string): void {
  checkUrl(options, url, (text) => {
    const target = parseHttpUrl(text);
    if (target.scheme !== 'http') throw new BadArguments(`${describeHttpTarget(target)} must begin with http://`);
    return { host: target.host, name: describeHttpTarget(target) };
  });
}

/** Where the streams of `--publish` go; undefined when the test does not publish. */
export function publishUrlIn(options: Parsed, playUrl: string): string | undefined {
  const wanted = options['publish-to'];
  if (typeof wanted === 'string') return wanted;
  if (options.publish !== true) return undefined;
  const url = publishUrlOf(playUrl);
  if (url !== undefined) return url;
  throw new BadArguments(`--publish cannot tell from ${playUrl.split('?', 1)[0]} where to publish: use --publish-to`);
}

export function checkNumbered(url: string, streams: number, streamOption: string): void {
  if (streams <= 1 || url.includes(PLACE_OF_NUMBER)) return;
  throw new BadArguments(`${streamOption} ${streams} needs ${PLACE_OF_NUMBER} in the URL, for the number of the stream`);
}

function checkUrl(options: Parsed, url: string, parse: (url: string) => Place): void {
  const { host, name } = placeOf(url, parse);
  if (options['allow-remote'] === true || isLoopback(host)) return;
  throw new BadArguments(`${name} is not on this machine: load only servers that are yours, then say --allow-remote`);
}

function placeOf(url: string, parse: (url: string) => Place): Place {
  try {
    return parse(urlOfStream(url, 0));
  } catch (error) {
    if (error instanceof SrsError) throw new BadArguments(error.message);
    throw error;
  }
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}
