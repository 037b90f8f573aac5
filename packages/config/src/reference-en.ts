/** `docs/configuration.md`: the language of the configuration in English prose. */
import { maxConfigFileBytes, maxIncludeDepth } from './limits.ts';
import { maxNameBytes, maxNameSegmentBytes } from './name-check.ts';
import type { ReferenceLanguage } from './reference.ts';

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

/** The schema is written in English: its texts stand for themselves. */
export const english: ReferenceLanguage = {
  introduction,
  root: 'Root',
  columns: ['Directive', 'Value', 'Default', 'Meaning', 'Live', 'Since'],
  notBuilt: '*Not built yet.*',
  required: 'required',
  none: 'none',
  text: (doc) => doc,
  allowed: (text) => text,
  live: { 'at once': 'at once', 'next use': 'next use', restart: 'restart' },
  since: (version) => version,
  aliasesOfRow: (names) => `In the vhost also as ${names.join(', ')}.`,
  aliasesOfBlock: (names) => `Also named ${names.join(', ')}.`,
  sentenceGap: ' ',
};
