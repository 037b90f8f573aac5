/** `srs-cli config`: every directive with the value in force and where it comes from. */
import type { ServerAddress } from '@srs/config';
import { SrsError } from '@srs/kernel';
import type { ConfigDocument } from '@srs/survey';
import { askMasterFor } from './cli-master.ts';
import type { Report } from './cli-report.ts';
import { type Column, tableText } from './cli-table.ts';

export async function config(
  api: ServerAddress,
  pattern: string | undefined,
  timeoutMs: number,
): Promise<Report<ConfigDocument>> {
  const all = await askConfig(api, timeoutMs);
  const directives = pattern === undefined ? all.directives : all.directives.filter(matcherOf(pattern));
  const document: ConfigDocument = { ...all, directives };
  return {
    document,
    text: (colors) => (directives.length === 0 ? '' : tableText(columns, directives, colors)),
    failure: directives.length === 0 ? `no directive matches ${JSON.stringify(pattern ?? '')}` : undefined,
  };
}

/** @throws SrsError */
export async function askConfig(api: ServerAddress, timeoutMs: number): Promise<ConfigDocument> {
  const data = await askMasterFor(api, '/api/v1/config', timeoutMs);
  if (typeof data !== 'object' || data === null || !('directives' in data) || !Array.isArray(data.directives)) {
    throw new SrsError('HttpAnswer', 'what the master answered is not a configuration');
  }
  return data as ConfigDocument;
}

type Row = ConfigDocument['directives'][number];

/** Capitals and the blanks around `/` do not matter. */
function matcherOf(pattern: string): (row: Row) => boolean {
  const parts = plain(pattern).split('*');
  return ({ directive }) => {
    const text = plain(directive);
    let from = 0;
    for (const part of parts) {
      const at = text.indexOf(part, from);
      if (at < 0) return false;
      from = at + part.length;
    }
    return true;
  };
}

const plain = (text: string): string => text.toLowerCase().replace(/\s*\/\s*/g, '/');

const columns: readonly Column<Row>[] = [
  { head: 'Directive', value: ({ directive }) => directive },
  { head: 'Value', value: ({ value }) => value },
  {
    head: 'From',
    value: ({ origin }) => (origin === 'default' ? origin : { text: origin, emphasis: 'good' }),
  },
];
