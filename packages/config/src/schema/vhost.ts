/** The rows of a vhost. */
import { apiAddresses, originAddresses, serverAddress } from '../address-type.ts';
import { block, row } from '../field.ts';
import { forwardDestinations } from '../forward-destination.ts';
import { redisUrl } from '../redis-url-type.ts';
import { vhostTemplate } from '../template-type.ts';
import { choice, duration, flag, httpUrl, integer, maxInt, registryPrefix, textList } from '../value-type.ts';
import { playAuth, publishAuth, security } from './access.ts';
import { ingest, transcode } from './encoders.ts';
import { bandcheck, dvr, hls, hooks, httpRemux, httpStatic, timeJitter } from './outputs.ts';

const publish = block(
  'publish',
  {
    busy: row('busy', choice(['reject', 'replace']), 'reject', {
      doc: 'What happens when a stream is published that has a publisher: `reject` refuses the new one, `replace` closes the old one.',
      since: 'new',
    }),
    firstPacketTimeoutMs: row('firstpkt_timeout', duration({ min: 1, max: 3_600_000, unit: 'ms' }), '20000', {
      doc: 'A publisher is closed that sends no media for so long after it was accepted.',
      live: 'at once',
      since: '3.0',
      aliases: ['publish_1stpkt_timeout'],
    }),
    normalTimeoutMs: row('normal_timeout', duration({ min: 1, max: 3_600_000, unit: 'ms' }), '5000', {
      doc: 'A publisher is closed that pauses for so long.',
      live: 'at once',
      since: '3.0',
      aliases: ['publish_normal_timeout'],
    }),
    mergedRead: row('mr', flag, 'off', {
      doc: 'Accepted, without effect: input is always read in pieces as large as the system has.',
      since: '2.0',
      aliases: ['mr/enabled'],
    }),
    mergedReadLatencyMs: row('mr_latency', duration({ min: 0, max: 60_000, unit: 'ms' }), '350', {
      doc: 'Accepted, without effect, as `mr`.',
      since: '2.0',
      aliases: ['mr/latency'],
    }),
    parseSps: row('parse_sps', flag, 'on', {
      doc: 'Look into the sequence headers of video for size and profile.',
      since: '3.0',
    }),
    kickoffForIdleMs: row('kickoff_for_idle', duration({ min: 0, max: 604_800, unit: 's' }), '0', {
      doc: 'Close a publisher nobody has watched for so long; 0 never does.',
      since: '5.0',
      isBuilt: false,
    }),
  },
  { doc: 'How publishers are supervised.', since: '3.0' },
);

const play = block(
  'play',
  {
    mwLatencyMs: row('mw_latency', duration({ min: 0, max: 60_000, unit: 'ms' }), '350', {
      doc: 'The longest time media may be collected before it is sent to players in one piece. Less is chosen as long as sending is cheap; 0 is the same as `min_latency on`.',
      live: 'at once',
      since: '2.0',
      aliases: ['mw_latency'],
    }),
    mwMsgs: row('mw_msgs', integer({ min: 0, max: 100_000 }), '8', {
      doc: 'Send when so many messages are collected.',
      since: '3.0',
      isBuilt: false,
    }),
    gopCacheMaxFrames: row('gop_cache_max_frames', integer({ min: 0, max: maxInt }), '2500', {
      doc: 'Most frames in the cache of one stream; 0 sets no limit. The cache is bounded by `ring` in any case.',
      since: '5.0',
      isBuilt: false,
    }),
    mixCorrect: row('mix_correct', flag, 'off', {
      doc: 'Make timestamps grow over audio and video taken together.',
      since: '2.0',
      aliases: ['mix_correct'],
      isBuilt: false,
    }),
    sendMinIntervalMs: row('send_min_interval', duration({ min: 0, max: 60_000, unit: 'ms' }), '0', {
      doc: 'Send one message at a time, at least so far apart, for devices that cannot take several at once; 0 sends what there is. A player that has just come gets what it has missed at once.',
      live: 'at once',
      since: '2.0',
      aliases: ['send_min_interval'],
    }),
    reduceSequenceHeader: row('reduce_sequence_header', flag, 'off', {
      doc: 'Send a sequence header that repeats the one before only once.',
      since: '2.0',
      aliases: ['reduce_sequence_header'],
      isBuilt: false,
    }),
  },
  { doc: 'How players are served.', since: '3.0' },
);

