import { expect, it } from 'vitest';
import { type Answer, clientOf, pushOf, streamOf, TestApi } from './api-test-support.ts';

/** A field with the type of its value; in the order of the answer. `null` is a type of its own. */
function shapeOf(value: unknown): unknown {
  if (value === null) return 'null';
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])];
  if (typeof value !== 'object') return typeof value;
  return Object.entries(value).map(([name, inner]) => [name, shapeOf(inner)]);
}

/** Names, one or several to a text. */
const wordsOf = (texts: readonly string[]): readonly string[] => texts.flatMap((text) => text.split(' '));
const numbers = (...names: readonly string[]) => wordsOf(names).map((name) => [name, 'number']);
const strings = (...names: readonly string[]) => wordsOf(names).map((name) => [name, 'string']);
const code = ['code', 'number'];

const kbps = ['kbps', numbers('recv_30s', 'send_30s')];
const traffic = [...numbers('send_bytes', 'recv_bytes'), kbps];
const envelope = [code, ['server', 'number'], ['silent_workers', []]];
const place = numbers('total', 'start', 'count');
const publisher = [...numbers('cid', 'pid', 'worker'), ...strings('ip')];

const vhost = [
  ...strings('id', 'name'),
  ['enabled', 'boolean'],
  ...numbers('clients', 'streams'),
  ...traffic,
  ['hls', [['enabled', 'boolean'], ...numbers('fragment')]],
];

const push = [
  ...strings('kind', 'source', 'destination', 'state'),
  ...numbers('connects', 'sent_frames', 'sent_bytes', 'dropped_frames'),
  ...strings('last_error'),
];

const forward = [...strings('stream', 'vhost', 'app', 'name', 'url'), ...push];

const stream = [
  ...strings('id', 'name', 'vhost', 'app', 'tcUrl', 'url'),
  ...numbers('live_ms', 'alive', 'clients', 'players', 'frames', 'audio_frames'),
  ...traffic,
  ['publish', [['active', 'boolean'], ...publisher]],
  ['video', [...strings('codec', 'profile', 'level'), ...numbers('width', 'height')]],
  ['audio', [...strings('codec'), ...numbers('sample_rate', 'channel'), ...strings('profile')]],
  ['pull', [...strings('origin', 'protocol', 'state'), ...numbers('state_seconds', 'starts'), ...strings('last_error')]],
  ['forwards', [push]],
  ...numbers('dropped_frames', 'cuts', 'player_dropped_frames', 'pending_bytes', 'lag_bytes', 'flush_interval_ms'),
  ['workers', [numbers('worker', 'players', 'players_in_step', 'flush_interval_ms', 'lag_bytes')]],
];

const client = [
  ...numbers('id'),
  ...strings('vhost', 'stream', 'ip', 'pageUrl', 'swfUrl', 'tcUrl', 'url', 'name', 'type'),
  ['publish', 'boolean'],
  ...numbers('alive', 'bytes'),
  ...traffic,
  ...strings('flashVer', 'protocol'),
  ...numbers('worker', 'pid', 'source_id'),
  ['source', publisher],
  ...numbers('dropped_frames', 'cuts', 'pending_bytes', 'lag_bytes'),
  ['in_step', 'boolean'],
  ['paused', 'boolean'],
];

