export { type DvrOptions, type DvrSection, dvrFeature } from './dvr-feature.ts';
export type { RecordedFile } from './recorder.ts';
export { RecordingKeeper, type RecordingKeeperOptions } from './recording-keeper.ts';
export { type RepairedFile, repairRecordings } from './repair-recordings.ts';
