export {
  accessUnitsOf,
  type TsAacFrame,
  type TsAccessUnit,
  type TsMpegAudioFrame,
  type TsPicture,
} from './access-unit-reader.ts';
export { FlvToTs, type FlvToTsOptions, type TimelinePlace } from './flv-to-ts.ts';
export { LiveTsLine, type LiveTsOptions } from './live-line.ts';
export { LiveStarts } from './live-place.ts';
export type { TsPes } from './pes-reader.ts';
export { SoundLine, type SoundLineOptions } from './sound-line.ts';
export { type TsHandler, type TsLimits, TsReader } from './ts-reader.ts';
export type { TsProgram } from './ts-sections.ts';
export { TsToFlv } from './ts-to-flv.ts';
export type { FlvFrameHandler } from './ts-to-flv-handler.ts';
