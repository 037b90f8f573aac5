export { BackOff, type BackOffOptions } from './back-off.ts';
export { type ClientOptions, type CloseReason, type ConnectionOptions, describeCloseReason } from './client-options.ts';
export { embeddedClipFile, readClip } from './clip-file.ts';
export { ClipPlayout, type FrameSink } from './clip-playout.ts';
export { ClipRounds } from './clip-rounds.ts';
export { FailureNotes } from './failure-notes.ts';
export { type ClipFrame, FlvClip } from './flv-clip.ts';
export { FlvLoop, type FlvLoopOptions } from './flv-loop.ts';
export { hostNames } from './host-names.ts';
export { type HttpFlvOptions, HttpFlvPlayer } from './http-flv-player.ts';
export { HttpRefusal } from './http-refusal.ts';
export { openFollowing, redirectedBy } from './redirects.ts';
export { isRefusal } from './refusals.ts';
export { RtmpClient } from './rtmp-client.ts';
export { type PlayerOptions, RtmpPlayer } from './rtmp-player.ts';
export { RtmpPublisher } from './rtmp-publisher.ts';
export { RtmpRefusal } from './rtmp-refusal.ts';
export { describeTarget, formatTcUrl, parseRtmpUrl, type RtmpTarget } from './rtmp-target.ts';
export {
  type PushRetry,
  StreamPush,
  type StreamPushHandler,
  type StreamPushOptions,
  type StreamPushState,
} from './stream-push.ts';
export type { UpstreamPlay, UpstreamPlayOptions } from './upstream-play.ts';
export { httpFlvUrl, type UpstreamStream, upstreamTarget } from './upstream-target.ts';
