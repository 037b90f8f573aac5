export { askPrivateApi, type PrivateBody, type PrivateMethod } from './private-client.ts';
export type * from './private-documents.ts';
export { askClients, askMaster, askStreams, askSummary, askWorkers, type StreamRows } from './survey.ts';
