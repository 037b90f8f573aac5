/** Where recordings of a vhost are: the template of their paths, and which files it can have made. */
import { dirname, normalize } from 'node:path';
import { expandPath, type PathFacts } from '@srs/files';
import type { RecordingEnding } from './recording.ts';

/** A file that is being written has this behind its name. */
export const UNFINISHED = '.tmp';

const NAME_IN_DIRECTORY = '[stream].[timestamp].flv';

/**
 * The template that a `dvr_path` stands for. One that does not end like a recording is a directory, in which files are named
 * `[app]/[stream].[timestamp].flv`; with variables it tells apps apart itself, as since SRS 2, and gets `[stream].[timestamp].flv`.
 */
export function recordingTemplate(dvrPath: string): string {
  if (/\.(?:flv|mp4)$/.test(dvrPath)) return dvrPath;
  const directory = dvrPath.replace(/\/+$/, '');
  return dvrPath.includes('[') ? `${directory}/${NAME_IN_DIRECTORY}` : `${directory}/[app]/${NAME_IN_DIRECTORY}`;
}

export function endingOf(path: string): RecordingEnding {
  return path.endsWith('.mp4') ? '.mp4' : '.flv';
}

/** `a/b.flv` becomes `a/b-2.flv`: what a file is named when there is one of its name already. */
export function numberedPath(path: string, number: number): string {
  const ending = endingOf(path);
  return `${path.slice(0, -ending.length)}-${number}${ending}`;
}

export function unfinishedPath(path: string): string {
  return path + UNFINISHED;
}

/** The path of the finished file; `[duration]`, which nobody knew before, is filled in. */
export function finishedPath(unfinished: string, durationMs: number): string {
  return unfinished.slice(0, -UNFINISHED.length).replaceAll('[duration]', String(Math.round(durationMs)));
}

/** The directory below which all files of the template are. */
export function recordingRoot(template: string): string {
  const path = normalize(template);
  const fixed = path.split('[', 1)[0]!;
  return fixed === path ? dirname(template) : fixed.endsWith('/') ? fixed.slice(0, -1) || '/' : dirname(fixed);
}

/** What a variable can have become. */
const patterns: Readonly<Record<string, string>> = {
  // App and stream can have several parts.
  app: '.+',
  stream: '.+',
  seq: '\\d+',
  duration: '(?:\\d+|\\[duration\\])',
  timestamp: '\\d+',
  '2006': '\\d{4}',
  '01': '\\d{2}',
  '02': '\\d{2}',
  '15': '\\d{2}',
  '04': '\\d{2}',
  '05': '\\d{2}',
  '999': '\\d{3}',
};

/**
 * Matches the paths, normalized, of all finished recordings that the template can have made for the vhost, and maybe more.
 * @param vhost its name; undefined for any
 */
export function recordingPattern(template: string, vhost?: string): RegExp {
  const ending = endingOf(template);
  const text = normalize(template)
    .slice(0, -ending.length)
    .split(/(\[\w+\])/)
    .map((part, index) => {
      if (index % 2 === 0) return escapePattern(part);
      const word = part.slice(1, -1);
      if (word === 'vhost') return vhost === undefined ? '.+' : escapePattern(expandPath(part, namesOf(vhost)));
      return patterns[word] ?? escapePattern(part);
    })
    .join('');
  return new RegExp(`^${text}(?:-\\d+)?${escapePattern(ending)}$`, 's');
}

/** Whether the template can have made the file, which is there, for the vhost. */
export function isRecordingOf(path: string, dvrPath: string, vhost: string): boolean {
  return recordingPattern(recordingTemplate(dvrPath), vhost).test(normalize(path));
}

function namesOf(vhost: string): PathFacts {
  return { vhost, app: '', stream: '' };
}

function escapePattern(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
