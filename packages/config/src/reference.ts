/** Writes the reference pages: the language in prose, the directives from the schema. */
import { variableNames } from './environment.ts';
import type { Field, Fields, LiveRule, Row } from './field.ts';
import { rootFields, vhosts } from './schema/root.ts';
import { vhostFields } from './schema/vhost.ts';

/** What a reference page says in one language of its readers. */
export interface ReferenceLanguage {
  /** Everything above the directives, in Markdown. */
  readonly introduction: string;
  /** Heading of the directives outside of any vhost. */
  readonly root: string;
  readonly columns: readonly string[];
  readonly notBuilt: string;
  /** Stand for the default of a directive that has none. */
  readonly required: string;
  readonly none: string;
  readonly live: Readonly<Record<LiveRule, string>>;
  /** What stands between two sentences. */
  readonly sentenceGap: string;
  /** A text of the schema. @throws Error when it has no translation */
  text(doc: string): string;
  /** What a directive accepts. @throws Error when it has no translation */
  allowed(text: string): string;
  since(version: string): string;
  /** @param names other names of the same directive, as code */
  aliasesOfRow(names: readonly string[]): string;
  aliasesOfBlock(names: readonly string[]): string;
}

/** The reference page in Markdown. */
export function configReference(language: ReferenceLanguage): string {
  const around = { level: 3, isBuilt: true, path: [], language };
  const sections = [
    ...describeBlock(language.root, '', rootFields, { ...around, isInVhost: false }),
    ...describeBlock('`vhost NAME { ... }`', language.text(vhosts.doc), vhostFields, { ...around, isInVhost: true }),
  ];
  return [language.introduction, ...sections].join('\n');
}

/** Every text of the schema that a reader sees, and everything that a directive accepts. */
export function schemaTexts(): { readonly docs: ReadonlySet<string>; readonly allowed: ReadonlySet<string> } {
  const docs = new Set([vhosts.doc]);
  const allowed = new Set<string>();
  const collect = (fields: Fields): void => {
    for (const field of flatten(fields)) {
      docs.add(field.doc);
      if (field.kind === 'row') allowed.add(field.type.allowed);
      else collect(field.fields);
    }
  };
  collect(rootFields);
  collect(vhostFields);
  return { docs, allowed };
}

interface Surroundings {
  readonly level: number;
  readonly isBuilt: boolean;
  /** Names from the block instance; undefined where no environment variable reaches. */
  readonly path: readonly string[] | undefined;
  readonly isInVhost: boolean;
  readonly language: ReferenceLanguage;
}

function describeBlock(title: string, doc: string, fields: Fields, around: Surroundings): string[] {
  const rows = flatten(fields).filter((field) => field.kind === 'row');
  const lines = [`${'#'.repeat(around.level)} ${title}`, ''];
  if (doc !== '') lines.push(doc, '');
  const { notBuilt, columns } = around.language;
  if (!around.isBuilt) lines.push(notBuilt, '');
  if (rows.length > 0) {
    lines.push(`| ${columns.join(' | ')} |`, `|${'---|'.repeat(columns.length)}`);
    lines.push(...rows.map((row) => describeRow(row, around)), '');
  }
  for (const field of flatten(fields)) if (field.kind !== 'row') lines.push(...describeInner(field, around));
  return lines;
}

function describeInner(field: Exclude<Field, Row<unknown> | { kind: 'group' }>, around: Surroundings): string[] {
  const title =
    field.kind === 'many' && field.argument !== ''
      ? `\`${field.name} [${field.argument}] { ... }\``
      : `\`${field.name} { ... }\``;
  const { language } = around;
  const doc = [language.text(field.doc), ...describeAliases(field, language)].join(language.sentenceGap);
  const path = field.kind === 'many' || around.path === undefined ? undefined : [...around.path, field.name];
  // An outer block that is not built has said it for those inside.
  return describeBlock(title, doc, field.fields, { ...around, level: around.level + 1, isBuilt: field.isBuilt, path });
}

function describeRow(row: Row<unknown>, around: Surroundings): string {
  const { language } = around;
  const notes = [language.text(row.doc), ...describeAliases(row, language)];
  if (!row.isBuilt) notes.push(language.notBuilt);
  const isVariable = around.path !== undefined && !row.type.isPairs && row.type.repeats === undefined;
  if (isVariable) notes.push(code(variableNames([...around.path, row.name], around.isInVhost)[0]!));
  const fallback = row.defaultText === undefined ? (row.isRequired ? language.required : language.none) : code(row.defaultText);
  const { sentenceGap, live } = language;
  const cells = [
    code(row.name),
    language.allowed(row.type.allowed),
    fallback,
    notes.join(sentenceGap),
    live[row.live],
    language.since(row.since),
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function flatten(fields: Fields): Exclude<Field, { kind: 'group' }>[] {
  return Object.values(fields).flatMap((field) => (field.kind === 'group' ? flatten(field.fields) : [field]));
}

function code(text: string): string {
  return `\`${text}\``;
}

/** A sentence about the other names, if there are any. Those of a row count from the block instance, in practice the vhost. */
export function describeAliases(field: Exclude<Field, { kind: 'group' }>, language: ReferenceLanguage): readonly string[] {
  if (field.kind === 'many' || field.aliases.length === 0) return [];
  const names = field.aliases.map((alias) => code(alias.replaceAll('/', ' / ')));
  return [field.kind === 'row' ? language.aliasesOfRow(names) : language.aliasesOfBlock(names)];
}
