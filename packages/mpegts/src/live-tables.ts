/**
 * The tables of a live transport stream: they follow from the codecs alone, so that all who write a stream, wherever they have begun,
 * write the same ones. Each codec has a PID of its own, each pair of codecs a version.
 */
import { encodePat, encodePmt, pids, streamTypes } from './program-tables.ts';
import { TS_HAS_PAYLOAD, TS_PACKET_BYTES, writeBreakPacket } from './ts-packet.ts';

/** As many counters of packets as there are PIDs, that of both tables included. */
export const COUNTERS = 7;
export const TABLES_COUNTER = 0;

const videoTypes = [0, streamTypes.avc, streamTypes.hevc] as const;
const audioTypes = [0, streamTypes.aac, streamTypes.mpeg1Audio, streamTypes.mpeg2Audio] as const;
/** Those of H.264 and AAC are the ones of SRS. Many demuxers do not look again what is on a PID that they know. */
const pidsOfTypes: Readonly<Record<number, number>> = {
  0: 0,
  [streamTypes.avc]: pids.video,
  [streamTypes.aac]: pids.audio,
  [streamTypes.hevc]: pids.video + 2,
  [streamTypes.mpeg1Audio]: pids.audio + 2,
  [streamTypes.mpeg2Audio]: pids.audio + 4,
};

/** Of one pair of codecs. */
export interface LiveTables {
  readonly version: number;
  /** 0 without a track. */
  readonly videoPid: number;
  readonly audioPid: number;
  /** The pictures set the pace where there are any. */
  readonly pcrPid: number;
  readonly pmt: Buffer;
}

const known = new Map<number, LiveTables>();
const pat = encodePat();

/** @param videoType,audioType stream types, 0 without a track */
export function liveTables(videoType: number, audioType: number): LiveTables {
  const version = videoTypes.indexOf(videoType as never) * audioTypes.length + audioTypes.indexOf(audioType as never);
  let tables = known.get(version);
  if (tables === undefined) {
    const videoPid = pidsOfTypes[videoType] ?? 0;
    const audioPid = pidsOfTypes[audioType] ?? 0;
    const pcrPid = videoPid === 0 ? audioPid : videoPid;
    const streams = [
      { pid: videoPid, streamType: videoType },
      { pid: audioPid, streamType: audioType },
    ].filter(({ pid }) => pid !== 0);
    tables = { version, videoPid, audioPid, pcrPid, pmt: encodePmt(version, pcrPid, streams) };
    known.set(version, tables);
  }
  return tables;
}

export function counterOf(pid: number): number {
  return pid === pids.pat || pid === pids.pmt ? TABLES_COUNTER : pid - pids.video + 1;
}

/** @param counter of both packets @returns the offset behind them */
export function writeTables(target: Buffer, at: number, { pmt }: LiveTables, counter: number): number {
  return writeTable(target, writeTable(target, at, pat, counter), pmt, counter);
}

/** As `writeTables`, where they need not follow on those before. @returns the offset behind them */
export function writeTablesAnew(target: Buffer, start: number, { pmt }: LiveTables, counter: number): number {
  let at = start;
  for (const [pid, table] of [
    [pids.pat, pat],
    [pids.pmt, pmt],
  ] as const) {
    writeBreakPacket(target, at, pid, (counter - 1) & 0x0f);
    at = writeTable(target, at + TS_PACKET_BYTES, table, counter);
  }
  return at;
}

function writeTable(target: Buffer, at: number, table: Buffer, counter: number): number {
  table.copy(target, at);
  target[at + 3] = TS_HAS_PAYLOAD | (counter & 0x0f);
  return at + TS_PACKET_BYTES;
}
