/** The documents of the API beside those of the system: names and spellings as SRS has them. */
import { defaultVhostName } from '@srs/config';
import { type Static, type TObject, type TProperties, type TSchema, Type } from 'typebox';

const integer = (description?: string) => Type.Integer(description === undefined ? {} : { description });
const text = (description?: string) => Type.String(description === undefined ? {} : { description });
const seconds = (description: string) => Type.Number({ description });

/** Null, or the object. The serializer takes `nullable` a great deal faster than a union. */
function nullable<T extends TProperties>(object: TObject<T>) {
  return Type.Unsafe<Static<TObject<T>> | null>({ ...object, nullable: true });
}

/** A good answer. */
function answerSchema<T extends TProperties>(fields: T) {
  return Type.Object({ code: Type.Literal(0), ...fields });
}

export const dataSchema = <T extends TSchema>(data: T) => answerSchema({ data });

const urls = <Name extends string>(...names: readonly Name[]) => {
  const fields = Object.fromEntries(names.map((name) => [name, text()])) as Record<Name, ReturnType<typeof text>>;
  return answerSchema({ urls: Type.Object(fields) });
};

export const rootSchema = urls('api');
export const apiSchema = urls('v1');
export const v1Schema = urls(
  'versions',
  'summaries',
  'rusages',
  'self_proc_stats',
  'system_proc_stats',
  'meminfos',
  'authors',
  'requests',
  'features',
  'vhosts',
  'streams',
  'clients',
  'forwards',
  'clusters',
  'reload',
  'raw',
);

export const versionsSchema = dataSchema(
  Type.Object({ major: integer(), minor: integer(), revision: integer(), version: text('major.minor.revision') }),
);

export const authorsSchema = dataSchema(
  Type.Object({ primary: text(), authors: text(), contributors_link: text(), contributors: text() }),
);

export const requestsSchema = dataSchema(
  Type.Object({
    uri: text('As it was sent.'),
    path: text('As it was compared.'),
    METHOD: Type.Unsafe<string | number>({ description: 'GET, POST, PUT or DELETE; a number for others.' }),
    headers: Type.Record(Type.String(), Type.String()),
    server: Type.Object({
      sigature: text(),
      name: text(),
      version: text(),
      link: text(),
      time: integer('Milliseconds since 1970.'),
    }),
  }),
);

export const featuresSchema = dataSchema(
  Type.Object({ features: Type.Record(Type.String(), Type.Boolean(), { description: 'What this server can do.' }) }),
);

const kbps = Type.Object(
  { recv_30s: integer(), send_30s: integer() },
  { description: 'Kilobits per second in the last full 30 s; 0 before that.' },
);

const traffic = {
  send_bytes: integer('To clients, since the server knows them.'),
  recv_bytes: integer('From clients.'),
  kbps,
};

const publisherFields = {
  cid: integer('Trackable id of the connection that publishes; -1 when there is none.'),
  pid: integer('Process that it is connected to.'),
  worker: integer('Slot of that process; -1 when there is none.'),
  ip: text(),
};

const vhostFields = Type.Object({
  id: text('The same for a name always.'),
  name: text(),
  enabled: Type.Boolean(),
  clients: integer('Connections that publish or play.'),
  streams: integer('That are published or played.'),
  ...traffic,
  hls: Type.Object({ enabled: Type.Boolean(), fragment: seconds('Of a segment, if enabled; else 0.') }),
});

const pushFields = {
  kind: text('forward, or edge push: of an edge to its origins.'),
  source: text('Who wants it: config, backend (the answer of a hook) or api (a request).'),
  destination: text('host:port, or a URL without its secrets.'),
  state: text('connecting, publishing, waiting (for the next try) or closed (it is not tried any more).'),
  connects: integer('How often the other server has begun to take the stream.'),
  sent_frames: integer(),
  sent_bytes: integer(),
  dropped_frames: integer('Left out because the other server was slow, or away after it had been there.'),
  last_error: text('Why the last try or connection ended; empty when none has.'),
};

