/** Writes `docs/configuration.md`: the language in prose, the directives from the schema. */
import { variableNames } from './environment.ts';
import type { Field, Fields, Row } from './field.ts';
import { maxConfigFileBytes, maxIncludeDepth } from './limits.ts';
import { maxNameBytes, maxNameSegmentBytes } from './name-check.ts';
import { rootFields, vhosts } from './schema/root.ts';
import { vhostFields } from './schema/vhost.ts';

const mebibyte = 1024 * 1024;

const introduction = `# Configuration

The server reads one file, \`bin/srs -c FILE\`; \`bin/srs -t -c FILE\` only checks it. \`conf/full.conf\` has every directive with its
default, the other files in \`conf/\` are examples. The smallest useful file:

\`\`\`
listen 1935;
vhost __defaultVhost__ {
}
\`\`\`

Relative paths count from the working directory of the process.

## Language

\`\`\`
file      := { directive }
directive := name { value } ( ";" | "{" { directive } "}" )
\`\`\`

- Words are separated by blanks, tabs and line ends; a line end means nothing else.
- A word in \`"double"\` or \`'single'\` quotes may contain blanks, \`;\` and \`{\`. There are no escapes. After the closing quote a blank,
  \`;\` or \`{\` must follow. An empty quoted word is left out.
- \`#\` where a word could begin starts a comment to the end of the line.
- When a directive is given twice in a block, the first one counts. The second is warned about.
- A directive that takes one value uses the first and warns about the others.
- \`include FILE ...;\` is replaced by what is in the files. A relative path counts from the directory of the file that includes. Files
  have at most ${maxConfigFileBytes / mebibyte} MB each and include others at most ${maxIncludeDepth} deep; a loop is an error.

## Values

| Kind | Written as |
|---|---|
| on or off | Exactly \`on\` or \`off\`. Any other text means the default and is warned about |
| number | Directives of SRS 1.0 read the leading digits and ignore the rest, with a warning; in newer ones that is an error |
| duration | A number in the unit the table names, or with a unit: \`500ms\`, \`20s\`, \`5m\`, \`1h\` |
| size | Bytes, or with the unit \`k\`, \`m\` or \`g\` (of 1024) |
| address to listen on | \`1935\`, \`127.0.0.1:1935\`, \`[::]:1935\` |
| server | \`host\`, \`host:port\`, \`[ipv6]:port\`; the default port is 1935 |

## Errors

A configuration with an error is not used: the server does not start, and a reload changes nothing. Every problem is told, each with
its place and what would be accepted:

\`\`\`
conf/my.conf:3: chunk_size 10 must be 128..65536 bytes
conf/my.conf:7: unknown directive gop_cahe in vhost __defaultVhost__; did you mean gop_cache?
\`\`\`

The exit status is 255 (error 1023) for a file that is not valid, 2 (1026) for a \`}\` too many, 3 (1027) for one too few, 18 (1042)
for a file that cannot be read.

A file may use features that are not built yet, marked so below: it loads with one warning that lists them.

## Environment variables

A variable overrides the file. Its name is \`SRS_\` and the path of the directive in upper case, joined by \`_\`: \`SRS_LISTEN\`,
\`SRS_HTTP_API_LISTEN\`. \`SRS_VHOST_\` stands for the vhost \`__defaultVhost__\`, which is made if the file lacks it:
\`SRS_VHOST_HLS_HLS_FRAGMENT\`. Several values are separated by blanks. An empty variable is ignored, an unknown one is warned about.
\`bin/srs -e\` runs without a file; \`SRS_LISTEN\` is then required. Blocks with a name of their own (\`ingest\`, \`transcode\`) and lists of
directives (\`security\`) have no variables.

## Which vhost serves a client

The client connects with a tcUrl, \`rtmp://host[:port]/app\`. Its vhost is the \`vhost\` parameter of the stream name, or else of the app,
or else the host:

| tcUrl, stream | vhost | app | stream |
|---|---|---|---|
| \`rtmp://demo.srs.com/live\`, \`show\` | demo.srs.com | live | show |
| \`rtmp://1.2.3.4/live?vhost=demo.srs.com\`, \`show\` | demo.srs.com | live | show |
| \`rtmp://1.2.3.4/live...vhost...demo.srs.com\`, \`show\` | demo.srs.com | live | show |
| \`rtmp://1.2.3.4/live?vhost=demo.srs.com&key=a\`, \`show\` | demo.srs.com | live | show |
| \`rtmp://1.2.3.4/live\`, \`show?vhost=demo.srs.com&token=b\` | demo.srs.com | live | show |
| \`rtmp://demo.srs.com/a/b\`, \`show\` | demo.srs.com | a/b | show |

The vhost of exactly that name serves, or else \`__defaultVhost__\`, whose name the session then bears in hooks, log and API. A vhost
that is disabled refuses. A vhost does not inherit from \`__defaultVhost__\`: what it lacks has the built-in default.

App and stream names have at most ${maxNameBytes} bytes, ${maxNameSegmentBytes} between slashes. Refused are parts that begin with a dot or a dash,
backslashes, control and invisible characters, also where percent or Unicode forms stand for them.

## Directives

*Live* tells when a reload makes a changed value count: at once, at the next use (the next connection, publish, play or call), or only
after a restart. *Since* is the first version of SRS with the directive, \`new\` for those of this server.
`;

