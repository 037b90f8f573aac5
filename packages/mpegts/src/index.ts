export {
  accessUnitsOf,
  type TsAacFrame,
  type TsAccessUnit,
  type TsMpegAudioFrame,
  type TsPicture,
} from './access-unit-reader.ts';
export { FlvToTs, type FlvToTsOptions } from './flv-to-ts.ts';
export type { TsPes } from './pes-reader.ts';
export { type TsHandler, type TsLimits, TsReader } from './ts-reader.ts';
export type { TsProgram } from './ts-sections.ts';
