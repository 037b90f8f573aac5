/** What can be wrong with a stream on its way in: publisher, encoder, ring. */
import { bytesText, durationText, shortStreamName } from '../cli-text.ts';
import type { Facts } from './explain-facts.ts';
import { counted, type Finding, note, problem, type Rule, warning } from './explain-finding.ts';
import { nearStreams } from './explain-subject.ts';

/** A publisher shorter there than this may not have sent everything yet. */
const YOUNG_SECONDS = 5;
/** The windows of its rates are filled then. */
const SETTLED_SECONDS = 40;
/** A joiner is given all since the newest key frame: more than this is a late picture or a burst. */
const LONG_GOP_SECONDS = 5;

const KEY_FRAME_ADVICE = 'let the encoder make a key frame every 2 s (ffmpeg: -g with twice the frames per second)';

/** How much of the stream lies between its newest key frame and now; undefined when that cannot be told. */
function gopSeconds({ stream, inputKbps }: Facts): number | undefined {
  const gopBytes = stream?.ring?.gopBytes;
  if (gopBytes === undefined || inputKbps === undefined || inputKbps === 0) return undefined;
  return (gopBytes * 8) / 1000 / inputKbps;
}

const nobodyPublishes: Rule<Facts> = ({ stream, streamId, published, client }) => {
  if (streamId === '' || client?.type === 'publish' || (stream !== undefined && stream.publisher !== null)) return undefined;
  if (stream?.pull != null) return undefined;
  const near = nearStreams(streamId, published).map(shortStreamName);
  const advice =
    near.length === 0
      ? `start the encoder on ${shortStreamName(streamId)}; srs-cli streams lists what is published`
      : `published ${near.length === 1 ? 'is' : 'are'} ${near.join(', ')}: correct the address of the player, or of the encoder`;
  const players = stream?.players ?? 0;
  const waiting = client === undefined ? `${counted(players, 'player')} ${players === 1 ? 'waits' : 'wait'}` : 'the player waits';
  const who = client === undefined && players === 0 ? '' : `; ${waiting} for it`;
  const what = `nobody publishes ${shortStreamName(streamId)}${who}`;
  return client === undefined && players === 0 ? warning(what, advice) : problem(what, advice);
};

const missingAtOrigin: Rule<Facts> = ({ stream }) => {
  const pull = stream?.pull;
  if (pull == null || pull.state === 'pulling') return undefined;
  const why = pull.lastError === '' ? '' : `: ${pull.lastError}`;
  if (pull.origin === '') {
    return problem(
      `no server of the cluster is known to have the stream${why}`,
      'start the encoder on one of them; srs-cli status tells whether the registry is reached',
    );
  }
  return problem(
    `no origin gives the stream at the moment (${pull.origin}, ${pull.state})${why}`,
    'publish it on an origin, or correct origin; srs-cli explain on the origin tells what it knows of the stream',
  );
};

/** What to change about a push that should not be. */
const pushRemedies = {
  config: 'correct forward',
  backend: 'let the backend of forward name another one',
  api: 'take it away with srs-cli forward remove',
};

const missingPushes: Rule<Facts> = ({ stream }) =>
  stream?.pushes.flatMap(({ kind, source, destination, state, lastError, droppedFrames }): Finding[] => {
    const why = lastError === '' ? '' : `: ${lastError}`;
    if (state !== 'publishing') {
      const remedy = kind === 'edge push' ? 'correct origin' : pushRemedies[source];
      return [
        warning(`${destination} does not get it (${kind}, ${state})${why}`, `look at that server and its log, or ${remedy}`),
      ];
    }
    if (droppedFrames === 0) return [];
    const what = `${destination} was too slow or away: ${counted(droppedFrames, 'frame')} left out for it`;
    return [warning(what, 'look at the network to it, and at its load')];
  });

const silentPublisher: Rule<Facts> = ({ stream, setting }) => {
  const input = stream?.input;
  if (input == null || input.aliveSeconds < SETTLED_SECONDS || input.recvKbps.last30s > 0) return undefined;
  const limit = setting('publish / normal_timeout');
  return problem(
    'the publisher has sent nothing in the last 30 s',
    `look at the encoder and its network; publish { normal_timeout }${limit === undefined ? '' : `, now ${limit},`} lets such publishers go`,
  );
};

