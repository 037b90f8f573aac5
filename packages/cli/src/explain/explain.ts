/** `srs-cli explain`: who a client is or what a stream is, where its data comes from, what is wrong with it and what to change. */
import type { ServerAddress } from '@srs/config';
import type { ConfigDocument } from '@srs/survey';
import type { ClientRow } from '../cli-clients.ts';
import { problemLines, type Report, type ReportBase, type WorkerRow } from '../cli-report.ts';
import type { StreamRow } from '../cli-streams.ts';
import { type Colors, emphasize, tableText } from '../cli-table.ts';
import { printable, shortStreamName } from '../cli-text.ts';
import { departureFinding, departureRules } from './explain-departure-rules.ts';
import { askFacts, type DepartureRow, type Facts, factsOf, type ServerFacts, settingsOf } from './explain-facts.ts';
import { applyRules, type Finding } from './explain-finding.ts';
import { type PathStep, pathColumns, pathOf } from './explain-path.ts';
import { playerRules } from './explain-player-rules.ts';
import { streamRules } from './explain-stream-rules.ts';
import { chooseStream, nearStreams } from './explain-subject.ts';

export interface ExplainDocument extends ReportBase {
  readonly subject: { readonly kind: 'client'; readonly id: number } | { readonly kind: 'stream'; readonly streamId: string };
  /** Null when a stream is explained, or there is no such client. */
  readonly client: ClientRow | null;
  /** Null when no process knows it. */
  readonly stream: StreamRow | null;
  /** Of a client that has left. */
  readonly departure: DepartureRow | null;
  /** Where the data comes from: the client, the stream, its publisher, as far as they are there. */
  readonly path: readonly PathStep[];
  /** The worst first. */
  readonly findings: readonly Finding[];
  /** What is not left at its default and can matter here. */
  readonly settings: ConfigDocument['directives'];
  readonly workers: readonly WorkerRow[];
}

/** @param text the id of a client, or a stream. @throws SrsError without a master */
export async function explain(api: ServerAddress, text: string, timeoutMs: number): Promise<Report<ExplainDocument>> {
  const id = /^\d{1,10}$/.test(text) ? Number(text) : undefined;
  const server = await askFacts(api, id, timeoutMs);
  return id === undefined ? explainStream(server, text) : explainClient(server, id);
}

export function explainClient(server: ServerFacts, id: number): Report<ExplainDocument> {
  const { client } = server;
  const gone = client === undefined ? server.departures.find((departure) => departure.id === id) : undefined;
  const facts = factsOf(server, client, client?.streamId ?? gone?.streamId ?? '');
  // What it is told of itself need not be told again among the others.
  const document = documentOf(server, { kind: 'client', id }, gone === undefined ? facts : { ...facts, departures: [] });
  if (gone !== undefined) {
    return reportOf({ ...document, departure: gone, findings: [departureFinding(gone), ...document.findings] }, undefined);
  }
  const doubt = server.status.isComplete ? '' : ' on the workers that have answered';
  const failure = `there is no client ${id}${doubt}; one that left long ago is in the log as [${id}], with the reason`;
  return reportOf(document, client === undefined ? failure : undefined);
}

export function explainStream(server: ServerFacts, text: string): Report<ExplainDocument> {
  const known = server.streams.map(({ streamId }) => streamId);
  const choice = chooseStream(text, known);
  const streamId = choice.kind === 'ambiguous' ? '' : choice.streamId;
  const facts = factsOf(server, undefined, streamId);
  const document = documentOf(server, { kind: 'stream', streamId }, facts);
  if (choice.kind === 'found') return reportOf(document, undefined);
  if (choice.kind === 'ambiguous') {
    const names = choice.streamIds.map(shortStreamName).join(', ');
    return reportOf({ ...document, findings: [] }, `${JSON.stringify(text)} can be ${names}`);
  }
  const near = nearStreams(streamId, facts.published).map(shortStreamName);
  const hint =
    near.length === 0 ? 'srs-cli streams lists those there are' : `there ${near.length === 1 ? 'is' : 'are'} ${near.join(', ')}`;
  return reportOf(document, `nobody publishes or plays ${shortStreamName(streamId)}; ${hint}`);
}

function documentOf(server: ServerFacts, subject: ExplainDocument['subject'], facts: Facts): ExplainDocument {
  const { api, server: master, isComplete, workers } = server.status;
  const isThere = facts.client !== undefined || facts.stream !== undefined || facts.departures.length > 0;
  return {
    api,
    server: master,
    isComplete,
    subject,
    client: facts.client ?? null,
    stream: facts.stream ?? null,
    departure: null,
    path: pathOf(facts),
    findings: isThere ? applyRules([...streamRules, ...playerRules, ...departureRules], facts) : [],
    settings: isThere ? settingsOf(server, facts.streamId) : [],
    workers: workers.map(({ summary: _summary, ...row }) => row),
  };
}

function reportOf(document: ExplainDocument, failure: string | undefined): Report<ExplainDocument> {
  return { document, text: (colors) => explanationText(document, colors), failure };
}

function explanationText({ path, findings, settings, workers, ...document }: ExplainDocument, colors: Colors): string {
  const isThere = document.client !== null || document.stream !== null;
  if (!isThere && findings.length === 0) return problemLines(workers, colors);
  const parts = [...(path.length === 0 ? [] : [tableText(pathColumns, path, colors)]), findingLines(findings, isThere, colors)];
  if (settings.length > 0) {
    const lines = settings.map(
      ({ directive, value, origin }) => `  ${printable(`${directive} ${value}`)} (${printable(origin)})\n`,
    );
    parts.push(`${colors.bold('Set for it')}\n${lines.join('')}`);
  }
  const marks = problemLines(workers, colors);
  return [...parts, ...(marks === '' ? [] : [marks])].join('\n');
}

const emphases = { problem: 'bad', warning: 'warning', note: 'plain' } as const;

function findingLines(findings: readonly Finding[], isGoodWithout: boolean, colors: Colors): string {
  const lines = findings.map((finding) => findingLine(finding, colors)).join('');
  if (!isGoodWithout || findings.some(({ severity }) => severity !== 'note')) return lines;
  return `${emphasize('Nothing is wrong with it, as far as the figures tell.', 'good', colors)}\n${lines}`;
}

function findingLine({ severity, what, advice }: Finding, colors: Colors): string {
  const head = emphasize(printable(`${severity}: ${what}`), emphases[severity], colors);
  return advice === null ? `${head}\n` : `${head}\n  -> ${printable(advice)}\n`;
}
