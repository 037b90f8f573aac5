export type * from './server-documents.ts';
export type * from './server-view.ts';
export * from './system-documents.ts';
export * from './system-statistics.ts';
