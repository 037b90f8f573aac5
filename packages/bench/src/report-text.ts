/** The documents of a load test as lines and tables. */
import { layOutTable } from '@srs/kernel';
import type picocolors from 'picocolors';
import type { ConnectionCounts } from './connection-counts.ts';
import type { Percentiles } from './latency-histogram.ts';
import type { KbpsReport, SecondReport, SideGroupReport, SummaryReport } from './report.ts';
import type { RequestsReport } from './report-requests.ts';

type Colors = ReturnType<typeof picocolors.createColors>;
type Row = readonly [label: string, value: string];

/** `  12 s  measuring   300 connected  151 Mbps  ...` */
export function secondLine(report: SecondReport): string {
  const { second, phase, connected, failed, lost, kbps, latencyMs, silenceMs, gapFrames, requests } = report;
  const parts = [
    `${String(second).padStart(4)} s`,
    phase.padEnd(10),
    `${connected} connected`,
    ...(failed + lost > 0 ? [`${failed} failed, ${lost} lost`] : []),
    `${mbps(kbps.total)} Mbps`,
    `${kbps.avg} kbps each (least ${kbps.min})`,
    ...(requests === null ? [] : [`${requests} requests`]),
    ...(latencyMs === null ? [] : [`latency p50 ${latencyMs.p50} p99 ${latencyMs.p99} ms`]),
    `silence ${silenceMs} ms`,
    ...(gapFrames > 0 ? [`${gapFrames} ${requests === null ? 'frames' : 'segments'} missing`] : []),
    `cpu server ${report.serverCpuPercent} % tester ${report.testerCpuPercent} %`,
  ];
  return parts.join('  ');
}

export function summaryText(summary: SummaryReport, connections: number, colors: Colors): string {
  const { mode, players, publishers, tester, server } = summary;
  const rows: Row[] = [
    ...(mode === 'publish' ? [] : [[mode === 'hls' ? 'viewers' : 'players', countsText(players)] as const]),
    ...(publishers === null ? [] : [['publishers', countsText(publishers)] as const]),
    ...failureRows(players, publishers),
    [
      'measured',
      `${summary.seconds} s, ${mbps(summary.kbps.total)} Mbps, ${summary.frames} ${mode === 'hls' ? 'segments' : 'pictures'}`,
    ],
    ['bitrate of each', kbpsText(summary.kbps)],
    ...(mode === 'play' ? playRows(summary) : []),
    ...(summary.requests === null ? [] : requestRows(summary, summary.requests)),
    ...(publishers === null ? [] : [['publishers late', percentilesText(publishers.lateMs)] as const]),
    ...sideRows('slow players', summary.slow),
    ...sideRows('stalled players', summary.stalled),
    ...(server.processes.length === 0
      ? []
      : [
          [
            'server',
            `${server.cpuPercent} % of a core, ${server.pssKb} KB, ${server.pssPerPlayerKb} KB more per connection`,
          ] as const,
        ]),
    ...server.processes.map(
      (one): Row => [
        `  ${one.pid}`,
        `${one.cpuPercent} % (user ${one.userPercent}, system ${one.systemPercent}), ${one.pssKb} KB  ${one.label}`,
      ],
    ),
    [
      'tester',
      `${tester.cpuPercent} % of a core, event loop late by ${tester.loopDelayP99Ms} ms (p99), ${connections} connections`,
    ],
  ];
  const marks = summary.invalidReasons.map((reason) => colors.red(`! not valid: ${reason}`));
  return `${tableText(rows)}${marks.map((line) => `${line}\n`).join('')}`;
}

function playRows({ gaps, wrong, silenceMs, firstFrameMs, latencyMs }: SummaryReport): Row[] {
  return [
    ['missing frames', gaps.frames === 0 ? 'none' : `${gaps.frames}, in ${gaps.players} players`],
    ['wrong messages', wrong.messages === 0 ? 'none' : `${wrong.messages}, in ${wrong.players} players`],
    ['longest silence', `p99 ${silenceMs.p99}, max ${silenceMs.max} ms`],
    ['first picture', percentilesText(firstFrameMs)],
    ['latency', percentilesText(latencyMs)],
  ];
}

function requestRows({ gaps, wrong, silenceMs, firstFrameMs }: SummaryReport, requests: RequestsReport): Row[] {
  const { playlists, segments, failed, failures, stalls } = requests;
  const stallText = `${stalls.missingSegments} segments that were not there, ${stalls.frozenPlaylists} playlists not continued`;
  return [
    ['requests', `${requests.perSecond} a second, ${failed} failed`],
    ...Object.entries(failures).map(([reason, count]): Row => ['', `${count} x ${reason}`]),
    ['  playlists', `${playlists.perSecond} a second; ${percentilesText(playlists.latencyMs)}`],
    ['  segments', `${segments.perSecond} a second; ${percentilesText(segments.latencyMs)}`],
    ['stalls', stalls.players === 0 ? 'none' : `${stallText}, in ${stalls.players} viewers`],
    ['missing segments', gaps.frames === 0 ? 'none' : `${gaps.frames}, in ${gaps.players} viewers`],
    ['wrong answers', wrong.messages === 0 ? 'none' : `${wrong.messages}, in ${wrong.players} viewers`],
    ['longest wait', `p99 ${silenceMs.p99}, max ${silenceMs.max} ms without a segment`],
    ['first segment', percentilesText(firstFrameMs)],
  ];
}

function sideRows(label: string, group: SideGroupReport): Row[] {
  if (group.wanted === 0) return [];
  return [
    [
      label,
      `${countsText(group)}; ${group.kbps.avg} kbps each, ${group.gaps.frames} frames missing, ${group.wrong.messages} wrong`,
    ],
    ...Object.entries(group.failures).map(([reason, count]): Row => ['', `${count} x ${reason}`]),
  ];
}

function failureRows(...groups: readonly (ConnectionCounts | null)[]): Row[] {
  return groups.flatMap((counts) =>
    Object.entries(counts?.failures ?? {}).map(([reason, count]): Row => ['', `${count} x ${reason}`]),
  );
}

function countsText({ wanted, connected, failed, lost }: ConnectionCounts): string {
  return `${connected} of ${wanted} connected, ${failed} failed, ${lost} lost`;
}

function kbpsText({ min, p1, avg }: KbpsReport): string {
  return `least ${min}, p1 ${p1}, average ${avg} kbps`;
}

function percentilesText(values: Percentiles | null): string {
  if (values === null) return 'not measured';
  return `p50 ${values.p50}, p95 ${values.p95}, p99 ${values.p99}, max ${values.max} ms`;
}

function mbps(kbps: number): string {
  return (kbps / 1000).toFixed(1);
}

function tableText(rows: readonly Row[]): string {
  const cells = rows.map((row) => row.map((text) => ({ text })));
  return layOutTable(cells, [false, false]);
}
