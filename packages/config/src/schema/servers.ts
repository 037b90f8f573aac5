/** Rows of the root that are about the server's own services: API, file server, heartbeat, statistics, log summaries, workers. */
import { anyHost, listenAddress } from '../address-type.ts';
import { block, row } from '../field.ts';
import {
  choice,
  duration,
  flag,
  httpUrl,
  integer,
  maxInt,
  path,
  secretText,
  size,
  text,
  textList,
  workerCount,
} from '../value-type.ts';

interface TlsListener {
  readonly port: number;
  readonly since: string;
  /** Of `enabled`: what is served there. */
  readonly enabled: string;
  readonly doc: string;
}

/** The address of a service within TLS, and the certificate that it shows there. */
const withinTls = (name: string, { port, since, enabled, doc }: TlsListener) =>
  block(
    name,
    {
      enabled: row('enabled', flag, 'off', { doc: enabled, since, live: 'at once' }),
      listen: row('listen', listenAddress(anyHost), String(port), { doc: 'Address for TLS.', since, live: 'at once' }),
      key: row('key', path, './conf/server.key', { doc: 'Private key, PEM.', since, live: 'at once' }),
      cert: row('cert', path, './conf/server.crt', {
        doc: 'Certificate, PEM, followed by those that it stands on.',
        since,
        live: 'at once',
      }),
    },
    { doc, since, live: 'at once' },
  );

export const heartbeat = block(
  'heartbeat',
  {
    enabled: row('enabled', flag, 'off', { doc: 'POST the identity of this server to an API server at an interval.' }),
    intervalMs: row('interval', duration({ min: 0.1, max: 604800, unit: 's' }), '9.9', { doc: 'Time between two posts.' }),
    url: row('url', httpUrl, 'http://127.0.0.1:8085/api/v1/servers', {
      doc: 'Where to post. A query behind the path is not sent.',
    }),
    deviceId: row('device_id', text, undefined, { doc: 'The identity that is sent.', example: 'my-srs-device' }),
    summaries: row('summaries', flag, 'off', { doc: 'Send the object of `/api/v1/summaries` along.' }),
    ports: row('ports', flag, 'off', { doc: 'Send the ports of RTMP, the API and the HTTP server along.', since: '5.0' }),
  },
  { doc: 'Tells an API server that this server is alive.' },
);

export const stats = block(
  'stats',
  {
    network: row('network', integer({ min: 0, max: maxInt }), '0', {
      doc: 'Which local IPv4 address stands for this device in heartbeats and towards upstream servers: its index among the addresses of the interfaces, 127.0.0.1 not counted.',
    }),
    disk: row('disk', textList, undefined, {
      doc: 'Devices whose figures in `/proc/diskstats` add up to how busy the disks are.',
      example: 'sda sdb',
    }),
  },
  { doc: 'What the statistics of the system look at.' },
);

export const exporter = block(
  'exporter',
  {
    enabled: row('enabled', flag, 'off', {
      doc: 'Serve `/metrics` for Prometheus, here and on the port of the API.',
      since: '5.0',
      live: 'at once',
    }),
    listen: row('listen', listenAddress(anyHost), '9972', {
      doc: 'Address of the metrics, of `/healthz` and of `/readyz`.',
      since: '5.0',
      live: 'at once',
    }),
    label: row('label', text, undefined, {
      doc: 'Label `label` of `srs_build_info`, to tell servers apart.',
      since: '5.0',
      live: 'at once',
      example: 'cn-beijing',
    }),
    tag: row('tag', text, undefined, {
      doc: 'Label `tag` of `srs_build_info`.',
      since: '5.0',
      live: 'at once',
      example: 'cn-edge',
    }),
    streamLabels: row('stream_labels', integer({ min: 0, max: 1000 }), '0', {
      doc: 'As many streams, those with the most players, have metrics of their own. Each name that ever was among them stays in the memory of Prometheus for a while.',
      since: 'new',
      live: 'at once',
    }),
  },
  { doc: 'Metrics for Prometheus.', since: '5.0', live: 'at once' },
);

export const httpApi = block(
  'http_api',
  {
    enabled: row('enabled', flag, 'off', { doc: 'Serve the management API.', live: 'at once' }),
    listen: row('listen', listenAddress(anyHost), '1985', { doc: 'Address of the API.', live: 'at once' }),
    crossdomain: row('crossdomain', flag, 'on', {
      doc: 'Let web pages of other sites read the API. They are never let in with the credentials that a browser keeps.',
      since: '3.0',
      live: 'at once',
    }),
    auth: block(
      'auth',
      {
        enabled: row('enabled', flag, 'off', {
          doc: 'Ask for a name and password, or a token. Without it what changes something is open to this machine only.',
          since: '6.0',
          live: 'at once',
        }),
        username: row('username', text, undefined, {
          doc: 'Of HTTP basic authentication.',
          since: '6.0',
          live: 'at once',
          example: 'admin',
        }),
        password: row('password', secretText, undefined, {
          doc: 'Of HTTP basic authentication.',
          since: '6.0',
          live: 'at once',
          example: 'change-me',
        }),
        token: row('token', secretText, undefined, {
          doc: 'Let in as well who sends `Authorization: Bearer` with this.',
          since: 'new',
          live: 'at once',
          example: 'change-me-too',
        }),
      },
      { doc: 'Who may use the API.', since: '6.0', live: 'at once' },
    ),
    https: withinTls('https', {
      port: 1990,
      since: '4.0',
      enabled: 'Serve the API over TLS too.',
      doc: 'The API over TLS, beside the plain one.',
    }),
    rawApi: block(
      'raw_api',
      {
        enabled: row('enabled', flag, 'off', { doc: 'Answer `/api/v1/raw`.', since: '2.0', live: 'at once' }),
        allowReload: row('allow_reload', flag, 'off', {
          doc: 'Let `/api/v1/raw?rpc=reload` read the configuration again.',
          since: '2.0',
          live: 'at once',
        }),
      },
      { doc: 'The calls by GET that later SRS has. `POST /api/v1/reload` needs none of this.', since: '2.0', live: 'at once' },
    ),
  },
  { doc: 'The HTTP management API.', live: 'at once' },
);