const cluster = block(
  'cluster',
  {
    vhost: row('vhost', vhostTemplate, '[vhost]', {
      doc: 'Edge: the name of the vhost at the origins; `[vhost]` stands for the name here. It goes along with what is got from there and what is pushed there.',
      since: '2.0',
    }),
    protocol: row('protocol', choice(['rtmp', 'flv', 'flvs']), 'rtmp', {
      doc: 'Edge: how streams are got from the origins. `flv` is HTTP-FLV, `flvs` the same over HTTPS: the port of `origin` is that of their HTTP server then, by default 8080 and 8088. What is published on the edge goes to the origins over RTMP, then to port 1935.',
      since: '5.0',
    }),
    followClient: row('follow_client', flag, 'off', {
      doc: 'Edge: get a stream in the protocol of the viewer. A stream is got once for viewers of all protocols, so `protocol` says how.',
      since: '5.0',
      isBuilt: false,
    }),
    originCluster: row('origin_cluster', flag, 'off', {
      doc: 'Streams that are not published here are looked for on other servers: those that share its `registry`, or its `coworkers`.',
      live: 'at once',
      since: '3.0',
    }),
    registry: row('registry', redisUrl, undefined, {
      doc: 'Origin cluster: the Redis or Valkey server where all servers write down what is published on them.',
      live: 'at once',
      since: 'new',
      example: 'redis://127.0.0.1:6379',
    }),
    coworkers: row('coworkers', apiAddresses, undefined, {
      doc: 'Origin cluster: the HTTP APIs of the other servers, which are asked for streams where there is no `registry`. The default port is 1985. `http_api` must be enabled there, and has the same `auth` as here if it has any.',
      live: 'at once',
      since: '3.0',
      example: '192.168.1.11:1985 192.168.1.12:1985',
    }),
    registryPrefix: row('registry_prefix', registryPrefix, 'srs', {
      doc: 'What the keys in the registry begin with. Only servers with the same one see each other.',
      live: 'at once',
      since: 'new',
    }),
    registryLeaseMs: row('registry_lease', duration({ min: 1, max: 3600, unit: 's' }), '10', {
      doc: 'How long the registry names a server that renews nothing any more, such as one that has died. It renews three times as often.',
      live: 'at once',
      since: 'new',
    }),
    onMiss: row('on_miss', choice(['pull', 'redirect']), 'pull', {
      doc: 'Origin cluster: what a viewer gets whose stream lives on another server. `pull` gets the stream from there, once for all viewers; `redirect` sends viewers over RTMP there, and gets it for all others.',
      live: 'next use',
      since: 'new',
    }),
    announce: row('announce', serverAddress, undefined, {
      doc: 'Origin cluster: where the others reach this server over RTMP; by default the address of `stats/network` and the first port of `listen`.',
      live: 'at once',
      since: 'new',
      example: '192.168.1.10:1935',
    }),
  },
  {
    doc: 'How several servers work together: an edge and its origins, or origins among themselves. `mode`, `origin`, `token_traverse` and `debug_srs_upnode` may stand here too.',
    since: '3.0',
  },
);