const self = [
  ...strings('version'),
  ...numbers('pid', 'ppid'),
  ...strings('argv', 'cwd'),
  ...numbers('mem_kbyte', 'mem_percent', 'cpu_percent', 'srs_uptime'),
];
const system = numbers(
  'cpu_percent disk_read_KBps disk_write_KBps disk_busy_percent mem_ram_kbyte mem_ram_percent',
  'mem_swap_kbyte mem_swap_percent cpus cpus_online uptime ilde_time load_1m load_5m load_15m',
  'net_sample_time net_recv_bytes net_send_bytes srs_sample_time srs_recv_bytes srs_send_bytes',
  'srs_recv_kbps srs_send_kbps conn_sys conn_sys_et conn_sys_tw conn_sys_udp conn_srs',
);
const rusages = numbers(
  'sample_time ru_utime ru_stime ru_maxrss ru_ixrss ru_idrss ru_isrss ru_minflt ru_majflt ru_nswap',
  'ru_inblock ru_oublock ru_msgsnd ru_msgrcv ru_nsignals ru_nvcsw ru_nivcsw',
);
const processStat = [
  ...numbers('sample_time', 'percent', 'pid'),
  ...strings('comm', 'state'),
  ...numbers(
    'ppid pgrp session tty_nr tpgid flags minflt cminflt majflt cmajflt utime stime',
    'cutime cstime priority nice num_threads itrealvalue starttime vsize rss rsslim startcode',
    'endcode startstack kstkesp kstkeip signal blocked sigignore sigcatch wchan nswap cnswap',
    'exit_signal processor rt_priority policy delayacct_blkio_ticks guest_time cguest_time',
  ),
];
const cpu = numbers('sample_time', 'percent', 'user', 'nice', 'sys', 'idle', 'iowait', 'irq', 'softirq', 'steal', 'guest');
const memory = numbers(
  'sample_time percent_ram percent_swap MemActive RealInUse NotInUse MemTotal MemFree Buffers',
  'Cached SwapTotal SwapFree',
);
const urls = strings(
  'versions summaries rusages self_proc_stats system_proc_stats meminfos authors requests',
  'features vhosts streams clients forwards clusters reload raw',
);
const ok = ['ok', 'boolean'];

/** Every path with the fields of its answer, in their order. */
const documents: readonly (readonly [path: string, shape: unknown])[] = [
  ['/', [code, ['urls', strings('api')]]],
  ['/api', [code, ['urls', strings('v1')]]],
  ['/api/v1', [code, ['urls', urls]]],
  ['/api/v1/versions', [code, ['data', [...numbers('major', 'minor', 'revision'), ...strings('version')]]]],
  ['/api/v1/authors', [code, ['data', strings('primary', 'authors', 'contributors_link', 'contributors')]]],
  [
    '/api/v1/requests',
    [
      code,
      [
        'data',
        [
          ...strings('uri', 'path', 'METHOD'),
          ['headers', strings('host', 'connection')],
          ['server', [...strings('sigature', 'name', 'version', 'link'), ...numbers('time')]],
        ],
      ],
    ],
  ],
  ['/api/v1/summaries', [code, ['data', [ok, ...numbers('now_ms'), ['self', self], ['system', system]]]]],
  ['/api/v1/rusages', [code, ['data', [ok, ...rusages]]]],
  ['/api/v1/self_proc_stats', [code, ['data', [ok, ...processStat]]]],
  ['/api/v1/system_proc_stats', [code, ['data', [ok, ...cpu]]]],
  ['/api/v1/meminfos', [code, ['data', [ok, ...memory]]]],
  [
    '/api/v1/features',
    [
      code,
      [
        'data',
        [
          [
            'features',
            [
              ['rtmp', 'boolean'],
              ['hls', 'boolean'],
            ],
          ],
        ],
      ],
    ],
  ],
  ['/api/v1/vhosts', [...envelope, ['vhosts', [vhost]]]],
  ['/api/v1/vhosts/__defaultVhost__', [...envelope, ['vhost', vhost]]],
  ['/api/v1/streams', [...envelope, ...place, ['streams', [stream]]]],
  ['/api/v1/forwards', [...envelope, ...place, ['forwards', [forward]]]],
  ['/api/v1/clients', [...envelope, ...place, ['clients', [client]]]],
  ['/api/v1/clients/300', [...envelope, ['client', client]]],
];

const pull = {
  origin: '10.0.0.9:1935',
  protocol: 'rtmp',
  state: 'pulling',
  stateSeconds: 7,
  starts: 2,
  lastError: 'why',
  peer: null,
} as const;
const streams = [streamOf('__defaultVhost__/live/one', { pull, pushes: [pushOf('10.0.0.7:1935')] })];
const clients = [clientOf(300)];
const rowsOf = <T>({ body }: Answer, name: string): readonly T[] => (body as Record<string, readonly T[]>)[name] ?? [];

