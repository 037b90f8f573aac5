/** The columns of `srs-cli top`, and what each is sorted by. */
import { stateCell } from '../cli-report.ts';
import type { Column } from '../cli-table.ts';
import { bytesText, durationText, shortStreamName } from '../cli-text.ts';
import type { TopClient, TopStream, TopWorker } from './top-sample.ts';

export interface TopColumn<Row> extends Column<Row> {
  /** Figures are sorted from the largest down, words from the first on. Undefined comes last. */
  readonly sortBy: (row: Row) => number | string | undefined;
}

/** A column of figures that are shown as they are. */
function figure<Row>(head: string, pick: (row: Row) => number | undefined): TopColumn<Row> {
  return { head, isRight: true, value: (row) => rounded(pick(row)), sortBy: pick };
}

const rounded = (value: number | undefined): number | undefined => (value === undefined ? undefined : Math.round(value));

function bytes<Row>(head: string, pick: (row: Row) => number | undefined): TopColumn<Row> {
  const value = (row: Row): string | undefined => {
    const size = pick(row);
    return size === undefined ? undefined : bytesText(size);
  };
  return { head, isRight: true, value, sortBy: pick };
}

/** A figure that is good only as 0. */
function trouble<Row>(head: string, pick: (row: Row) => number | undefined): TopColumn<Row> {
  const value = (row: Row): ReturnType<Column<Row>['value']> => {
    const count = pick(row);
    return count === undefined ? undefined : { text: String(count), emphasis: count === 0 ? 'plain' : 'warning' };
  };
  return { head, isRight: true, value, sortBy: pick };
}

function word<Row>(head: string, pick: (row: Row) => string | undefined): TopColumn<Row> {
  return { head, value: pick, sortBy: pick };
}

export const workerColumns: readonly Column<TopWorker>[] = [
  { head: 'Slot', isRight: true, value: ({ slot }) => slot },
  { head: 'Role', value: ({ role }) => role },
  { head: 'State', value: stateCell },
  { head: 'Pid', isRight: true, value: ({ pid }) => (pid === 0 ? undefined : pid) },
  { head: 'Streams', isRight: true, value: ({ summary }) => summary?.publishedStreams },
  { head: 'Players', isRight: true, value: ({ summary }) => summary?.players },
  { head: 'Clients', isRight: true, value: ({ summary }) => summary?.clients },
  { head: 'In kbps', isRight: true, value: ({ inKbps }) => inKbps },
  { head: 'Out kbps', isRight: true, value: ({ outKbps }) => outKbps },
  {
    head: 'CPU %',
    isRight: true,
    value: ({ summary }) => limited(summary?.cpuPercent, 90),
  },
  { head: 'Loop p99 ms', isRight: true, value: ({ summary }) => limited(summary?.eventLoop.p99Ms, 50) },
  { head: 'Flush ms', isRight: true, value: ({ summary }) => summary?.fanOut?.flushIntervalMs },
  {
    head: 'Memory',
    isRight: true,
    value: ({ summary }) => (summary === null ? undefined : bytesText(summary.memory.pssBytes ?? summary.memory.rssBytes)),
  },
];

/** Red where it is more than a worker can stand. */
function limited(value: number | undefined, limit: number): ReturnType<Column<unknown>['value']> {
  return value === undefined ? undefined : { text: value.toFixed(1), emphasis: value > limit ? 'bad' : 'plain' };
}

export const streamColumns: readonly TopColumn<TopStream>[] = [
  word('Stream', ({ streamId }) => shortStreamName(streamId)),
  word('Publisher', ({ publisher }) => publisher?.ip),
  figure('Id', ({ publisher }) => publisher?.cid),
  figure('Worker', ({ publisher }) => publisher?.worker),
  figure('In kbps', ({ inKbps }) => inKbps),
  figure('Fps', ({ fps }) => fps),
  figure('Players', ({ players }) => players),
  figure('Flush ms', ({ players, flushIntervalMs }) => (players === 0 ? undefined : flushIntervalMs)),
  bytes('GOP', ({ ring }) => ring?.gopBytes),
  trouble('Laps', ({ laps }) => laps),
  trouble('Cuts', ({ playerCuts }) => playerCuts),
  trouble('Dropped', ({ input, playerDroppedFrames }) => (input?.droppedFrames ?? 0) + playerDroppedFrames),
];

export const clientColumns: readonly TopColumn<TopClient>[] = [
  figure('Id', ({ id }) => id),
  word('Type', ({ type, isPaused }) => (isPaused === true ? `${type}, paused` : type)),
  word('Ip', ({ ip }) => ip),
  word('Stream', ({ streamId }) => (streamId === '' ? undefined : shortStreamName(streamId))),
  figure('Worker', ({ worker }) => worker),
  {
    head: 'Alive',
    isRight: true,
    value: ({ aliveSeconds }) => durationText(aliveSeconds),
    sortBy: ({ aliveSeconds }) => aliveSeconds,
  },
  figure('In kbps', ({ inKbps }) => inKbps),
  figure('Out kbps', ({ outKbps }) => outKbps),
  bytes('Pending', ({ pendingBytes }) => pendingBytes),
  bytes('Lag', ({ lagBytes }) => lagBytes),
  trouble('Cuts', ({ cuts }) => cuts),
  trouble('Dropped', ({ droppedFrames }) => droppedFrames),
];

/** @param isReversed the other way round than the column's own */
export function sortRows<Row>(rows: readonly Row[], { sortBy }: TopColumn<Row>, isReversed: boolean): readonly Row[] {
  const sign = isReversed ? -1 : 1;
  return rows
    .map((row) => ({ row, key: sortBy(row) }))
    .sort((a, b) => compareKeys(a.key, b.key, sign))
    .map(({ row }) => row);
}

type Key = number | string | undefined;

function compareKeys(a: Key, b: Key, sign: number): number {
  if (a === undefined || b === undefined) return (a === undefined ? 1 : 0) - (b === undefined ? 1 : 0);
  if (typeof a === 'number' && typeof b === 'number') return (b - a) * sign;
  return (a < b ? -1 : a > b ? 1 : 0) * sign;
}
