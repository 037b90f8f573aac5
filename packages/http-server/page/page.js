// @ts-check
/** Connects the parts of the page: the list of streams, the choice, and the player. */
import { watchCatalogue } from './catalogue.js';
import { describePicture, describeSound, hasMediaSource } from './codecs.js';
import { elementOf, setText } from './elements.js';
import { Session } from './session.js';
import { nameOf, StreamList } from './stream-list.js';

/** @import { Catalogue, PlayerName, State, Stream } from './types.js' */

/** What `npm start` publishes. */
const TEST_STREAM = 'live/livestream';
const OWN_STREAM = 'live/mystream';
const TITLE = document.title;

const video = elementOf('video', HTMLVideoElement);
const curtain = elementOf('curtain', HTMLParagraphElement);
const sound = elementOf('sound', HTMLButtonElement);
const playerChoice = elementOf('players', HTMLFieldSetElement);
const list = new StreamList(elementOf('streams', HTMLUListElement), (name) => linkTo(name, playerName));
const session = new Session(video, showState);

/** @type {Catalogue} */
let catalogue = { rtmp: '', total: 0, streams: [] };
/** @type {string | undefined} */
let chosen;
/** @type {PlayerName} */
let playerName = hasMediaSource ? 'flv' : 'hls';

/** The choice stands in the address, so that it can be linked to; what is missing there stays as it was. */
function choose() {
  const parameters = new URLSearchParams(location.hash.slice(1));
  const player = parameters.get('player');
  if (player === 'flv' || player === 'ws' || player === 'hls') playerName = player;
  return parameters.get('stream') ?? chosen;
}

/**
 * @param {string | undefined} name
 * @param {PlayerName} player
 */
function linkTo(name, player) {
  return `#${new URLSearchParams({ ...(name === undefined ? {} : { stream: name }), player })}`;
}

function show() {
  const published = catalogue.streams.filter(({ isPublished }) => isPublished);
  const before = chosen;
  chosen = choose() ?? nameOfAny(published.find((stream) => nameOf(stream) === TEST_STREAM) ?? published[0]);
  const input = playerChoice.querySelector(`input[value=${playerName}]`);
  if (input instanceof HTMLInputElement) input.checked = true;
  const stream = streamOf(chosen);
  showStreams(published);
  showChosen(stream);
  session.update(stream, playerName, chosen !== before);
}

/** @param {Stream | undefined} stream */
function nameOfAny(stream) {
  return stream === undefined ? undefined : nameOf(stream);
}

/**
 * @param {string | undefined} name
 * @returns {Stream | undefined}
 */
function streamOf(name) {
  return name === undefined ? undefined : (catalogue.streams.find((stream) => nameOf(stream) === name) ?? unknownStream(name));
}

/**
 * @param {readonly Stream[]} published
 */
function showStreams(published) {
  list.show(published, chosen);
  elementOf('empty', HTMLParagraphElement).hidden = published.length > 0;
  const more = elementOf('more', HTMLParagraphElement);
  more.hidden = catalogue.total <= published.length;
  setText(more, `${published.length} of ${catalogue.total} streams are listed.`);
  const server = `${catalogue.rtmp}/live`;
  setText(elementOf('publish-server', HTMLElement), server);
  setText(elementOf('publish-ffmpeg', HTMLElement), `ffmpeg -re -i FILE.mp4 -c copy -f flv ${catalogue.rtmp}/${OWN_STREAM}`);
}

/** @param {Stream | undefined} stream */
function showChosen(stream) {
  setText(elementOf('watch-title', HTMLHeadingElement), stream?.stream ?? 'No stream chosen');
  document.title = stream === undefined ? TITLE : `${stream.stream} – ${TITLE}`;
  const isOn = stream?.isPublished === true;
  setText(elementOf('picture', HTMLElement), (isOn && describePicture(stream.video)) || '–');
  setText(elementOf('audio', HTMLElement), (isOn && describeSound(stream.audio)) || '–');
  setText(elementOf('viewers', HTMLElement), isOn ? String(stream.players) : '–');
  if (stream === undefined) showState({ kind: 'waiting', text: 'Publish a stream, and it plays here.' }, undefined);
}

/**
 * @param {State} state
 * @param {number | undefined} delaySeconds
 */
function showState({ kind, text }, delaySeconds) {
  const state = elementOf('state', HTMLParagraphElement);
  setText(state, text);
  state.dataset.kind = kind;
  setText(curtain, text);
  curtain.hidden = kind === 'playing' || kind === 'paused';
  video.controls = curtain.hidden;
  // Said once to those who see it.
  state.classList.toggle('unseen', !curtain.hidden);
  setText(elementOf('delay', HTMLElement), delaySeconds === undefined ? '–' : `${delaySeconds.toFixed(1)} s`);
  sound.hidden = !video.muted || kind !== 'playing' || !hasSound(streamOf(chosen));
}

/** @param {Stream | undefined} stream */
function hasSound(stream) {
  return stream !== undefined && stream.audio !== null;
}

/**
 * A stream that the server does not know of: nobody has published it yet.
 *
 * @param {string} name
 * @returns {Stream}
 */
function unknownStream(name) {
  const slash = name.lastIndexOf('/');
  const [app, stream] = [name.slice(0, Math.max(slash, 0)), name.slice(slash + 1)];
  const urls = { rtmp: `${catalogue.rtmp}/${name}`, flv: '/', hls: '/' };
  return { app, stream, isPublished: false, publishId: null, players: 0, video: null, audio: null, urls };
}

sound.addEventListener('click', () => {
  video.muted = false;
  void video.play();
  video.focus();
});
playerChoice.addEventListener('change', () => {
  const input = playerChoice.querySelector('input:checked');
  if (input instanceof HTMLInputElement) location.hash = linkTo(chosen, /** @type {PlayerName} */ (input.value));
});
addEventListener('hashchange', show);

const serverState = elementOf('server-state', HTMLParagraphElement);
void watchCatalogue(
  () => choose(),
  (now) => {
    catalogue = now;
    setText(serverState, '');
    show();
  },
  () => setText(serverState, 'The server does not answer; asking again.'),
);