const streamFields = Type.Object({
  id: text('The same for a vhost, app and stream always, whichever worker has it.'),
  name: text(),
  vhost: text('Id of its vhost.'),
  app: text(),
  tcUrl: text('rtmp://VHOST/APP'),
  url: text('/APP/STREAM, with the vhost in front unless that is the default one.'),
  live_ms: integer('When these figures were taken, in milliseconds since 1970.'),
  alive: seconds('Seconds since the publish began; 0 while nobody publishes.'),
  clients: integer('Connections that publish or play it, on all workers.'),
  players: integer(),
  frames: integer('Pictures of the current publish.'),
  audio_frames: integer(),
  ...traffic,
  publish: Type.Object({ active: Type.Boolean(), ...publisherFields }),
  video: nullable(Type.Object({ codec: text(), profile: text(), level: text(), width: integer(), height: integer() })),
  audio: nullable(Type.Object({ codec: text(), sample_rate: integer('Hz'), channel: integer(), profile: text() })),
  pull: nullable(
    Type.Object(
      {
        origin: text('host:port of the server that it is got from, or was asked for last.'),
        protocol: text('rtmp, flv or flvs; empty before the server has answered.'),
        state: text('connecting, connected (nothing has come yet), pulling, waiting (for the next try) or closed.'),
        state_seconds: seconds('For so long it has been in that state.'),
        starts: integer('How often media has begun to come.'),
        last_error: text('Why the last try or connection ended; empty when none has.'),
      },
      { description: 'How it is got from another server; null for a stream that is not.' },
    ),
  ),
  forwards: Type.Array(Type.Object(pushFields), { description: 'The servers that it is pushed to.' }),
  dropped_frames: integer('That the publisher sent and the ring had no room for.'),
  cuts: integer('Times that frames were left out for a player that was late.'),
  player_dropped_frames: integer('How many those were.'),
  pending_bytes: integer('In the sockets of its players.'),
  lag_bytes: integer('In the ring, still to be read by the slowest worker.'),
  flush_interval_ms: integer('How long frames are collected at the moment, on the worker where that is longest.'),
  workers: Type.Array(
    Type.Object({
      worker: integer('Slot.'),
      players: integer(),
      players_in_step: integer(),
      flush_interval_ms: integer(),
      lag_bytes: integer(),
    }),
    { description: 'Its players by worker.' },
  ),
});

const clientFields = Type.Object({
  id: integer('The trackable id that its lines in the log have.'),
  vhost: text('Id of its vhost; empty before connect.'),
  stream: text('Id of its stream; empty before publish or play.'),
  ip: text(),
  pageUrl: text(),
  swfUrl: text(),
  tcUrl: text('Without secrets.'),
  url: text('Of the stream, as there.'),
  name: text('Of the stream.'),
  type: text('Play, publish(FMLEPublish), publish(FlashPublish) or Unknown.'),
  publish: Type.Boolean(),
  alive: seconds('Seconds since it connected.'),
  bytes: integer('Both ways.'),
  ...traffic,
  flashVer: text('What the client calls itself: flashVer of RTMP, User-Agent of HTTP.'),
  protocol: text('rtmp, http-post, hls; http-flv, http-ts, http-aac, http-mp3, and the same with ws for WebSockets.'),
  worker: integer('Slot of the process that it is connected to.'),
  pid: integer('Of that process.'),
  source_id: integer('Trackable id of the publisher it is fed from; its own when it publishes, -1 when there is none.'),
  source: nullable(Type.Object(publisherFields, { description: 'That publisher.' })),
  dropped_frames: integer('Left out for this player because it was late.'),
  cuts: integer('How often.'),
  pending_bytes: integer('That its socket has not taken yet.'),
  lag_bytes: integer('In the ring, still to be sent to it; 0 in step.'),
  in_step: Type.Boolean({ description: 'It gets every batch as it is made.' }),
  paused: Type.Boolean(),
});

const silentWorkers = Type.Array(Type.Object({ worker: integer('Slot.'), role: text(), pid: integer(), problem: text() }), {
  description: 'Workers that did not answer in time: their figures are missing.',
});

const envelope = { server: integer('Pid of the master process.'), silent_workers: silentWorkers };
const page = {
  total: integer('Length of the whole list.'),
  start: integer('Index of the first element here.'),
  count: integer('Elements here.'),
};

export const vhostsSchema = answerSchema({ ...envelope, vhosts: Type.Array(vhostFields) });
export const vhostSchema = answerSchema({ ...envelope, vhost: vhostFields });
export const streamsSchema = answerSchema({ ...envelope, ...page, streams: Type.Array(streamFields) });
export const streamSchema = answerSchema({ ...envelope, stream: streamFields });
export const clientsSchema = answerSchema({ ...envelope, ...page, clients: Type.Array(clientFields) });
export const clientSchema = answerSchema({ ...envelope, client: clientFields });
export const doneSchema = answerSchema({});

