/** Values with variables in brackets: names of the files of HLS and of recordings, and the URLs under which streams are served. */
import { isPrintable, type ReadContext, type ValueType } from './value-type.ts';

const streamVariables = ['vhost', 'app', 'stream'];
/** Parts of the time, written as the Go language writes its reference time: year, month, day, hour, minute, second, millisecond. */
const timeVariables = ['2006', '01', '02', '15', '04', '05', '999'];
const fileVariables = [...streamVariables, 'seq', 'duration', 'timestamp', ...timeVariables];
/** Those that are known before the contents of the file are. */
const earlyVariables = fileVariables.filter((name) => name !== 'duration');

/** Which part of a template tells one file of a stream from the next. A second may end two files, a clock without the hour repeats itself. */
const distinctParts: readonly (readonly string[])[] = [['seq'], ['timestamp'], ['15', '04', '05']];

function showVariables(names: readonly string[]): string {
  return names.map((name) => `[${name}]`).join(' ');
}

function variablesOf(template: string): readonly string[] {
  return Array.from(template.matchAll(/\[([^[\]]*)\]/g), (match) => match[1]!);
}

/** Whether the names a template makes for the files of one stream differ, so that a file does not replace the one before. */
export function hasDistinctNames(template: string): boolean {
  const names = variablesOf(template);
  return distinctParts.some((parts) => parts.every((part) => names.includes(part)));
}

interface TemplateRule {
  readonly allowed: string;
  readonly variables: readonly string[];
  isAllowed(template: string): boolean;
  /** Is told of a template that can be used. */
  review?(template: string, context: ReadContext): void;
}

function template(rule: TemplateRule): ValueType<string> {
  return {
    allowed: rule.allowed,
    takesMany: false,
    absent: '',
    read([text = ''], context) {
      if (!isPrintable(text)) {
        context.refuse(text, 'text without control characters');
        return undefined;
      }
      if (!rule.isAllowed(text)) {
        context.refuse(text, rule.allowed);
        return undefined;
      }
      const unknown = variablesOf(text).find((name) => !rule.variables.includes(name));
      if (unknown !== undefined) {
        context.refuse(text, `made with ${showVariables(rule.variables)}; [${unknown}] is none of them`);
        return undefined;
      }
      rule.review?.(text, context);
      return text;
    },
  };
}

/** Stays below the directory it is used in. */
function isRelative(path: string): boolean {
  return path !== '' && !path.startsWith('/') && !path.endsWith('/') && !path.split(/[/\\]/).includes('..');
}

function warnOfSharedFile(path: string, context: ReadContext): void {
  if (!variablesOf(path).includes('stream')) context.warn(path, 'has no [stream], so streams may write to the same file');
}

/** The name of a playlist, which stays the same while the stream is published. */
export const playlistTemplate: ValueType<string> = template({
  allowed: `a relative path without .., with ${showVariables(streamVariables)}`,
  variables: streamVariables,
  isAllowed: isRelative,
  review: warnOfSharedFile,
});

/** The name of each of a sequence of files. */
function sequenceTemplate(variables: readonly string[]): ValueType<string> {
  return template({
    allowed: 'a relative path without .., with [seq] or [timestamp] or [15] [04] [05]',
    variables,
    isAllowed: (path) => isRelative(path) && hasDistinctNames(path),
    review: warnOfSharedFile,
  });
}

export const segmentTemplate: ValueType<string> = sequenceTemplate(fileVariables);
export const keyTemplate: ValueType<string> = sequenceTemplate(earlyVariables);

/** Whether a `dvr_path` names the files themselves; otherwise it is the directory they go to. */
export function isRecordingTemplate(path: string): boolean {
  return /\.(?:flv|mp4)$/.test(path);
}

/** Where recordings go. */
export const recordingPath: ValueType<string> = template({
  allowed: 'a directory, or a path that ends in .flv or .mp4',
  variables: fileVariables,
  isAllowed: (path) => path !== '',
  review(path, context) {
    if (isRecordingTemplate(path)) warnOfSharedFile(path, context);
  },
});

/** The URL of a live stream over HTTP. */
export const streamMount: ValueType<string> = template({
  allowed: 'a path that begins with / or [vhost], has [stream], and ends in .flv, .ts, .aac or .mp3',
  variables: streamVariables,
  isAllowed: (path) => /^(?:\/|\[vhost\]).*\[stream\].*\.(?:flv|ts|aac|mp3)$/.test(path),
});

/** The name of a vhost made of that of another one. */
export const vhostTemplate: ValueType<string> = template({
  allowed: 'a name of at most 253 letters, digits or other signs without blanks, /, ? and &; [vhost] may be a part of it',
  variables: ['vhost'],
  isAllowed: (name) => name.length <= 253 && /^[^\s/?&#@]+$/.test(name),
});
