import { describe, expect, it } from 'vitest';
import { finishedPath, numberedPath, recordingPattern, recordingRoot, recordingTemplate } from './recording-path.ts';

describe('a dvr_path', () => {
  it.each([
    ['./objs/nginx/html', './objs/nginx/html/[app]/[stream].[timestamp].flv'],
    ['/data/', '/data/[app]/[stream].[timestamp].flv'],
    ['/', '/[app]/[stream].[timestamp].flv'],
    ['/data/[vhost]/[app]', '/data/[vhost]/[app]/[stream].[timestamp].flv'],
    ['/data/[stream].flv', '/data/[stream].flv'],
    ['/data/[2006]/[stream].mp4', '/data/[2006]/[stream].mp4'],
    ['/data/one.flv', '/data/one.flv'],
  ])('%s stands for %s', (dvrPath, template) => {
    expect(recordingTemplate(dvrPath)).toBe(template);
  });

  it.each([
    ['./objs/html/[app]/x.flv', 'objs/html'],
    ['/data/a-[app]/x.flv', '/data'],
    ['/[app]/x.flv', '/'],
    ['[app]/x.flv', '.'],
    ['/data/one.flv', '/data'],
  ])('the files of %s are below %s', (template, root) => {
    expect(recordingRoot(template)).toBe(root);
  });
});

describe('the files of a template', () => {
  it.each([
    ['./d/[app]/[stream].[timestamp].flv', 'd/live/show.1767323045067.flv', true],
    ['/d/[app]/[stream].[timestamp].flv', '/d/a/b/show.x.1767323045067-12.flv', true],
    ['/d/[app]/[stream].[timestamp].flv', '/d/live/show.flv', false],
    ['/d/[app]/[stream].[timestamp].flv', '/d/live/show.1767323045067.flv.tmp', false],
    ['/d/[app]/[stream].[timestamp].flv', '/d/live/show.1767323045067.mp4', false],
    ['/d/[app]/[stream].[timestamp].flv', '/d/show.1767323045067.flv', false],
    ['/d/[vhost]/[stream].flv', '/d/a.com/show.flv', true],
    ['/d/[vhost]/[stream].flv', '/d/b.com/show.flv', false],
    ['/d/[vhost]/[stream].flv', '/d/aXcom/show.flv', false],
    ['/d/[2006]-[01]-[02]/[15][04][05].[999]-[stream].[seq].[duration].mp4', '/d/2026-01-02/030405.067-show.0.9000.mp4', true],
    ['/d/[2006]-[01]-[02]/[15][04][05].[999]-[stream].[seq].[duration].mp4', '/d/2026-1-2/030405.067-show.0.9000.mp4', false],
    ['/d/a+b (c)/[stream].flv', '/d/a+b (c)/show.flv', true],
  ])('of %s: %s %s', (template, path, isOne) => {
    expect(recordingPattern(template, 'a.com').test(path)).toBe(isOne);
  });

  it('are of any vhost when none is named', () => {
    expect(recordingPattern('/d/[vhost]/[stream].flv').test('/d/b.com/show.flv')).toBe(true);
  });
});

it('a number stands before the ending, a duration is filled in', () => {
  expect(numberedPath('/d/a.b.flv', 3)).toBe('/d/a.b-3.flv');
  expect(finishedPath('/d/a.[duration].mp4.tmp', 1234.4)).toBe('/d/a.1234.mp4');
});
