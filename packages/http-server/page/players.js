// @ts-check
/** The players: mpegts.js for FLV, hls.js for HLS. Each is loaded when it is first used. */
import { addressAt } from './addresses.js';
import { hasMediaSource } from './codecs.js';

/** @import { Fault, Player, PlayerName, Stream } from './types.js' */

/** @typedef {typeof import('mpegts.js').default} Mpegts */

/**
 * @typedef {object} PlayerKind
 * @property {string} label
 * @property {number} stallMs how long a picture may stand still before the player is opened anew
 * @property {(urls: Stream['urls']) => string | null} address null when the server does not offer it
 * @property {(video: HTMLVideoElement, address: string, onFault: (fault: Fault) => void) => Promise<Player>} open
 */

const RETRY_MS = 1000;
/** Who is refused is not let in a moment later. */
const REFUSED_RETRY_MS = 10_000;

/** @type {Readonly<Record<PlayerName, PlayerKind>>} */
export const players = {
  flv: {
    label: 'HTTP-FLV',
    stallMs: 5000,
    address: ({ flv }) => (flv === null ? null : addressAt(flv, 'http')),
    open: openFlv,
  },
  ws: {
    label: 'WS-FLV',
    stallMs: 5000,
    address: ({ flv }) => (flv === null ? null : addressAt(flv, 'ws')),
    open: openFlv,
  },
  hls: {
    label: 'HLS',
    stallMs: 15_000,
    address: ({ hls }) => (hls === null ? null : addressAt(hls, 'http')),
    open: (video, address, onFault) => (hasMediaSource ? openHls(video, address, onFault) : openOwnHls(video, address, onFault)),
  },
};

/** Seconds of media that are kept behind what is shown. */
const KEPT_SECONDS = 30;
/** Segments that are not shown yet: how many there should be, and with how many (after a pause) the player jumps there. */
const HLS_SEGMENTS_BEHIND = 3;
const MAX_HLS_SEGMENTS_BEHIND = 6;

const flvConfig = {
  // What has come is shown at once, instead of when enough of it has come.
  enableStashBuffer: false,
  autoCleanupSourceBuffer: true,
  autoCleanupMaxBackwardDuration: KEPT_SECONDS,
  autoCleanupMinBackwardDuration: KEPT_SECONDS / 2,
  // A stream begins with its last key frame, which is seconds old: one jump to the newest picture, small steps from there on.
  liveBufferLatencyChasing: true,
  liveBufferLatencyMaxLatency: 1,
  liveBufferLatencyMinRemain: 0.3,
  liveSync: true,
  liveSyncMaxLatency: 0.6,
  liveSyncTargetLatency: 0.35,
  liveSyncPlaybackRate: 1.1,
};

/** @type {PlayerKind['open']} */
async function openFlv(video, address, onFault) {
  const mpegts = await loadMpegts();
  const player = mpegts.createPlayer({ type: 'flv', isLive: true, url: address }, flvConfig);
  player.on(mpegts.Events.ERROR, (_type, /** @type {string} */ detail, /** @type {{ code?: number, msg?: string }} */ info) => {
    const { ErrorDetails } = mpegts;
    if (detail === ErrorDetails.NETWORK_STATUS_CODE_INVALID) onFault(refusal(info.code));
    else if (detail === ErrorDetails.MEDIA_CODEC_UNSUPPORTED) onFault(unplayable(info.msg));
    else onFault(lost);
  });
  player.on(mpegts.Events.LOADING_COMPLETE, () => onFault(lost));
  player.attachMediaElement(video);
  player.load();
  // What it has still to tell of the last bytes it tells first: it fails when it is gone by then.
  const close = async () => {
    await nextTask();
    player.destroy();
  };
  return { delay: () => secondsAhead(video), close };
}

function nextTask() {
  return new Promise((resolve) => setTimeout(resolve));
}

/** @type {Promise<Mpegts> | undefined} */
let mpegtsLoading;

/** @returns {Promise<Mpegts>} */
function loadMpegts() {
  mpegtsLoading ??= new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = '/srs/mpegts.js';
    script.onload = () => {
      const { mpegts } = /** @type {{ mpegts: Mpegts }} */ (/** @type {unknown} */ (globalThis));
      mpegts.LoggingControl.applyConfig({ enableVerbose: false, enableDebug: false, enableInfo: false, enableWarn: false });
      resolve(mpegts);
    };
    script.onerror = () => {
      mpegtsLoading = undefined;
      script.remove();
      reject(new Error('mpegts.js does not load'));
    };
    document.head.append(script);
  });
  return mpegtsLoading;
}

/** @type {PlayerKind['open']} */
async function openHls(video, address, onFault) {
  const { default: Hls } = await import('./hls.js');
  // A playlist with parts says itself how far behind a player should be.
  const distance = (await hasParts(address))
    ? {}
    : { liveSyncDurationCount: HLS_SEGMENTS_BEHIND, liveMaxLatencyDurationCount: MAX_HLS_SEGMENTS_BEHIND };
  const hls = new Hls({ backBufferLength: KEPT_SECONDS, maxLiveSyncPlaybackRate: 1.1, ...distance });
  hls.on(Hls.Events.ERROR, (_event, { fatal, details, response }) => {
    if (!fatal) return;
    if (response?.code === 404) onFault(notYet);
    else if ((response?.code ?? 0) >= 400) onFault(refusal(response?.code));
    else if (details === Hls.ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR) onFault(unplayable(undefined));
    else onFault(lost);
  });
  hls.attachMedia(video);
  hls.loadSource(address);
  return { delay: () => (hls.liveSyncPosition === null ? undefined : hls.latency), close: async () => hls.destroy() };
}

/** Whether it is low-latency HLS. @param {string} address @returns {Promise<boolean>} */
async function hasParts(address) {
  try {
    const playlist = await fetch(address);
    return playlist.ok && (await playlist.text()).includes('#EXT-X-PART-INF');
  } catch {
    // The player finds out what is wrong.
    return false;
  }
}

/** For browsers that play HLS by themselves and let no script do it. @type {PlayerKind['open']} */
async function openOwnHls(video, address, onFault) {
  const onError = () => onFault(lost);
  video.addEventListener('error', onError);
  video.src = address;
  return {
    delay: () => undefined,
    close: async () => {
      video.removeEventListener('error', onError);
      video.removeAttribute('src');
      video.load();
    },
  };
}

/** @param {HTMLVideoElement} video */
function secondsAhead({ buffered, currentTime }) {
  return buffered.length === 0 ? undefined : Math.max(0, buffered.end(buffered.length - 1) - currentTime);
}

/** @type {Fault} */
const lost = { text: 'The connection was lost; trying again.', retryMs: RETRY_MS };
/** @type {Fault} */
const notYet = { text: 'Waiting for the first segments; HLS begins some seconds after the stream.', retryMs: RETRY_MS };

/**
 * @param {number | undefined} status
 * @returns {Fault}
 */
function refusal(status) {
  return { text: `The server refuses this stream (HTTP status ${status}).`, retryMs: REFUSED_RETRY_MS };
}

/**
 * @param {string | undefined} what
 * @returns {Fault}
 */
function unplayable(what) {
  return { text: `This browser cannot play this stream${what === undefined ? '' : `: ${what}`}.`, retryMs: undefined };
}
