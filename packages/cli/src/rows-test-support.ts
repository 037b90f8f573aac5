/** Clients and streams as workers tell of them. */
import type { ClientDescription, DirectoryStream, PushReport, WorkerStream } from '@srs/survey';
import { kbps } from './cli-test-support.ts';

export const play = {
  players: 5,
  playersInStep: 4,
  flushIntervalMs: 7,
  flushes: 1,
  batchBytes: 7000,
  writes: 1,
  flushedBytes: 1,
  laps: 1,
  lagBytes: 9,
  cuts: 2,
  droppedFrames: 6,
};
export const ring = {
  sizeBytes: 2 ** 21,
  capacityBytes: 2 ** 20,
  gopBytes: 3072,
  newestSequence: 77,
  newestTimestampMs: 5,
  rejectedRecords: 0,
};
export const tracks = {
  video: { codec: 'H264', profile: 'High', level: '3.1', width: 1280, height: 720 },
  audio: { codec: 'AAC', profile: 'LC', sampleRate: 44_100, channels: 2 },
};

export const publisher = {
  cid: 200,
  ip: '10.0.0.1',
  aliveSeconds: 100,
  recvBytes: 4096,
  recvKbps: kbps(500),
  audioFrames: 43,
  videoFrames: 25,
  dataFrames: 1,
  bytes: 4000,
  droppedFrames: 11,
  correctedTimestamps: 12,
  ringBytes: 2 ** 20,
  gopBytes: 3072,
};

export const push: PushReport = {
  kind: 'forward',
  source: 'config',
  destination: '10.0.0.7:1935',
  state: 'publishing',
  connects: 1,
  sentFrames: 250,
  sentBytes: 125_000,
  droppedFrames: 0,
  lastError: '',
};

export const directoryStream = (streamId: string, more: Partial<DirectoryStream> = {}): DirectoryStream => ({
  streamId,
  publisher: { slot: 1, pid: 1001, cid: 200, ip: '10.0.0.1' },
  subscribers: 2,
  ring,
  pull: null,
  pushes: [],
  lease: null,
  ...more,
});
export const workerStream = (streamId: string, more: Partial<WorkerStream> = {}): WorkerStream => ({
  streamId,
  publisher: null,
  sourceCid: 200,
  play,
  ring,
  traffic: null,
  tracks: null,
  ...more,
});

export const clientOf = (id: number, more: Partial<ClientDescription> = {}): ClientDescription => ({
  id,
  ip: '10.0.0.9',
  type: 'play',
  protocol: 'rtmp',
  vhost: '__defaultVhost__',
  app: 'live',
  stream: 's',
  streamId: '__defaultVhost__/live/s',
  tcUrl: 'rtmp://h/live',
  pageUrl: '',
  flashVer: '',
  swfUrl: '',
  dialect: '',
  source: null,
  aliveSeconds: 100,
  sendBytes: 2048,
  recvBytes: 1024,
  sendKbps: kbps(300),
  recvKbps: kbps(5),
  pendingBytes: 0,
  isInStep: true,
  isPaused: false,
  cuts: 3,
  droppedFrames: 4,
  lagBytes: 512,
  ...more,
});