const missingKeyFrames: Rule<Facts> = (facts) => {
  const { stream, setting } = facts;
  const input = stream?.input;
  if (input == null || stream?.ring == null || input.videoFrames === 0) return undefined;
  if (stream.ring.gopBytes === 0 && input.aliveSeconds > YOUNG_SECONDS) {
    return problem('there is no key frame in the ring: who joins now waits for the next one', KEY_FRAME_ADVICE);
  }
  const seconds = gopSeconds(facts);
  if (seconds === undefined || seconds < LONG_GOP_SECONDS) return undefined;
  const what = `the newest key frame is about ${seconds.toFixed(0)} s old: `;
  return setting('gop_cache') === 'off'
    ? warning(`${what}who joins now waits for the next one`, `${KEY_FRAME_ADVICE}, or gop_cache on`)
    : warning(
        `${what}who joins now is given ${bytesText(stream.ring.gopBytes)} at once and starts that far back`,
        KEY_FRAME_ADVICE,
      );
};

const framesWithoutRoom: Rule<Facts> = ({ stream, setting }) => {
  const dropped = stream?.input?.droppedFrames ?? 0;
  if (dropped === 0) return undefined;
  const max = setting('ring / max_size');
  return problem(
    `${counted(dropped, 'frame')} of the publisher had no room in the ring and are lost to everybody`,
    `ring { max_size${max === undefined ? '' : ` (now ${max})`} } and ring { memory } bound it; a lower bit rate or more frequent key frames need less`,
  );
};

const correctedTime: Rule<Facts> = ({ stream, setting }) => {
  const count = stream?.input?.correctedTimestamps ?? 0;
  if (count === 0) return undefined;
  const jitter = setting('time_jitter');
  return warning(
    `${counted(count, 'timestamp')} of the encoder jumped and ${count === 1 ? 'was' : 'were'} put right`,
    `look at the clock and the looping of the encoder; time_jitter${jitter === undefined ? '' : ` (now ${jitter})`} says how they are put right`,
  );
};

const oneKindOnly: Rule<Facts> = ({ stream }) => {
  const input = stream?.input;
  if (input == null || input.aliveSeconds < YOUNG_SECONDS) return undefined;
  if (input.videoFrames + input.audioFrames === 0) {
    return problem(
      'the publisher has sent neither pictures nor sound',
      'look at the encoder: it is connected and sends no media',
    );
  }
  if (input.videoFrames === 0) return note('the stream has sound only');
  return input.audioFrames === 0 ? note('the stream has pictures only') : undefined;
};

const lapped: Rule<Facts> = ({ stream, client }) =>
  stream?.readers
    .filter(({ worker, laps }) => laps > 0 && (client === undefined || client.worker === worker))
    .map(({ worker, laps }) =>
      warning(
        `worker ${worker} was overtaken by the publisher ${counted(laps, 'time')}: its players went on at a newer key frame`,
        'the worker was too busy or was stopped for a while: more stream workers, or a larger ring { initial_size }',
      ),
    );

const newPublisher: Rule<Facts> = ({ stream }): Finding | undefined => {
  const alive = stream?.input?.aliveSeconds;
  return alive === undefined || alive >= SETTLED_SECONDS
    ? undefined
    : note(`it is published for ${durationText(alive)} only: rates are averages since then`);
};

const leaseOfOthers: Rule<Facts> = ({ stream }) => {
  switch (stream?.lease?.state) {
    case 'taken':
      return problem(
        `it is published here and at ${stream.lease.holder}, which holds its lease: viewers on other servers get that one`,
        'end one of the two publishers; the lease comes here when the other one has gone',
      );
    case 'asking':
      return warning(
        'the other servers do not know of it yet: the registry has not taken the announcement',
        'srs-cli status tells whether the registry is reached',
      );
    case 'copy':
      return note(`the other servers get it from ${stream.lease.holder}, which has sent it here`);
    case 'held':
      return note('the other servers get it from here');
    case undefined:
      return undefined;
  }
};

export const streamRules: readonly Rule<Facts>[] = [
  nobodyPublishes,
  missingAtOrigin,
  missingPushes,
  leaseOfOthers,
  silentPublisher,
  framesWithoutRoom,
  missingKeyFrames,
  correctedTime,
  oneKindOnly,
  lapped,
  newPublisher,
];
