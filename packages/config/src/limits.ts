/** The bounds of everything a configuration may make the server hold or walk. */

/** Size of one configuration file in bytes; whoever reads a file looks at its size before its content. */
export const maxConfigFileBytes = 1024 * 1024;

/** Size of a configuration file and everything it includes, in bytes. */
export const maxConfigTotalBytes = 4 * 1024 * 1024;

/** Files that one configuration may include, counting a file again each time it is included. */
export const maxIncludes = 100;

/** How deep an included file may include others. */
export const maxIncludeDepth = 8;

/** Blocks inside blocks; the schema needs five. */
export const maxBlockDepth = 16;

/** Problems that are told one by one; the rest is only counted. */
export const maxProblems = 100;