it.each(documents)('%s has all its fields, in order, with their types', async (path, shape) => {
  await using api = await TestApi.start({ streams, clients });
  const { status, headers, body } = await api.ask(path);
  expect([status, headers['content-type'], headers.server]).toEqual([200, 'application/json;charset=utf-8', 'SRS/2.1.3']);
  expect(shapeOf(body)).toEqual(shape);
  expect(body).toMatchObject({ code: 0 });
});

it('a path is the same with more slashes, and with a query', async () => {
  await using api = await TestApi.start();
  const plain = await api.ask('/api/v1/versions');
  expect((await api.ask('//api///v1/versions/')).body).toEqual(plain.body);
  expect((await api.ask('/api/v1/versions?x=/nothing')).body).toEqual(plain.body);
  expect(plain.body).toEqual({ code: 0, data: { major: 2, minor: 1, revision: 3, version: '2.1.3' } });
});

it.each([
  ['POST', 'POST'],
  ['PUT', 'PUT'],
  ['DELETE', 'DELETE'],
  ['PATCH', 28],
])('the endpoints of SRS 1.0 do not ask for the method: %s', async (method, told) => {
  await using api = await TestApi.start();
  const { status, body } = await api.ask('/api/v1/requests', {
    method,
    body: '{ no json',
    headers: { 'content-type': 'application/json' },
  });
  expect(status).toBe(200);
  expect(body).toMatchObject({ data: { METHOD: told, path: '/api/v1/requests' } });
});

it('what a request says is repeated as it was, but for its secrets', async () => {
  await using api = await TestApi.start();
  const { body } = await api.ask('//api/v1/requests/?a="b', {
    headers: { 'x-quote': 'a "quote"', authorization: 'Bearer secret', cookie: 'secret' },
  });
  expect(body).toMatchObject({
    data: {
      uri: '//api/v1/requests/?a="b',
      headers: { 'x-quote': 'a "quote"', authorization: '***', cookie: '***' },
      server: { sigature: 'SRS', name: 'SRS(Simple RTMP Server)', version: '2.1.3', link: 'http://site/' },
    },
  });
});

it('the traffic of the workers stands in the summaries', async () => {
  await using api = await TestApi.start();
  expect((await api.ask('/api/v1/summaries')).body).toMatchObject({
    data: {
      ok: true,
      self: { pid: process.pid },
      system: { srs_recv_bytes: 11, srs_send_bytes: 22, srs_recv_kbps: 33, srs_send_kbps: 44, conn_srs: 55 },
    },
  });
});

it('a stream is told with its publisher, its codecs and its players by worker', async () => {
  await using api = await TestApi.start({
    streams: [streamOf('__defaultVhost__/live/one'), streamOf('a.com/x/y/two', { publisher: null, video: null, audio: null })],
  });
  const [one, two] = rowsOf<Record<string, unknown>>(await api.ask('/api/v1/streams'), 'streams');
  expect(one).toMatchObject({
    name: 'one',
    app: 'live',
    url: '/live/one',
    tcUrl: 'rtmp://__defaultVhost__/live',
    clients: 3,
    players: 2,
    frames: 250,
    send_bytes: 2000,
    recv_bytes: 1000,
    kbps: { recv_30s: 500, send_30s: 1000 },
    publish: { active: true, cid: 200, pid: 1001, worker: 1, ip: '10.0.0.1' },
    video: { codec: 'H264', profile: 'High', level: '3.1', width: 1280, height: 720 },
    audio: { codec: 'AAC', sample_rate: 44_100, channel: 2, profile: 'LC' },
    workers: [{ worker: 2, players: 2, players_in_step: 1, flush_interval_ms: 8, lag_bytes: 7 }],
  });
  expect(two).toMatchObject({
    name: 'two',
    app: 'x/y',
    url: 'a.com/x/y/two',
    publish: { active: false, cid: -1, worker: -1 },
    video: null,
    audio: null,
  });
  expect((await api.ask(`/api/v1/streams/${String(one?.id)}`)).body).toMatchObject({ stream: { id: one?.id, name: 'one' } });
});

it('a stream has the same id in every process', async () => {
  const ids: unknown[] = [];
  for (const more of [{}, { clients: 9, publisher: null }]) {
    await using api = await TestApi.start({ streams: [streamOf('v/a/s', more)] });
    ids.push(rowsOf<{ id: string }>(await api.ask('/api/v1/streams'), 'streams')[0]?.id);
  }
  expect(ids[0]).toBe(ids[1]);
});

