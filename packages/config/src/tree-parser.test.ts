import { describe, expect, it } from 'vitest';
import type { Directive } from './directive.ts';
import { maxBlockDepth, maxConfigFileBytes, maxIncludes } from './limits.ts';
import { ConfigError } from './problem.ts';
import { parseTree } from './tree-parser.ts';

/** A tree as nested arrays: [name, ...args, [children]]. */
type Shape = (string | Shape)[];

function shapeOf(directive: Directive): Shape {
  const words: Shape = [directive.name, ...directive.args];
  return directive.isBlock ? [...words, directive.children.map(shapeOf)] : words;
}

function parse(text: string): Shape[] {
  return parseTree(text, { fileName: 'srs.conf' }).children.map(shapeOf);
}

function catchError(work: () => unknown): ConfigError {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof ConfigError) return thrown;
    throw thrown;
  }
  throw new Error('nothing was thrown');
}

describe('grammar', () => {
  const cases: readonly (readonly [fact: string, text: string, shapes: Shape[]])[] = [
    ['an empty file has no directives', '', []],
    ['a directive without values', 'dir0;', [['dir0']]],
    ['values are separated by blanks', 'dir0 arg0 arg1;', [['dir0', 'arg0', 'arg1']]],
    ['blank, tab, CR and LF all separate words', 'dir0\targ0\r\n  arg1\n;', [['dir0', 'arg0', 'arg1']]],
    [
      'two directives on one line',
      'dir0 a;dir1 b;',
      [
        ['dir0', 'a'],
        ['dir1', 'b'],
      ],
    ],
    ['an empty block', 'dir0 {}', [['dir0', []]]],
    ['a block with values', 'vhost a.com { dir1; }', [['vhost', 'a.com', [['dir1']]]]],
    ['blocks in blocks', 'a{b{c d;}}', [['a', [['b', [['c', 'd']]]]]]],
    ['the brace may follow the name at once', 'dir0{dir1 x;}', [['dir0', [['dir1', 'x']]]]],
    ['the order of the file is kept', 'b;a;b c;', [['b'], ['a'], ['b', 'c']]],
    ['# inside a word belongs to it', 'dir0 a#b;', [['dir0', 'a#b']]],
    ['} inside a word belongs to it', 'dir0 a}b;', [['dir0', 'a}b']]],
    ['quotes inside a word belong to it', 'dir0 url?x="1";', [['dir0', 'url?x="1"']]],
    ['a comment at the start', '# nothing\ndir0;', [['dir0']]],
    ['a comment after a value', 'dir0 a # b;\n;', [['dir0', 'a']]],
    ['a comment after a terminator', 'dir0;# dir1;', [['dir0']]],
    ['a comment at the end without a line end', 'dir0;#', [['dir0']]],
    ['double quotes', 'dir0 "a b;{}#";', [['dir0', 'a b;{}#']]],
    ['single quotes', "dir0 'a b';", [['dir0', 'a b']]],
    ['the other kind of quote inside quotes', `dir0 'a"b' "c'd";`, [['dir0', 'a"b', "c'd"]]],
    ['a backslash escapes nothing', 'dir0 "a\\" b;', [['dir0', 'a\\', 'b']]],
    ['a line end inside quotes', 'dir0 "a\nb";', [['dir0', 'a\nb']]],
    ['a quoted word before {', 'dir0 "a"{}', [['dir0', 'a', []]]],
    ['a quoted name', '"dir0" a;', [['dir0', 'a']]],
    ['an empty quoted word is dropped', 'dir0 "" a \'\';', [['dir0', 'a']]],
    ['a byte order mark is skipped', '\uFEFFdir0;', [['dir0']]],
    ['text that is not ASCII', 'dir0 直播;', [['dir0', '直播']]],
  ];
  it.each(cases)('%s', (_fact, text, shapes) => {
    expect(parse(text)).toEqual(shapes);
  });

  it('a directive knows its file and the line of its name', () => {
    const root = parseTree('a;\n\nb\n "x\ny"\n{\n c; }\nd;', { fileName: 'conf/x.conf' });
    const [a, b, d] = root.children;
    expect([a?.line, b?.line, b?.children[0]?.line, d?.line]).toEqual([1, 3, 7, 8]);
    expect(b?.children[0]?.file).toBe('conf/x.conf');
  });
});

