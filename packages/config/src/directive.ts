/** The tree a configuration text is parsed into. */

export interface Directive {
  readonly name: string;
  readonly args: readonly string[];
  /** In the order of the file; empty for a plain directive and for `name {}`. */
  readonly children: readonly Directive[];
  /** Whether it was written with braces. */
  readonly isBlock: boolean;
  /** The file it stands in, or `environment variable SRS_...`. */
  readonly file: string;
  /** Line of its name, counted from 1; 0 when it does not come from a file. */
  readonly line: number;
}

/** The first child of that name; later ones are ignored, as SRS does. */
export function findChild(parent: Directive | undefined, name: string): Directive | undefined {
  return parent?.children.find((child) => child.name === name);
}

/** Follows names from `start` downwards, taking the first directive at each step; on the way, the first one that holds others. */
export function findPath(start: Directive | undefined, path: readonly string[]): Directive | undefined {
  const last = path.at(-1);
  return last === undefined ? start : findChild(findAround(start, path), last);
}

/** As `findPath`, for a value or for a block: one name may be both. */
export function findPathOf(
  start: Directive | undefined,
  path: readonly string[],
  { isBlock }: Pick<Directive, 'isBlock'>,
): Directive | undefined {
  const last = path.at(-1);
  return findAround(start, path)?.children.find((child) => child.name === last && child.isBlock === isBlock);
}

/** What the last name of the path is looked for in. */
function findAround(start: Directive | undefined, path: readonly string[]): Directive | undefined {
  let current = start;
  for (let index = 0; index < path.length - 1; index += 1) {
    const name = path[index]!;
    current = current?.children.find((child) => child.name === name && child.isBlock) ?? findChild(current, name);
    if (current === undefined) return undefined;
  }
  return current;
}
