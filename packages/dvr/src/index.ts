export { type DvrControl, type DvrOptions, type DvrSection, dvrFeature } from './dvr-feature.ts';
export type { RecordedFile } from './recorder.ts';
export { RecordingKeeper, type RecordingKeeperOptions } from './recording-keeper.ts';
export { isRecordingOf } from './recording-path.ts';
export { type FileToUpload, RecordingUploader, type RecordingUploaderOptions } from './recording-uploader.ts';
export { type RepairedFile, repairRecordings } from './repair-recordings.ts';
export { readWaiting } from './upload-journal.ts';
export { type UploadSettings, uploadRoot, uploadSettings } from './upload-settings.ts';
