/** What the person before `srs-cli top` has chosen, and what the keys do to it. */
import { clientColumns, streamColumns } from './top-lists.ts';

type TopList = 'streams' | 'clients';

interface Sort {
  readonly column: number;
  readonly isReversed: boolean;
}

export interface TopView {
  readonly list: TopList;
  readonly sorts: Readonly<Record<TopList, Sort>>;
  /** The first row of the list that is shown. */
  readonly offset: number;
}

const indexOf = (columns: readonly { readonly head: string }[], head: string): number =>
  columns.findIndex((column) => column.head === head);

export const firstView: TopView = {
  list: 'streams',
  sorts: {
    streams: { column: indexOf(streamColumns, 'Players'), isReversed: false },
    clients: { column: indexOf(clientColumns, 'Out kbps'), isReversed: false },
  },
  offset: 0,
};

export interface TopKey {
  readonly name?: string | undefined;
  readonly ctrl?: boolean | undefined;
}

/** What a key asks for beside another view. */
export type KeyEffect = TopView | 'quit' | 'suspend';

export const keysLine = 'q quit  s streams  c clients  left right sort  r reverse  up down scroll';

/** @param page rows of the list that fit on the screen; @param length rows that there are */
export function pressKey(view: TopView, { name, ctrl }: TopKey, page: number, length: number): KeyEffect {
  if (ctrl === true) {
    if (name === 'c' || name === 'd') return 'quit';
    return name === 'z' ? 'suspend' : view;
  }
  const scroll = (rows: number): TopView => ({ ...view, offset: clampOffset(view.offset + rows, page, length) });
  switch (name) {
    case 'q':
      return 'quit';
    case 's':
      return { ...view, list: 'streams', offset: 0 };
    case 'c':
      return { ...view, list: 'clients', offset: 0 };
    case 'left':
      return sorted(view, (sort) => ({ ...sort, column: Math.max(0, sort.column - 1) }));
    case 'right': {
      const last = (view.list === 'streams' ? streamColumns : clientColumns).length - 1;
      return sorted(view, (sort) => ({ ...sort, column: Math.min(last, sort.column + 1) }));
    }
    case 'r':
      return sorted(view, (sort) => ({ ...sort, isReversed: !sort.isReversed }));
    case 'up':
      return scroll(-1);
    case 'down':
      return scroll(1);
    case 'pageup':
      return scroll(-page);
    case 'pagedown':
    case 'space':
      return scroll(page);
    case 'home':
      return { ...view, offset: 0 };
    case 'end':
      return scroll(length);
    default:
      return view;
  }
}

/** Never beyond the last page, also when rows have gone. */
export function clampOffset(offset: number, page: number, length: number): number {
  return Math.max(0, Math.min(offset, length - page));
}

function sorted(view: TopView, change: (sort: Sort) => Sort): TopView {
  return { ...view, offset: 0, sorts: { ...view.sorts, [view.list]: change(view.sorts[view.list]) } };
}
