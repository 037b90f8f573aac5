export { VodLibrary, type VodLimits } from './library.ts';
export type { RecordingFile, RecordingFormat } from './recording.ts';
