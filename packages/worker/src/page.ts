/** One page of a list that may be long, so that a worker with ten thousand clients does not stop serving them to list them. */
import { SrsError } from '@srs/kernel';

export interface PageRequest {
  /** Index of the first element. */
  readonly start: number;
  readonly count: number;
}

const DEFAULT_PAGE_COUNT = 1_000;
export const MAX_PAGE_COUNT = 10_000;

/** Part of a list with the length of the whole. */
export class Page<T> {
  readonly total: number;
  readonly start: number;
  readonly rows: readonly T[];

  constructor(total: number, start: number, rows: readonly T[]) {
    this.total = total;
    this.start = start;
    this.rows = rows;
  }

  /** Makes the rows of the page, and of no other element. */
  static of<Element, Row>(all: ReadonlySet<Element>, request: PageRequest, describe: (element: Element) => Row): Page<Row> {
    const rows: Row[] = [];
    let index = 0;
    for (const element of all) {
      if (rows.length === request.count) break;
      if (index >= request.start) rows.push(describe(element));
      index += 1;
    }
    return new Page(all.size, request.start, rows);
  }
}

/** The id of one client, if the query names one. @throws SrsError RequestUri */
export function parseId(query: Readonly<Record<string, unknown>>): number | undefined {
  return query.id === undefined ? undefined : parseNumber(query, 'id', 0, { min: 0, max: Number.MAX_SAFE_INTEGER });
}

/** @throws SrsError RequestUri naming the parameter, its value and what is allowed */
export function parsePage(query: Readonly<Record<string, unknown>>): PageRequest {
  return {
    start: parseNumber(query, 'start', 0, { min: 0, max: Number.MAX_SAFE_INTEGER }),
    count: parseNumber(query, 'count', DEFAULT_PAGE_COUNT, { min: 1, max: MAX_PAGE_COUNT }),
  };
}

function parseNumber(
  query: Readonly<Record<string, unknown>>,
  name: string,
  absent: number,
  { min, max }: { readonly min: number; readonly max: number },
): number {
  const text = query[name];
  if (text === undefined) return absent;
  const value = typeof text === 'string' && /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new SrsError('RequestUri', `${name} ${JSON.stringify(text)} must be one number in ${min}..${max}`);
}
