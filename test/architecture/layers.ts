/** The one table of which package may see which. Dependencies point downwards only. */

interface Layer {
  readonly packages: readonly string[];
  /** Layers whose packages this layer may import. */
  readonly sees: readonly LayerName[];
  /** Its packages may import each other, as long as no circle arises. */
  readonly isOpenInside?: boolean;
}

export type LayerName =
  | 'ground'
  | 'formats'
  | 'transport'
  | 'client'
  | 'tools'
  | 'streams'
  | 'features'
  | 'clients'
  | 'recordings'
  | 'servers'
  | 'survey'
  | 'worker'
  | 'master'
  | 'cli';

export const layers: Readonly<Record<LayerName, Layer>> = {
  ground: { packages: ['kernel'], sees: [] },
  formats: {
    packages: ['access', 'amf', 'codec', 'config', 'flv', 'mp4', 'mpegts', 'rtmp'],
    sees: ['ground'],
    isOpenInside: true,
  },
  transport: { packages: ['control', 'ffmpeg', 'files', 'logging', 'native', 'ring'], sees: ['ground', 'formats'] },
  client: { packages: ['client'], sees: ['ground', 'formats', 'transport'] },
  // Programs that use a server as its clients do, and measure it from outside.
  tools: { packages: ['bench'], sees: ['ground', 'formats', 'transport', 'client'] },
  streams: { packages: ['stream'], sees: ['ground', 'formats', 'transport'] },
  features: {
    packages: ['bandwidth', 'cluster', 'dvr', 'edge', 'forward', 'hls', 'hooks', 'ingest', 'transcode'],
    sees: ['ground', 'formats', 'transport', 'client', 'streams'],
  },
  // What every client of the server has, whatever it speaks.
  clients: { packages: ['clients'], sees: ['ground', 'formats', 'transport', 'streams'] },
  // What is made of files for those who play them, whatever serves it.
  recordings: { packages: ['vod'], sees: ['ground', 'formats'] },
  servers: {
    packages: ['caster', 'http-server', 'rtmp-server'],
    sees: ['ground', 'formats', 'transport', 'streams', 'clients', 'recordings'],
  },
  // What processes tell each other and the command line of themselves: of what lies below it knows the shape only.
  survey: { packages: ['survey'], sees: ['ground', 'formats', 'transport', 'streams', 'clients', 'servers'] },
  // The only place where features and servers meet.
  worker: {
    packages: ['worker'],
    sees: ['ground', 'formats', 'transport', 'client', 'streams', 'features', 'clients', 'servers', 'survey'],
  },
  master: { packages: ['master'], sees: ['ground', 'formats', 'transport', 'survey', 'worker'] },
  cli: { packages: ['cli'], sees: ['ground', 'formats', 'transport', 'client', 'survey', 'worker', 'master'] },
};

/** Packages that take bytes and give bytes: no sockets, files, timers or clocks of their own. */
export const purePackages: readonly string[] = [...layers.ground.packages, ...layers.formats.packages, 'ring'];

/** Node modules a pure package may import, because they do no I/O. */
export const pureModules: readonly string[] = ['node:assert', 'node:buffer', 'node:path'];

/** Exceptions, each with its reason. */
export const pureExceptions: readonly { readonly package: string; readonly module: string; readonly reason: string }[] = [
  { package: 'rtmp', module: 'node:crypto', reason: 'HMAC, Diffie-Hellman and random bytes of the handshake, behind RtmpCrypto' },
  { package: 'access', module: 'node:crypto', reason: 'HMAC and timing-safe comparison of signed URLs' },
];

/** Clocks and randomness are passed in; these files are where the real ones come from. */
export const clockFiles: readonly string[] = ['packages/kernel/src/clock.ts'];
