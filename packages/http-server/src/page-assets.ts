/** The files of the start page, and the players that come with the server as packages. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { contentTypeOf, extensionOf } from './file-types.ts';

export interface PageAsset {
  readonly contentType: string;
  readonly etag: string;
  readonly bytes: Buffer;
}

const require = createRequire(import.meta.url);
const ofPage = (name: string): string => fileURLToPath(new URL(`../page/${name}`, import.meta.url));

/** By the path in the URL. Each is found when it is asked for: a missing package is missed by its player only. */
const locations: ReadonlyMap<string, () => string> = new Map([
  ['/', () => ofPage('index.html')],
  ...[
    'page.css',
    'icon.svg',
    'page.js',
    'addresses.js',
    'catalogue.js',
    'codecs.js',
    'elements.js',
    'players.js',
    'session.js',
    'stream-list.js',
  ].map((name): [string, () => string] => [`/srs/${name}`, () => ofPage(name)]),
  ['/srs/mpegts.js', () => require.resolve('mpegts.js/dist/mpegts.js')],
  // Without subtitles, DRM and other languages, which no stream of this server has: a third less.
  ['/srs/hls.js', () => require.resolve('hls.js/dist/hls.light.min.mjs')],
]);

const ETAG_BYTES = 15;

export class PageAssets {
  readonly #assets = new Map<string, Promise<PageAsset>>();

  has(path: string): boolean {
    return locations.has(path);
  }

  /**
   * Read when first asked for, and kept: they change with the server only.
   * @throws Error when it is not installed
   */
  async find(path: string): Promise<PageAsset | undefined> {
    const locate = locations.get(path);
    if (locate === undefined) return undefined;
    let asset = this.#assets.get(path);
    if (asset === undefined) {
      asset = read(locate());
      this.#assets.set(path, asset);
      asset.catch(() => this.#assets.delete(path));
    }
    return await asset;
  }
}

async function read(file: string): Promise<PageAsset> {
  const bytes = await readFile(file);
  const hash = createHash('sha256').update(bytes).digest().subarray(0, ETAG_BYTES).toString('base64url');
  const extension = extensionOf(file);
  return { contentType: contentTypeOf(extension), etag: `"${hash}"`, bytes };
}