it('a vhost adds up its streams; one that is only configured has none', async () => {
  await using api = await TestApi.start({
    vhosts: 'vhost a.com { hls { enabled on; hls_fragment 5; } } vhost b.com { enabled off; }',
    streams: [streamOf('a.com/live/one'), streamOf('a.com/live/two'), streamOf('gone.com/live/one')],
  });
  expect(rowsOf(await api.ask('/api/v1/vhosts'), 'vhosts')).toMatchObject([
    {
      name: 'a.com',
      enabled: true,
      clients: 6,
      streams: 2,
      send_bytes: 4000,
      recv_bytes: 2000,
      kbps: { recv_30s: 1000, send_30s: 2000 },
      hls: { enabled: true, fragment: 5 },
    },
    { name: 'b.com', enabled: false, clients: 0, streams: 0, hls: { enabled: false, fragment: 0 } },
    { name: 'gone.com', enabled: false, clients: 3, streams: 1 },
  ]);
});

it('a client is told with the chain to its publisher', async () => {
  await using api = await TestApi.start({
    clients: [clientOf(300), clientOf(301, { type: 'unknown', vhost: '', app: '', stream: '', streamId: '', source: null })],
  });
  const stream = rowsOf<{ id: string; vhost: string }>(
    await (async () => {
      await using other = await TestApi.start({ streams });
      return await other.ask('/api/v1/streams');
    })(),
    'streams',
  )[0];
  expect(rowsOf(await api.ask('/api/v1/clients'), 'clients')).toMatchObject([
    {
      id: 300,
      vhost: stream?.vhost,
      stream: stream?.id,
      url: '/live/one',
      type: 'Play',
      publish: false,
      alive: 10,
      bytes: 300,
      worker: 2,
      pid: 1002,
      source_id: 200,
      source: { cid: 200, pid: 1001, worker: 1, ip: '10.0.0.1' },
    },
    { id: 301, vhost: '', stream: '', url: '', type: 'Unknown', source_id: -1, source: null },
  ]);
});

it.each([
  ['fmle', 'publish(FMLEPublish)'],
  ['flash', 'publish(FlashPublish)'],
])('a publisher of the %s way is a %s', async (dialect, type) => {
  await using api = await TestApi.start({ clients: [clientOf(1, { type: 'publish', dialect })] });
  expect(rowsOf(await api.ask('/api/v1/clients'), 'clients')).toMatchObject([{ type, publish: true }]);
});

it('another server is told where a stream is that is published here', async () => {
  const asked: (readonly string[])[] = [];
  await using api = await TestApi.start({
    placeOf: async (streamId, seenAs) => {
      asked.push([streamId, seenAs]);
      if (streamId !== '__defaultVhost__/live/one') return null;
      return { address: { host: '10.0.0.1', port: 1935 }, instanceId: 'here', cid: 105, hops: ['first'] };
    },
  });
  const ask = async (query: string) => (await api.ask(`/api/v1/clusters?${query}`)).body;
  expect(await ask('vhost=unknown.com&ip=10.0.0.9&app=live&stream=one&coworker=10.0.0.1:1985')).toEqual({
    code: 0,
    data: {
      query: { ip: '10.0.0.9', vhost: 'unknown.com', app: 'live', stream: 'one' },
      origin: {
        ip: '10.0.0.1',
        port: 1935,
        vhost: '__defaultVhost__',
        api: '10.0.0.1:1985',
        routers: ['10.0.0.1:1985'],
        instance: 'here',
        id: 105,
        hops: ['first'],
      },
    },
  });
  expect(await ask('app=live&stream=two&coworker=[::1]:1985')).toMatchObject({ code: 0, data: { origin: null } });
  expect(await ask('vhost=other.com&app=live&stream=one')).toMatchObject({ data: { origin: null } });
  expect(await ask('')).toMatchObject({ data: { query: { ip: '', vhost: '', app: '', stream: '' }, origin: null } });
  expect(asked).toEqual([
    ['__defaultVhost__/live/one', '10.0.0.1'],
    ['__defaultVhost__/live/two', '::1'],
    ['__defaultVhost__//', ''],
  ]);
});

