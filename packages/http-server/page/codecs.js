// @ts-check
/** Names of codecs, and which of them this browser can play. */

/** @import { AudioFacts, Stream, VideoFacts } from './types.js' */

/** @type {ReadonlyMap<string, { readonly name: string, readonly types: readonly string[] }>} */
const codecs = new Map([
  ['H264', { name: 'H.264', types: ['video/mp4; codecs="avc1.640028"'] }],
  ['HEVC', { name: 'HEVC (H.265)', types: ['video/mp4; codecs="hvc1.1.6.L120.90"'] }],
  ['AV1', { name: 'AV1', types: ['video/mp4; codecs="av01.0.08M.08"'] }],
  ['AAC', { name: 'AAC', types: ['audio/mp4; codecs="mp4a.40.2"'] }],
  ['MP3', { name: 'MP3', types: ['audio/mpeg', 'audio/mp4; codecs="mp3"'] }],
  ['Opus', { name: 'Opus', types: ['audio/mp4; codecs="opus"'] }],
]);

const CHANNELS = ['', 'mono', 'stereo'];

/** Newer iPhones have it under another name only. */
const mediaSource = /** @type {typeof MediaSource | undefined} */ (
  globalThis.MediaSource ?? /** @type {{ ManagedMediaSource?: typeof MediaSource }} */ (globalThis).ManagedMediaSource
);

/** Whether scripts can give pictures and sound to the browser. */
export const hasMediaSource = mediaSource !== undefined;

const hasOwnHls = document.createElement('video').canPlayType('application/vnd.apple.mpegurl') !== '';
export const canPlayHls = hasMediaSource || hasOwnHls;

/**
 * What this browser cannot play of a stream.
 *
 * @param {Pick<Stream, 'video' | 'audio'>} stream
 * @returns {string | undefined} for people
 */
export function unplayable({ video, audio }) {
  if (video !== null && !isPlayable(video.codec)) return `The picture of this stream is ${nameOf(video.codec)}`;
  return audio === null || isPlayable(audio.codec) ? undefined : `The sound of this stream is ${nameOf(audio.codec)}`;
}

/** @param {string} codec */
function isPlayable(codec) {
  const types = codecs.get(codec)?.types ?? [];
  const video = document.createElement('video');
  return types.some((type) => mediaSource?.isTypeSupported(type) ?? video.canPlayType(type) !== '');
}

/** @param {string} codec */
function nameOf(codec) {
  return codecs.get(codec)?.name ?? codec;
}

/** @param {VideoFacts | null} video */
export function describePicture(video) {
  if (video === null) return '';
  return video.width > 0 ? `${nameOf(video.codec)} ${video.width}×${video.height}` : nameOf(video.codec);
}

/** @param {AudioFacts | null} audio */
export function describeSound(audio) {
  if (audio === null) return '';
  const { codec, sampleRate, channels } = audio;
  return `${nameOf(codec)} ${sampleRate / 1000} kHz ${CHANNELS[channels] ?? `${channels} channels`}`;
}
