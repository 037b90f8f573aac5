export type * from './server-documents.ts';
export type * from './server-view.ts';
