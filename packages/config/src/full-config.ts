/** Writes `conf/full.conf` from the schema: every directive, what it means, and its default. */
import type { Block, Field, Fields, Many, Row } from './field.ts';
import { describeAliases } from './reference.ts';
import { english } from './reference-en.ts';
import { schema } from './schema/root.ts';

const lineWidth = 110;

const head = `# Every directive with its default. A file needs no more than listen and a vhost; copy from here what should differ.
#
# A line that begins with # and a blank explains. A line that begins with # and a directive is an example
# of what is not set by default; remove the # to use it. Generated from the schema of the configuration.
`;

/**
 * The example file. As it stands it says nothing but the defaults, with port 1935 and the vhost `__defaultVhost__`; with the `#`
 * removed from its examples it is a valid configuration too.
 */
export function fullConfig(): string {
  return `${[head, ...writeFields(schema, '', false)].join('\n')}\n`;
}

/** @param isExample the lines are inside a block that is an example, so that all of them are commented out */
function writeFields(fields: Fields, indent: string, isExample: boolean): string[] {
  return Object.values(fields).flatMap((field) => writeField(field, indent, isExample));
}

function writeField(field: Field, indent: string, isExample: boolean): string[] {
  switch (field.kind) {
    case 'group':
      return writeFields(field.fields, indent, isExample);
    case 'row':
      return [...describeRow(field).flatMap((text) => comment(text, indent)), writeRow(field, indent, isExample)];
    case 'block':
      return writeBlock(field.name, field, indent, isExample);
    case 'many': {
      // Inside a vhost these blocks would be something that runs; the vhost itself is what the file is about.
      const isCommented = isExample || field.name !== 'vhost';
      return writeBlock(`${field.name} ${field.example}`.trimEnd(), field, indent, isCommented);
    }
  }
}

function writeBlock(title: string, block: Block<Fields> | Many<Fields>, indent: string, isExample: boolean): string[] {
  const mark = isExample ? '#' : '';
  return [
    '',
    ...comment([block.doc + describeState(block), ...describeAliases(block, english)].join(' '), indent),
    `${indent}${mark}${title} {`,
    ...writeFields(block.fields, `${indent}    `, isExample),
    `${indent}${mark}}`,
  ];
}

function writeRow(row: Row<unknown>, indent: string, isExample: boolean): string {
  const isCommented = isExample || (row.defaultText === undefined && !row.isRequired);
  const mark = isCommented ? '#' : '';
  const value = row.defaultText ?? row.example ?? '';
  if (row.type.repeats !== undefined) return `${indent}${mark}${value};`;
  return `${indent}${mark}${row.name} ${value}${row.type.isPairs ? '' : ';'}`;
}

function describeRow(row: Row<unknown>): readonly string[] {
  return [[row.doc + describeState(row), ...describeAliases(row, english)].join(' '), `Value: ${row.type.allowed}.`];
}

function describeState(described: { readonly isBuilt: boolean }): string {
  return described.isBuilt ? '' : ' Not built yet.';
}

function comment(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = `${indent}#`;
  for (const word of text.replaceAll('`', '').split(' ')) {
    if (line.length + 1 + word.length > lineWidth && line !== `${indent}#`) {
      lines.push(line);
      line = `${indent}#`;
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}
