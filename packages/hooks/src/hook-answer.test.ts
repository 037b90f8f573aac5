import { describe, expect, it } from 'vitest';
import { checkAnswer, readNamedUrls, readVerdict } from './hook-answer.ts';
import { HookFailure } from './hook-failure.ts';

const url = 'http://hook.test/x?token=secret';
const ok = { status: 200, location: '' };

function failureOf(
  answer: Parameters<typeof checkAnswer>[1],
  check: (url: string, of: typeof answer) => void = checkAnswer,
): HookFailure {
  try {
    check(url, answer);
  } catch (error) {
    if (error instanceof HookFailure) return error;
    throw error;
  }
  throw new Error('that is a yes');
}

describe('checkAnswer', () => {
  it.each(['0', ' 0\r\n', '{"code":0}', ' {"code": 0, "data": {"code": 1}}\n', '{"code":0.0}', '{"code":-0}'])(
    '%j is a yes',
    (body) => {
      expect(() => checkAnswer(url, { ...ok, body })).not.toThrow();
    },
  );

  it.each([
    [{ ...ok, body: '' }, 'invalid', 'answered nothing, must be 0 or {"code":0}'],
    [{ ...ok, body: ' \n' }, 'invalid', 'answered nothing, must be 0 or {"code":0}'],
    [{ ...ok, body: '1' }, 'refused', 'answered "1", must be 0 or {"code":0}'],
    [{ ...ok, body: '00' }, 'refused', 'answered "00", must be 0 or {"code":0}'],
    [{ ...ok, body: 'ok' }, 'invalid', 'answered "ok", must be 0 or {"code":0}'],
    [{ ...ok, body: '[0]' }, 'invalid', 'answered "[0]", must be 0 or {"code":0}'],
    [{ ...ok, body: '{"code":1}' }, 'refused', 'answered code 1, must be 0'],
    [{ ...ok, body: '{"code":"0"}' }, 'invalid', 'answered "{\\"code\\":\\"0\\"}", must have "code":0'],
    [{ ...ok, body: '{"__proto__":{"code":0}}' }, 'invalid', 'answered "{\\"__proto__\\":{\\"code\\":0}}", must have "code":0'],
    [{ ...ok, body: '{"code":0' }, 'invalid', "answered invalid JSON: Expected ',' or '}' after property value"],
    [{ ...ok, body: `<html>${'x'.repeat(500)}` }, 'invalid', `answered "<html>${'x'.repeat(74)}"..., must be 0 or {"code":0}`],
    [{ status: 500, location: '', body: '0' }, 'unavailable', 'answered status 500, must be 200'],
    [{ status: 429, location: '', body: '' }, 'unavailable', 'answered status 429, must be 200'],
    [{ status: 404, location: '', body: '0' }, 'invalid', 'answered status 404, must be 200'],
    [{ status: 204, location: '', body: '' }, 'invalid', 'answered status 204, must be 200'],
    [{ status: 403, location: '', body: '' }, 'refused', 'answered status 403, must be 200'],
    [
      { status: 302, location: 'http://evil.test/', body: '0' },
      'invalid',
      'answered status 302 to "http://evil.test/": redirects are not followed',
    ],
  ] as const)('%j is a no', (answer, kind, reason) => {
    const failure = failureOf(answer);
    expect(failure.kind).toBe(kind);
    expect(failure.message).toContain(`hook http://hook.test/x?token=*** ${reason}`);
  });
});

describe('readVerdict', () => {
  const there = { kind: 'stream', tcUrl: 'rtmp://b/live', streamName: '' };

  it('knows yes', () => {
    expect(readVerdict(url, { ...ok, body: ' {"code":0,"redirect":"rtmp://b/live"}' })).toBeUndefined();
  });

  it.each([
    { ...ok, body: ' {"code":302,"redirect":"rtmp://b/live"}\n' },
    { status: 302, location: 'rtmp://b/live', body: '' },
    { status: 301, location: 'rtmp://b/live', body: '{"code":0}' },
  ])('%j sends the client elsewhere, and is a no where nobody can be sent', (answer) => {
    expect(readVerdict(url, answer)).toEqual(there);
    expect(() => checkAnswer(url, answer)).toThrow(HookFailure);
  });

  it.each([
    [{ ...ok, body: '{"code":302}' }, 'answered code 302, must have "redirect":"rtmp://..."'],
    [{ ...ok, body: '{"code":302,"redirect":7}' }, 'answered code 302, must have "redirect":"rtmp://..."'],
    [{ ...ok, body: '{"code":302,"redirect":"b/live"}' }, 'answered a redirect to nowhere: address "b/live" must be rtmp://host'],
    [
      { status: 302, location: 'rtmp://b:0/live', body: '' },
      'answered a redirect to nowhere: address "rtmp://b:0/live" must have a port',
    ],
    [{ status: 302, location: 'http://b/live', body: '' }, 'answered status 302 to "http://b/live": redirects are not followed'],
  ])('%j is a no that says why', (answer, reason) => {
    const failure = failureOf(answer, readVerdict);
    expect(failure.kind).toBe('invalid');
    expect(failure.message).toContain(reason);
  });
});

describe('readNamedUrls', () => {
  it.each([
    ['{"code":0,"data":{"urls":["rtmp://a/live/s","b"]}}', ['rtmp://a/live/s', 'b']],
    ['{"code":0,"data":{"urls":[]}}', []],
    ['{"code":0,"data":{}}', []],
    ['{"code":0,"data":null}', []],
    ['{"code":0}', []],
    ['0', []],
  ])('%s', (body, urls) => {
    expect(readNamedUrls(url, { ...ok, body })).toEqual(urls);
  });

  const many = JSON.stringify(Array.from({ length: 101 }, () => 'a'));
  it.each([
    ['{"code":1,"data":{"urls":["a"]}}', 'answered code 1, must be 0'],
    ['{"code":0,"data":{"urls":"a"}}', 'answered data.urls "\\"a\\"", must be a list of texts'],
    ['{"code":0,"data":{"urls":["a",1]}}', 'answered data.urls "[\\"a\\",1]", must be a list of texts'],
    [`{"code":0,"data":{"urls":${many}}}`, 'answered 101 data.urls, must be at most 100'],
  ])('%s names nothing', (body, reason) => {
    expect(failureOf({ ...ok, body }, readNamedUrls).message).toBe(`hook http://hook.test/x?token=*** ${reason}`);
  });
});
