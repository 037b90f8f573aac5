/** `http.md`, written from what was measured and nothing else. */
import { environmentLines } from './bench-environment.ts';
import { figureTable } from './figure.ts';
import { type FileFigures, type FileLoad, fileLoads, fileRatio, fileSpread, type HttpDocument } from './http-document.ts';
import { markdownTable } from './markdown.ts';
import { cellOf, type RunFigures, ratioCell } from './peers-document.ts';
import { spreadText } from './statistics.ts';

type PlayerPick = (figures: RunFigures) => number | undefined;

const playerRows: readonly (readonly [what: string, pick: PlayerPick])[] = [
  ['CPU of the worker that sends, % of one core', (figures) => figures.cpuPercent],
  ['CPU of all processes of the server, % of one core', (figures) => figures.totalCpuPercent],
  ['Memory per player, KB (Pss, all processes)', (figures) => figures.pssPerPlayerKb],
  ['Latency p50, ms', (figures) => figures.latencyMs?.p50],
  ['Latency p99, ms', (figures) => figures.latencyMs?.p99],
  ['Time from play to the first picture, p99, ms', (figures) => figures.firstFrameMs?.p99],
  ['Longest silence, ms', (figures) => figures.silenceMaxMs],
  ['Bitrate per player, kbps', (figures) => figures.kbpsAverage],
  ['Interval between batches, ms', (figures) => figures.batch?.intervalMs],
];

const fileRows: readonly (readonly [what: string, pick: (figures: FileFigures) => number])[] = [
  ['Requests per second', (figures) => figures.requestsPerSecond],
  ['Requests per second of processor time', (figures) => figures.requestsPerCpuSecond],
  ['Megabytes per second', (figures) => figures.megabytesPerSecond],
  ['CPU of the worker that sends, % of one core', (figures) => figures.cpuPercent],
  ['Latency p50, ms', (figures) => figures.latencyMs?.p50 ?? 0],
  ['Latency p99, ms', (figures) => figures.latencyMs?.p99 ?? 0],
  ['CPU of the tester, % of one core', (figures) => figures.testerCpuPercent],
];

const loadTexts: Readonly<Record<FileLoad, (segmentKb: number) => string>> = {
  playlists: () => 'Playlists',
  segments: (segmentKb) => `Segments of ${segmentKb} KB`,
  both: (segmentKb) => `Playlists and segments of ${segmentKb} KB in turn`,
};

export function httpMarkdown(document: HttpDocument): string {
  const { environment, settings, versions, skipped, figures } = document;
  const reading = settings.readEveryMs === 0 ? 'whenever something comes' : `every ${settings.readEveryMs} ms`;
  return [
    '# HTTP: players and files',
    'Written by `npm run bench:http`; do not edit. How it is measured: [README](README.md).',
    [
      environmentLines(environment),
      `- Players: ${settings.players} of one publisher of ${settings.kbps} kbps; they read ${reading}`,
      `- Files: ${settings.connections} connections that ask for the next file as soon as they have the one before`,
      `- ${settings.seconds} s per run, ${settings.rounds} rounds in turn, in every second one backwards`,
      ...Object.entries(versions).map(([name, version]) => `- ${name}: ${version}`),
      ...skipped.map(({ name, reason }) => `- ${name}: **skipped**, ${reason}`),
    ].join('\n'),
    '## Goals',
    figureTable(figures),
    ...playerSection(document),
    ...fileLoads.flatMap((load) => fileSection(document, load)),
    '## Runs with complaints',
    complaintList(document),
    '',
  ].join('\n\n');
}

function playerSection({ settings, playerRuns }: HttpDocument): string[] {
  if (playerRuns.length === 0) return [];
  const { over, players } = settings;
  const others = over.includes('rtmp') ? over.filter((name) => name !== 'rtmp') : [];
  const rows = playerRows
    .filter(([, pick]) => playerRuns.some(({ figures }) => figures !== undefined && pick(figures) !== undefined))
    .map(([what, pick]) => [
      what,
      ...over.map((name) => {
        const { spread, bad, rounds } = cellOf(playerRuns, name, players, pick);
        const mark = bad === 0 || spread === undefined ? '' : bad === rounds ? ' †' : ' ‡';
        return `${spreadText(spread)}${mark}`;
      }),
      ...others.map((name) => spreadText(ratioCell(playerRuns, [name, 'rtmp'], players, pick))),
    ]);
  return [
    `## ${players} players`,
    'Medians over the rounds, in brackets least and most. `†` the tester was saturated in every round, `‡` in some: those are left out.',
    markdownTable(['', ...over, ...others.map((name) => `${name} / rtmp`)], rows),
  ];
}

function fileSection({ settings, versions, fileRuns }: HttpDocument, load: FileLoad): string[] {
  const runs = fileRuns.filter((run) => run.load === load);
  if (runs.length === 0) return [];
  const names = Object.keys(versions);
  const hasRatio = names.includes('nginx');
  const rows = fileRows.map(([what, pick]) => [
    what,
    ...names.map((name) => {
      const spread = fileSpread(runs, name, load, pick);
      return spread === undefined ? 'failed' : spreadText(spread);
    }),
    ...(hasRatio ? [spreadText(fileRatio(runs, ['srs', 'nginx'], load, pick))] : []),
  ]);
  return [`## ${loadTexts[load](settings.segmentKb)}`, markdownTable(['', ...names, ...(hasRatio ? ['srs / nginx'] : [])], rows)];
}

function complaintList({ playerRuns, fileRuns }: HttpDocument): string {
  const lines = [
    ...playerRuns.map((run) => ({ ...run, what: `players over ${run.server}` })),
    ...fileRuns.map((run) => ({ ...run, what: `${run.load}, ${run.server}` })),
  ]
    .filter(({ complaints }) => complaints.length > 0)
    .map(({ what, round, complaints }) => `- ${what}, round ${round}: ${complaints.join('; ').replaceAll(/\s*\n\s*/g, ' ')}`);
  return lines.length === 0 ? 'None.' : lines.join('\n');
}