export const vhostFields = {
  enabled: row('enabled', flag, 'on', {
    doc: 'Off refuses the clients of this vhost and disconnects those it has.',
    live: 'at once',
  }),
  chunkSize: row('chunk_size', integer({ min: 128, max: 65536, unit: 'bytes' }), undefined, {
    doc: 'Chunk size of what the server sends to clients of this vhost; by default the global `chunk_size`.',
    live: 'at once',
    inherits: 'chunkSize',
    example: '60000',
  }),
  mode: row('mode', choice(['local', 'remote'], 'local'), 'local', {
    doc: '`remote` makes the vhost an edge: streams come from, and go to, the servers of `origin`.',
    live: 'at once',
    aliases: ['cluster/mode'],
  }),
  origin: row('origin', originAddresses, undefined, {
    doc: 'Upstream servers of an edge, taken in turn; the default port is 1935, or as `cluster/protocol` says. An edge needs one.',
    aliases: ['cluster/origin'],
    example: '192.168.1.10:1935 192.168.1.11:1935',
  }),
  tokenTraverse: row('token_traverse', flag, 'off', {
    doc: "Edge: ask the origin about each client's connect first, over RTMP.",
    aliases: ['cluster/token_traverse'],
  }),
  debugSrsUpnode: row('debug_srs_upnode', flag, 'on', {
    doc: "Send this server's identity to upstream servers, so that a session can be followed over servers.",
    aliases: ['cluster/debug_srs_upnode'],
  }),
  cluster,
  gopCache: row('gop_cache', flag, 'on', {
    doc: 'Start new players at the last key frame, instead of with what comes next.',
    live: 'at once',
    aliases: ['play/gop_cache'],
  }),
  queueLengthMs: row('queue_length', duration({ min: 1, max: 3600, unit: 's', isWhole: true }), '30', {
    doc: 'How much media may wait for a player, a forwarder or an edge push that is slow; more is cut to the newest key frame. Whole seconds.',
    live: 'at once',
    aliases: ['play/queue_length'],
  }),
  timeJitter: row('time_jitter', timeJitter, 'full', {
    doc: 'Correction of timestamps for players: `full` makes them start at 0 and grow, `zero` only makes them start at 0, `off` leaves them.',
    live: 'at once',
    aliases: ['play/time_jitter'],
  }),
  atc: row('atc', flag, 'off', {
    doc: 'Keep the absolute timestamps of the encoder.',
    live: 'at once',
    aliases: ['play/atc'],
  }),
  atcAuto: row('atc_auto', flag, 'on', {
    doc: 'Turn `atc` on for a stream whose metadata has the text `bravo_atc` = `true`.',
    aliases: ['play/atc_auto'],
  }),
  minLatency: row('min_latency', flag, 'off', {
    doc: 'Send every picture at once, as long as sending leaves a worker a quarter of its time. With many players sound goes along with the next picture, within 50 ms.',
    live: 'at once',
    since: '2.0',
    aliases: ['play/min_latency'],
  }),
  tcpNodelay: row('tcp_nodelay', flag, 'off', {
    doc: 'Let the system send small pieces at once (TCP_NODELAY).',
    live: 'at once',
    since: '2.0',
    aliases: ['play/tcp_nodelay'],
  }),
  inAckSize: row('in_ack_size', integer({ min: 0, max: maxInt, unit: 'bytes' }), undefined, {
    doc: 'The acknowledgement window the server asks for, in bytes; by default the global `in_ack_size`.',
    since: '3.0',
    inherits: 'inAckSize',
    example: '0',
  }),
  outAckSize: row('out_ack_size', integer({ min: 0, max: maxInt, unit: 'bytes' }), undefined, {
    doc: 'The acknowledgement window the server announces for its own output, in bytes; by default the global `out_ack_size`.',
    since: '3.0',
    inherits: 'outAckSize',
    example: '2500000',
  }),
  refer: row('refer', textList, undefined, {
    doc: 'Domains whose pages may embed a player or publisher of this vhost.',
    example: 'github.com example.com',
  }),
  referPublish: row('refer_publish', textList, undefined, { doc: 'The same, for publishers only.', example: 'github.com' }),
  referPlay: row('refer_play', textList, undefined, { doc: 'The same, for players only.', example: 'github.com' }),
  publish,
  play,
  forward: row('forward', forwardDestinations, undefined, {
    doc: 'Push every published stream to these destinations: servers, where it keeps its names (the default port is 1935), or URLs of streams.',
    live: 'at once',
    example: '192.168.1.6:1935 192.168.1.7:1935',
  }),
  forwarding: block(
    'forward',
    {
      enabled: row('enabled', flag, 'off', {
        doc: 'Push published streams on as this block says.',
        live: 'at once',
        since: '5.0',
      }),
      destinations: row('destination', forwardDestinations, undefined, {
        doc: 'Where to, as the values of `forward`.',
        live: 'at once',
        since: '5.0',
        example: '192.168.1.6:1935 rtmps://live.example.com/app/[stream]',
      }),
      backend: row('backend', httpUrl, undefined, {
        doc: 'Ask here at each publish, as the hook `on_forward`, for more destinations of the stream: `{"code":0,"data":{"urls":["rtmp://..."]}}`.',
        live: 'at once',
        since: '5.0',
        example: 'http://127.0.0.1:8085/api/v1/forward',
      }),
    },
    { doc: 'The same as `forward` with values, as SRS 5 writes it. Both may stand in a vhost.', live: 'at once', since: '5.0' },
  ),
  security,
  publishAuth,
  playAuth,
  hooks,
  hls,
  dvr,
  http: httpStatic,
  httpRemux,
  ingests: ingest,
  transcodes: transcode,
  bandcheck,
};