it('lists come in parts of ten at least', async () => {
  const many = Array.from({ length: 25 }, (_, index) => clientOf(index));
  await using api = await TestApi.start({ clients: many, streams: many.map(({ id }) => streamOf(`v/a/${id}`)) });
  for (const name of ['clients', 'streams']) {
    expect((await api.ask(`/api/v1/${name}`)).body).toMatchObject({ total: 25, start: 0, count: 10, [name]: { length: 10 } });
    expect((await api.ask(`/api/v1/${name}?count=1`)).body).toMatchObject({ count: 10 });
    expect((await api.ask(`/api/v1/${name}?start=20&count=100`)).body).toMatchObject({ total: 25, start: 20, count: 5 });
    expect((await api.ask(`/api/v1/${name}?start=100`)).body).toMatchObject({ total: 25, start: 100, count: 0, [name]: [] });
  }
});

it('names the workers whose figures are missing', async () => {
  const silent = [{ slot: 3, role: 'stream', pid: 1003, problem: 'no answer within 1000 ms' }];
  await using api = await TestApi.start({
    view: { streams: async () => ({ streams, silent }), client: async () => ({ found: null, silent }) },
  });
  const named = { silent_workers: [{ worker: 3, role: 'stream', pid: 1003, problem: 'no answer within 1000 ms' }] };
  for (const path of ['/api/v1/streams', '/api/v1/vhosts'])
    expect((await api.ask(path)).body).toMatchObject({ code: 0, ...named });
  expect((await api.ask('/api/v1/clients/5')).body).toMatchObject({
    code: 2049,
    data: { status_code: 404, error: 'client 5 is not there, as far as can be told without worker 3, which does not answer' },
  });
});

it('a name that looks like a page is JSON all the same', async () => {
  const name = 'v/a/<script>"alert(1)"</script>';
  await using api = await TestApi.start({
    streams: [streamOf(name)],
    clients: [clientOf(1, { pageUrl: '"><script>', flashVer: '\u2028\0' })],
  });
  const answer = await api.ask('/api/v1/streams');
  expect(answer.headers).toMatchObject({ 'content-type': 'application/json;charset=utf-8', 'x-content-type-options': 'nosniff' });
  expect(rowsOf(answer, 'streams')).toMatchObject([{ name: 'script>', app: 'a/<script>"alert(1)"<' }]);
  expect(rowsOf(await api.ask('/api/v1/clients'), 'clients')).toMatchObject([{ pageUrl: '"><script>', flashVer: '\u2028\0' }]);
});

it('describes itself: every path with its methods and answers', async () => {
  await using api = await TestApi.start();
  const { body } = await api.ask('/api/v1/openapi.json');
  const { openapi, paths } = body as { openapi: string; paths: Record<string, Record<string, { responses: object }>> };
  expect(openapi).toBe('3.0.3');
  expect(
    Object.entries(paths)
      .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`))
      .sort(),
  ).toEqual([
    'delete /api/v1/clients/{id}',
    'delete /api/v1/forwards',
    'get /',
    'get /api',
    'get /api/v1',
    'get /api/v1/authors',
    'get /api/v1/clients',
    'get /api/v1/clients/{id}',
    'get /api/v1/clusters',
    'get /api/v1/features',
    'get /api/v1/forwards',
    'get /api/v1/meminfos',
    'get /api/v1/raw',
    'get /api/v1/requests',
    'get /api/v1/rusages',
    'get /api/v1/self_proc_stats',
    'get /api/v1/streams',
    'get /api/v1/streams/{id}',
    'get /api/v1/summaries',
    'get /api/v1/system_proc_stats',
    'get /api/v1/versions',
    'get /api/v1/vhosts',
    'get /api/v1/vhosts/{id}',
    'post /api/v1/forwards',
    'post /api/v1/reload',
    'post /api/v1/streams/{id}/record',
  ]);
  expect(paths['/api/v1/streams']?.get?.responses).toHaveProperty('200.content.application/json.schema.properties.streams');
});
