/** Parses the configuration language into a tree of directives. */
import { posix } from 'node:path';
import { describeError } from '@srs/kernel';
import type { Directive } from './directive.ts';
import { maxBlockDepth, maxConfigFileBytes, maxConfigTotalBytes, maxIncludeDepth, maxIncludes } from './limits.ts';
import { ConfigError, type ConfigErrorName, describeProblem, type Place, showValue } from './problem.ts';
import { type Token, WordReader } from './word-reader.ts';

export interface ParseOptions {
  /** Named in every problem, and what `include` paths are relative to. */
  readonly fileName: string;
  /**
   * Gives the text of an included file. `path` is already resolved against the directory of the including file `from`. It
   * should look at the file's size first (`maxConfigFileBytes`); whatever it throws becomes a problem of the include line.
   */
  readonly readInclude?: ((path: string, from: string) => string) | undefined;
}

/**
 * Reads configuration text.
 *
 * ```
 * file      := { directive }
 * directive := name { arg } ( ";" | "{" { directive } "}" )
 * ```
 *
 * `include FILE ...;` is replaced by the directives of the files, at any depth.
 *
 * @returns the root: a nameless block that holds the directives of the file
 * @throws ConfigError at the first error: 1023 (syntax), 1026 (`}` that closes nothing), 1027 (end of file inside a block),
 * 1042 (an included file cannot be read)
 */
export function parseTree(text: string, options: ParseOptions): Directive {
  const children = new TreeParser(options).parseFile(text, options.fileName, [], { file: options.fileName, line: 0 });
  return { name: '', args: [], children, isBlock: true, file: options.fileName, line: 0 };
}

function fail(place: Place, message: string, errorName: ConfigErrorName = 'ConfigInvalid', cause?: unknown): never {
  throw new ConfigError([describeProblem(place, message)], { errorName, cause });
}

class TreeParser {
  readonly #options: ParseOptions;
  #totalBytes = 0;
  #includes = 0;

  constructor(options: ParseOptions) {
    this.#options = options;
  }

  /** @param openFiles the files that are being read, outermost first, `file` not among them */
  parseFile(text: string, file: string, openFiles: readonly string[], place: Place): Directive[] {
    const bytes = Buffer.byteLength(text);
    if (bytes > maxConfigFileBytes) fail(place, `${file} has ${bytes} bytes, must be at most ${maxConfigFileBytes}`);
    this.#totalBytes += bytes;
    if (this.#totalBytes > maxConfigTotalBytes) {
      fail(place, `the configuration and its includes have more than ${maxConfigTotalBytes} bytes`);
    }
    return this.#parseBlock(new WordReader(text, file), file, [...openFiles, file], 0);
  }

  #parseBlock(reader: WordReader, file: string, openFiles: readonly string[], depth: number): Directive[] {
    if (depth > maxBlockDepth) reader.fail(`blocks are nested deeper than ${maxBlockDepth}`);
    const children: Directive[] = [];
    for (;;) {
      const first = reader.next();
      switch (first.kind) {
        case 'end':
          if (depth > 0) reader.fail('the file ends inside a block, a } is missing', 'ConfigEnd');
          return children;
        case '}':
          if (depth === 0) reader.fail('unexpected }, no block is open', 'ConfigBlockEnd');
          return children;
        case ';':
          return reader.fail('unexpected ;, no directive stands before it');
        case '{':
          return reader.fail('unexpected {, no directive stands before it');
        case 'word':
          for (const child of this.#parseDirective(reader, first, file, openFiles, depth)) children.push(child);
      }
    }
  }

  /** One directive, or those of the files it includes. */
  #parseDirective(reader: WordReader, first: Token, file: string, openFiles: readonly string[], depth: number): Directive[] {
    const name = first.text;
    const args: string[] = [];
    for (;;) {
      const token = reader.next();
      switch (token.kind) {
        case 'word':
          args.push(token.text);
          break;
        case 'end':
          return reader.fail(`the file ends before the ; of ${showValue(name)}`);
        case '}':
          return reader.fail(`unexpected } before the ; of ${showValue(name)}`);
        case '{': {
          if (name === 'include') reader.fail('include takes files, not a block');
          const children = this.#parseBlock(reader, file, openFiles, depth + 1);
          return [{ name, args, children, isBlock: true, file, line: first.line }];
        }
        case ';':
          if (name === 'include') return this.#include(args, openFiles, { file, line: first.line });
          return [{ name, args, children: [], isBlock: false, file, line: first.line }];
      }
    }
  }

  #include(paths: readonly string[], openFiles: readonly string[], place: Place): Directive[] {
    if (paths.length === 0) fail(place, 'include must be followed by a file name');
    return paths.flatMap((path) => this.#includeOne(path, openFiles, place));
  }

  #includeOne(path: string, openFiles: readonly string[], place: Place): Directive[] {
    const read = this.#options.readInclude;
    if (read === undefined) fail(place, `include ${showValue(path)} is not possible here, there is no file to start from`);
    const resolved = path.startsWith('/') ? posix.normalize(path) : posix.join(posix.dirname(place.file), path);
    if (openFiles.some((open) => posix.normalize(open) === resolved)) {
      fail(place, `include ${showValue(path)} is a loop: ${[...openFiles, resolved].join(' -> ')}`);
    }
    if (openFiles.length > maxIncludeDepth) fail(place, `includes are nested deeper than ${maxIncludeDepth}`);
    if (++this.#includes > maxIncludes) fail(place, `the configuration includes more than ${maxIncludes} files`);
    let text: string;
    try {
      text = read(resolved, place.file);
    } catch (thrown) {
      fail(place, `include ${showValue(path)} cannot be read: ${describeError(thrown)}`, 'FileOpen', thrown);
    }
    return this.parseFile(text, resolved, openFiles, place);
  }
}