/** The reference page in Markdown. */
export function configReference(): string {
  const sections = [
    ...describeBlock('Root', '', rootFields, { level: 3, isBuilt: true, path: [], isInVhost: false }),
    ...describeBlock('`vhost NAME { ... }`', vhosts.doc, vhostFields, { level: 3, isBuilt: true, path: [], isInVhost: true }),
  ];
  return [introduction, ...sections].join('\n');
}

interface Surroundings {
  readonly level: number;
  readonly isBuilt: boolean;
  /** Names from the block instance; undefined where no environment variable reaches. */
  readonly path: readonly string[] | undefined;
  readonly isInVhost: boolean;
}

function describeBlock(title: string, doc: string, fields: Fields, around: Surroundings): string[] {
  const rows = flatten(fields).filter((field) => field.kind === 'row');
  const lines = [`${'#'.repeat(around.level)} ${title}`, ''];
  if (doc !== '') lines.push(doc, '');
  if (!around.isBuilt) lines.push('*Not built yet.*', '');
  if (rows.length > 0) {
    lines.push('| Directive | Value | Default | Meaning | Live | Since |', '|---|---|---|---|---|---|');
    lines.push(...rows.map((row) => describeRow(row, around)), '');
  }
  for (const field of flatten(fields)) if (field.kind !== 'row') lines.push(...describeInner(field, around));
  return lines;
}

function describeInner(field: Exclude<Field, Row<unknown> | { kind: 'group' }>, around: Surroundings): string[] {
  const title = field.kind === 'many' ? `\`${field.name} [${field.argument}] { ... }\`` : `\`${field.name} { ... }\``;
  const doc = [field.doc, ...describeAliases(field)].join(' ');
  const path = field.kind === 'many' || around.path === undefined ? undefined : [...around.path, field.name];
  // An outer block that is not built has said it for those inside.
  return describeBlock(title, doc, field.fields, { ...around, level: around.level + 1, isBuilt: field.isBuilt, path });
}

function describeRow(row: Row<unknown>, around: Surroundings): string {
  const notes = [row.doc, ...describeAliases(row)];
  if (!row.isBuilt) notes.push('*Not built yet.*');
  const isVariable = around.path !== undefined && !row.type.isPairs && row.type.repeats === undefined;
  if (isVariable) notes.push(code(variableNames([...around.path, row.name], around.isInVhost)[0]!));
  const fallback = row.defaultText === undefined ? (row.isRequired ? 'required' : 'none') : code(row.defaultText);
  const cells = [code(row.name), row.type.allowed, fallback, notes.join(' '), row.live, row.since];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function flatten(fields: Fields): Exclude<Field, { kind: 'group' }>[] {
  return Object.values(fields).flatMap((field) => (field.kind === 'group' ? flatten(field.fields) : [field]));
}

function code(text: string): string {
  return `\`${text}\``;
}

/** A sentence about the other names, if there are any. Those of a row count from the block instance, in practice the vhost. */
export function describeAliases(field: Exclude<Field, { kind: 'group' }>): readonly string[] {
  if (field.kind === 'many' || field.aliases.length === 0) return [];
  const names = field.aliases.map((alias) => code(alias.replaceAll('/', ' / ')));
  return [field.kind === 'row' ? `In the vhost also as ${names.join(', ')}.` : `Also named ${names.join(', ')}.`];
}
