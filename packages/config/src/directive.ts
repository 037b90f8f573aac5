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

/** Follows names from `start` downwards, taking the first directive at each step. */
export function findPath(start: Directive | undefined, path: readonly string[]): Directive | undefined {
  let current = start;
  for (const name of path) {
    current = findChild(current, name);
    if (current === undefined) return undefined;
  }
  return current;
}
