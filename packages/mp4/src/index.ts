export { FlvToMp4 } from './flv-to-mp4.ts';
export { type Mp4Index, type Mp4Track, type ReadAt, readMp4Index } from './mp4-index.ts';
export type { Mp4Samples } from './sample-table.ts';