const forwardFields = Type.Object({
  stream: text('Id of the stream.'),
  vhost: text('Id of its vhost.'),
  app: text(),
  name: text('Of the stream.'),
  url: text('Of the stream, as there.'),
  ...pushFields,
});

export const forwardsSchema = answerSchema({ ...envelope, ...page, forwards: Type.Array(forwardFields) });
export const forwardAddedSchema = answerSchema({
  added: Type.Boolean({ description: 'False when the stream is pushed there already.' }),
});

export type VhostDocument = Static<typeof vhostFields>;
export type StreamDocument = Static<typeof streamFields>;
export type ForwardDocument = Static<typeof forwardFields>;
export type ClientDocument = Static<typeof clientFields>;

export const MIN_LIST_COUNT = 10;
const MAX_LIST_COUNT = 10_000;

export const clustersQuerySchema = Type.Object({
  vhost: Type.String({ default: '' }),
  app: Type.String({ default: '' }),
  stream: Type.String({ default: '' }),
  ip: Type.String({ default: '', description: 'Comes back in the answer.' }),
  coworker: Type.String({
    default: '',
    description: 'host:port of this API as the asker knows it: the host counts where `listen` names none.',
  }),
});

export const clustersSchema = dataSchema(
  Type.Object({
    query: Type.Object({ ip: text(), vhost: text(), app: text(), stream: text() }),
    origin: nullable(
      Type.Object({
        ip: text('Where the stream is got over RTMP.'),
        port: integer(),
        vhost: text('That it belongs to here.'),
        api: text('host:port of the API.'),
        routers: Type.Array(text(), { description: 'The APIs on the way to the stream: this one.' }),
        instance: text('Names this server until its end.'),
        id: integer('Of the publisher, in the log.'),
        hops: Type.Array(text(), { description: 'Instances that the stream has passed through before.' }),
      }),
    ),
  }),
);

export const listQuerySchema = Type.Object({
  start: Type.Integer({ minimum: 0, default: 0, description: 'Index of the first element.' }),
  count: Type.Integer({
    minimum: 0,
    maximum: MAX_LIST_COUNT,
    default: MIN_LIST_COUNT,
    description: `At most so many elements; ${MIN_LIST_COUNT} when it is less.`,
  }),
});

export const forwardsQuerySchema = Type.Object({
  ...listQuerySchema.properties,
  vhost: Type.Optional(Type.String({ description: 'Only of this vhost: its id or name.' })),
  stream: Type.Optional(Type.String({ description: 'Only of this stream: its id, or the name of all streams that have it.' })),
});

const MAX_NAME_LENGTH = 1024;
const MAX_DESTINATION_LENGTH = 4096;
const required = (description: string, maxLength: number) => Type.String({ minLength: 1, maxLength, description });

/** One destination of one stream. */
export const forwardSchema = Type.Object({
  vhost: Type.String({ minLength: 1, maxLength: MAX_NAME_LENGTH, default: defaultVhostName }),
  app: required('Of the stream.', MAX_NAME_LENGTH),
  stream: required('Its name.', MAX_NAME_LENGTH),
  destination: required('host[:port], or rtmp://host[:port]/app/stream, or the same with rtmps.', MAX_DESTINATION_LENGTH),
});

export const recordQuerySchema = Type.Object({
  on: Type.Union([Type.Literal('true'), Type.Literal('false'), Type.Literal('auto')], {
    description: 'true records it, false does not, auto goes back to what the configuration says.',
  }),
});

export const idParamsSchema = Type.Object({ id: Type.String({ maxLength: 64 }) });
export const clientIdParamsSchema = Type.Object({ id: Type.Integer({ minimum: 0 }) });

export const reloadSchema = dataSchema(
  Type.Object({
    isApplied: Type.Boolean({
      description: 'False for a dry run, and when there are problems: then nothing has changed anywhere.',
    }),
    isDryRun: Type.Boolean(),
    version: integer('Of the configuration in force.'),
    file: text(),
    changes: Type.Array(Type.Object({ kind: text(), directive: text(), live: text('When the change counts.') })),
    problems: Type.Array(Type.String()),
    workers: Type.Array(
      Type.Object({
        slot: integer(),
        role: text(),
        pid: integer(),
        isApplied: Type.Boolean(),
        detail: Type.Unsafe<string | null>({ type: 'string', nullable: true }),
      }),
    ),
  }),
);