describe('syntax errors', () => {
  const cases: readonly (readonly [fact: string, text: string, code: number, message: string])[] = [
    ['; alone', 'a;\n;', 1023, 'srs.conf:2: unexpected ;, no directive stands before it'],
    ['; after an empty quoted word', '"";', 1023, 'srs.conf:1: unexpected ;, no directive stands before it'],
    ['{ alone', '\n{}', 1023, 'srs.conf:2: unexpected {, no directive stands before it'],
    ['} with words pending', 'a {\n dir0 }', 1023, 'srs.conf:2: unexpected } before the ; of dir0'],
    ['} at top level', 'a {}\n}', 1026, 'srs.conf:2: unexpected }, no block is open'],
    ['end with words pending', 'a;\ndir0', 1023, 'srs.conf:2: the file ends before the ; of dir0'],
    ['end inside a block', 'a {\n b;\n', 1027, 'srs.conf:3: the file ends inside a block, a } is missing'],
    ['a quote that is not closed', 'a;\nb "c;\n', 1023, 'srs.conf:2: the " quote is never closed'],
    ['text right after a closing quote', `a 'b'c;`, 1023, 'srs.conf:1: c after a closing quote must be a blank, ; or {'],
    ['} right after a closing quote', 'x { a "b"} ', 1023, 'srs.conf:1: } after a closing quote must be a blank, ; or {'],
    [
      'a block that is too deep',
      'a{'.repeat(maxBlockDepth + 1),
      1023,
      `srs.conf:1: blocks are nested deeper than ${maxBlockDepth}`,
    ],
    ['include without a file', 'include;', 1023, 'srs.conf:1: include must be followed by a file name'],
    ['include with a block', 'include a {}', 1023, 'srs.conf:1: include takes files, not a block'],
    [
      'include where nothing can be read',
      'include a;',
      1023,
      'srs.conf:1: include a is not possible here, there is no file to start from',
    ],
  ];
  it.each(cases)('%s', (_fact, text, code, message) => {
    const error = catchError(() => parse(text));
    expect({ code: error.code, message: error.message }).toEqual({ code, message });
    expect(error.problems).toHaveLength(1);
  });

  it('blocks may be as deep as the limit', () => {
    expect(() => parse('a{'.repeat(maxBlockDepth) + '}'.repeat(maxBlockDepth))).not.toThrow();
  });

  it('a file above the size limit is refused', () => {
    expect(() => parse('#'.repeat(maxConfigFileBytes))).not.toThrow();
    const error = catchError(() => parse('#'.repeat(maxConfigFileBytes + 1)));
    expect(error.message).toBe('srs.conf: srs.conf has 1048577 bytes, must be at most 1048576');
  });
});

describe('include', () => {
  function parseFiles(files: Readonly<Record<string, string>>, fileName = 'conf/srs.conf'): Directive {
    const readInclude = (path: string) => {
      const text = files[path];
      if (text === undefined) throw new Error(`no such file: ${path}`);
      return text;
    };
    return parseTree(files[fileName] ?? '', { fileName, readInclude });
  }

  it('is replaced by the directives of the files, relative to the including file', () => {
    const root = parseFiles({
      'conf/srs.conf': 'a; vhost x { include vhosts/common.conf /etc/abs.conf; z; } b;',
      'conf/vhosts/common.conf': 'c;\ninclude ../d.conf;',
      'conf/d.conf': 'd;',
      '/etc/abs.conf': 'e;',
    });
    expect(root.children.map(shapeOf)).toEqual([['a'], ['vhost', 'x', [['c'], ['d'], ['e'], ['z']]], ['b']]);
    expect(root.children[1]?.children.map((child) => `${child.file}:${child.line}`)).toEqual([
      'conf/vhosts/common.conf:1',
      'conf/d.conf:1',
      '/etc/abs.conf:1',
      'conf/srs.conf:1',
    ]);
  });

  it('tells file and line of an error in the included file', () => {
    const error = catchError(() => parseFiles({ 'conf/srs.conf': 'include a;', 'conf/a': '\nb {' }));
    expect(error.message).toBe('conf/a:2: the file ends inside a block, a } is missing');
    expect(error.code).toBe(1027);
  });

  it('cannot close a block of the including file', () => {
    const error = catchError(() => parseFiles({ 'conf/srs.conf': 'a { include b;', 'conf/b': '}' }));
    expect(error.message).toBe('conf/b:1: unexpected }, no block is open');
  });

  it('of a missing file names the line and the reason', () => {
    const error = catchError(() => parseFiles({ 'conf/srs.conf': '\ninclude a;' }));
    expect({ code: error.code, message: error.message }).toEqual({
      code: 1042,
      message: 'conf/srs.conf:2: include a cannot be read: no such file: conf/a',
    });
  });

  it('of itself, by whatever path, is a loop', () => {
    const error = catchError(() => parseFiles({ 'conf/srs.conf': 'include b;', 'conf/b': 'include ./x/../srs.conf;' }));
    expect(error.message).toBe('conf/b:1: include ./x/../srs.conf is a loop: conf/srs.conf -> conf/b -> conf/srs.conf');
  });

  it('is bounded in depth, number and size', () => {
    const endless = { fileName: 'a0', readInclude: (path: string) => `include a${Number(path.slice(1)) + 1};` };
    expect(catchError(() => parseTree('include a1;', endless)).message).toBe('a8:1: includes are nested deeper than 8');
    const many = { fileName: 'a', readInclude: () => '' };
    expect(() => parseTree('include b;'.repeat(maxIncludes), many)).not.toThrow();
    expect(catchError(() => parseTree('include b;'.repeat(maxIncludes + 1), many)).message).toBe(
      'a:1: the configuration includes more than 100 files',
    );
    const large = { fileName: 'a', readInclude: () => '#'.repeat(maxConfigFileBytes) };
    expect(catchError(() => parseTree('include b b b b b;', large)).message).toBe(
      'a:1: the configuration and its includes have more than 4194304 bytes',
    );
  });
});
