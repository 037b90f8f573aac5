/** What `npm start` tells its user to do with the server. */
import { networkInterfaces } from 'node:os';
import { anyHost, type Config, formatAddress, type ListenAddress } from '@srs/config';
import pc from 'picocolors';

export const testApp = 'live';
export const testStream = 'livestream';
const ownStream = 'mystream';

const anyHosts: readonly string[] = [anyHost, '::'];
const defaultPrivateApi = '127.0.0.1:33330';

/** Where a program on this machine reaches what listens on `address`. */
export function localHostOf(address: ListenAddress): string {
  if (address.host === '::') return '::1';
  return address.host === anyHost ? '127.0.0.1' : address.host;
}

/** @param lanAddress this machine as others see it, if that is known */
export function startGuide(config: Config, lanAddress: string | undefined): string {
  const address = config.listen[0]!;
  const serverAt = (host: string) => `rtmp://${formatAddress({ host, port: address.port })}/${testApp}`;
  const server = serverAt(shownHost(address));
  const { httpStream } = config;
  const pageAt = (host: string) => `http://${formatAddress({ host, port: httpStream.listen.port })}/`;
  const hasPage = httpStream.enabled && httpStream.startPage;
  const pages = hasPage ? [pageAt(shownHost(httpStream.listen))] : [];
  const watchUrl = `${server}/${testStream}`;
  const api = formatAddress(config.privateApi.listen);
  const status = `bin/srs-cli${api === defaultPrivateApi ? '' : ` --api ${api}`} status`;
  const lines: (readonly [title: string, ...texts: readonly string[]])[] = [
    ['Watch', ...pages, watchUrl, `ffplay ${watchUrl}`, 'VLC: Media > Open Network Stream'],
    [
      'Publish',
      `OBS: Settings > Stream > Custom, server ${server}, stream key ${ownStream}`,
      `ffmpeg -re -i FILE.mp4 -c copy -f flv ${server}/${ownStream}`,
      `and watch ${server}/${ownStream}`,
    ],
    ['Ask', status],
  ];
  if (lanAddress !== undefined) {
    const isPageOpen = hasPage && isOpenToAll(httpStream.listen);
    const urls = [
      ...(isPageOpen ? [pageAt(lanAddress)] : []),
      ...(isOpenToAll(address) ? [`${serverAt(lanAddress)}/${testStream}`] : []),
    ];
    if (urls.length > 0) lines.push(['Elsewhere', ...urls]);
  }
  const width = Math.max(...lines.map(([title]) => title.length)) + 2;
  const body = lines.flatMap(([title, ...texts]) =>
    texts.map((text, index) => `  ${pc.bold((index === 0 ? title : '').padEnd(width))}${text}`),
  );
  return ['', 'The server runs and plays a test stream. Ctrl-C ends both.', '', ...body, '', ''].join('\n');
}

function isOpenToAll(address: ListenAddress): boolean {
  return anyHosts.includes(address.host);
}

/** How people on this machine name what listens on `address`. */
function shownHost(address: ListenAddress): string {
  return isOpenToAll(address) ? 'localhost' : address.host;
}

/** The first IPv4 address of this machine that other machines can reach. */
export function findLanAddress(): string | undefined {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find((address) => address.family === 'IPv4' && !address.internal)?.address;
}