export const httpStream = block(
  'http_stream',
  {
    enabled: row('enabled', flag, 'off', { doc: 'Serve files, HLS and HTTP streams.', live: 'at once' }),
    listen: row('listen', listenAddress(anyHost), '8080', { doc: 'Address of the HTTP server.', live: 'at once' }),
    dir: row('dir', path, './objs/nginx/html', {
      doc: 'Root directory, used when no vhost mounts `/`.',
      live: 'at once',
    }),
    startPage: row('start_page', flag, 'off', {
      doc: 'Where the root directory has no `index.html`, show a page that lists the live streams and plays them, to everybody.',
      since: 'new',
      live: 'at once',
    }),
    crossdomain: row('crossdomain', flag, 'on', {
      doc: 'Let web pages of other sites read files and streams.',
      since: '2.0',
      live: 'at once',
    }),
    https: withinTls('https', {
      port: 8088,
      since: '4.0',
      enabled: 'Serve files and streams over TLS too.',
      doc: 'The HTTP server over TLS, beside the plain one.',
    }),
  },
  { doc: 'The embedded HTTP server.', aliases: ['http_server'], live: 'at once' },
);

export const rtmps = withinTls('rtmps', {
  port: 443,
  since: '7.0',
  enabled: 'Accept RTMP within TLS too.',
  doc: 'RTMP over TLS, beside the plain one.',
});

const pithyInterval = duration({ min: 1, max: 604_800_000, unit: 'ms' });

export const pithyPrint = block(
  'pithy_print',
  {
    publishMs: row('publish', pithyInterval, '10000', { doc: 'Publishers.', live: 'at once' }),
    playMs: row('play', pithyInterval, '10000', { doc: 'Players.', live: 'at once' }),
    forwarderMs: row('forwarder', pithyInterval, '10000', { doc: 'Forwarders.', live: 'at once' }),
    encoderMs: row('encoder', pithyInterval, '10000', { doc: 'Transcoders.', live: 'at once' }),
    ingesterMs: row('ingester', pithyInterval, '10000', { doc: 'Ingesters.', live: 'at once' }),
    hlsMs: row('hls', pithyInterval, '10000', { doc: 'HLS.', live: 'at once' }),
    edgeMs: row('edge', pithyInterval, '10000', { doc: 'Edges.', live: 'at once' }),
  },
  { doc: 'Milliseconds between two summary lines in the log, for all connections of one kind together.', live: 'at once' },
);

export const workers = block(
  'workers',
  {
    mode: row('mode', choice(['multi', 'single']), 'multi', {
      doc: '`multi` runs the parts of the server as processes of their own, `single` runs all of them in one process.',
      since: 'new',
      live: 'restart',
    }),
    backSource: row('back_source', integer({ min: 1, max: 64 }), '1', {
      doc: 'Processes that own the directory of streams, pull from upstream servers and write the outputs.',
      since: 'new',
      live: 'restart',
    }),
    stream: row('stream', workerCount(256), 'auto', {
      doc: 'Processes that serve RTMP clients; `auto` is one for each processor core. More are started by a reload, and what is too many is drained.',
      since: 'new',
      live: 'at once',
    }),
    http: row('http', integer({ min: 1, max: 64 }), '1', {
      doc: 'Processes that serve the API and HTTP; more or fewer by a reload, as `stream`.',
      since: 'new',
      live: 'at once',
    }),
    drainTimeoutMs: row('drain_timeout', duration({ min: 0, max: 86_400, unit: 's' }), '60', {
      doc: 'How long a process that is taken away, or drained by `srs-cli`, waits for its clients to leave by themselves; the others are then dismissed.',
      since: 'new',
      live: 'at once',
    }),
  },
  { doc: 'How the work is divided into processes.', since: 'new', live: 'restart' },
);

export const privateApi = block(
  'private_api',
  {
    listen: row('listen', listenAddress('127.0.0.1'), '127.0.0.1:33330', {
      doc: "The master's address for the command line. The workers take the ports that follow. A port alone listens on 127.0.0.1 only.",
      since: 'new',
      live: 'restart',
    }),
  },
  { doc: 'The API of each process, which `srs-cli` asks.', since: 'new', live: 'restart' },
);

const kib = 1024;
const gib = 1024 ** 3;

export const ring = block(
  'ring',
  {
    initialSizeBytes: row('initial_size', size({ min: 512 * kib, max: gib }), '2m', {
      doc: 'Shared memory of a stream when it begins.',
      since: 'new',
      live: 'restart',
    }),
    maxSizeBytes: row('max_size', size({ min: 512 * kib, max: gib }), '64m', {
      doc: 'Shared memory that one stream may grow to, so that its newest group of pictures fits.',
      since: 'new',
      live: 'restart',
    }),
    memoryBytes: row('memory', size({ min: 1024 * kib, max: 1024 * gib }), '4g', {
      doc: 'Shared memory of all streams together. It is address space: only what streams use is taken from the system.',
      since: 'new',
      live: 'restart',
    }),
  },
  { doc: 'The shared memory through which the processes hand on media.', since: 'new', live: 'restart' },
);
