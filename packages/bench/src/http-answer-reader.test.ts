import { SrsError } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { fuzz } from '../../../test/support/fuzz.ts';
import { type AnswerHead, HttpAnswerReader } from './http-answer-reader.ts';
import { everyCut, feed } from './pieces-test-support.ts';

const text = (...lines: readonly string[]): Buffer => Buffer.from(lines.join('\r\n'), 'latin1');

/** What reading gives: `STATUS body` of each answer, `|` when it is complete, and the message of the error if there is one. */
function read(bytes: Buffer, cuts: readonly number[] = [], isClosed = false): string[] {
  const seen: string[] = [];
  let body = '';
  const add = (more: string): void => {
    body += more;
    seen[seen.length - 1] = `${seen.at(-1)!.split(' ', 1)[0]} ${body}`;
  };
  const reader = new HttpAnswerReader({
    onHead: ({ status }) => {
      body = '';
      seen.push(`${status} `);
    },
    onBody: (piece, start, end) => add(piece.toString('latin1', start, end)),
    onEnd: () => add('|'),
  });
  try {
    feed((piece, start, end) => reader.receive(piece, start, end), bytes, cuts);
    if (isClosed) reader.end();
  } catch (thrown) {
    if (!(thrown instanceof SrsError)) throw thrown;
    seen.push(thrown.message);
  }
  return seen;
}

describe('answers, whatever the pieces', () => {
  it.each<[string, Buffer, string[]]>([
    ['a body of known length', text('HTTP/1.1 200 OK', 'Content-Length: 5', '', 'hello'), ['200 hello|']],
    [
      'two answers after another',
      text('HTTP/1.1 200 OK', 'content-length:2', '', 'okHTTP/1.1 404 Not Found', 'Content-Length: 0', '', ''),
      ['200 ok|', '404 |'],
    ],
    [
      'chunks',
      text('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', '', '3;a=b', 'one', '0a', '0123456789', '0', 'X: y', '', ''),
      ['200 one0123456789|'],
    ],
    [
      'chunks that are said to have a length too',
      text('HTTP/1.1 200 OK', 'Content-Length: 1', 'Transfer-Encoding: chunked', '', '1', 'a', '0', '', ''),
      ['200 a|'],
    ],
    [
      'an answer after early hints',
      text('HTTP/1.1 103 Early Hints', 'Link: x', '', 'HTTP/1.1 204 No Content', '', ''),
      ['204 |'],
    ],
    ['a body that is not changed', text('HTTP/1.1 304 Not Modified', 'Content-Length: 9', '', ''), ['304 |']],
    ['a body that goes on', text('HTTP/1.0 200 OK', 'Connection: close', '', 'abc'), ['200 abc']],
    ['another protocol', text('HTTP/1.1 101 Switching Protocols', 'Content-Length: 0', '', 'frames'), ['101 frames']],
    ['no answer', text('SSH-2.0-OpenSSH', '', ''), ['answer "SSH-2.0-OpenSSH" must begin with HTTP/1.x']],
    [
      'a length that is none',
      text('HTTP/1.1 200 OK', 'Content-Length: -1', '', ''),
      ['Content-Length "-1" of an answer must be a number'],
    ],
    [
      'a chunk size that is none',
      text('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', '', 'xy', ''),
      ['200 ', 'chunk size "xy" of an answer must be in 0..7fffffff'],
    ],
    [
      'a chunk that is too long',
      text('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', '', '1', 'ab', ''),
      ['200 a', 'chunk of an answer is longer than its size says'],
    ],
  ])('%s', (_name, bytes, expected) => {
    for (const cuts of everyCut(bytes)) expect([cuts, read(bytes, cuts)]).toEqual([cuts, expected]);
  });

  it('a head, or the line of a chunk, without end is refused', () => {
    expect(read(Buffer.from(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}`))).toEqual([
      'head of an answer must have at most 16384 bytes',
    ]);
    const chunked = text('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', '', `1;${'x'.repeat(5000)}`);
    expect(read(chunked)).toEqual(['200 ', 'line of a chunked answer must have at most 4096 bytes']);
  });

  it('any bytes end in answers or an error', () => {
    const samples = [
      text('HTTP/1.1 200 OK', 'Content-Length: 5', '', 'helloHTTP/1.1 204 No Content', '', ''),
      text('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', '', '3', 'one', '0', '', ''),
    ];
    fuzz({ samples, count: 20_000, timeBoxMs: 15_000, maxGrowthBytes: 8 * 1024 * 1024 }, (input, random) => {
      const cut = random.below(input.length + 1);
      expect(read(input, [cut])).toEqual(read(input));
    });
  });
});

describe('the end of the connection', () => {
  it.each<[string, Buffer, string[]]>([
    ['ends a body without length', text('HTTP/1.1 200 OK', '', 'abc'), ['200 abc|']],
    ['between answers is nothing', text('HTTP/1.1 200 OK', 'Content-Length: 1', '', 'a'), ['200 a|']],
    [
      'cuts a body',
      text('HTTP/1.1 200 OK', 'Content-Length: 5', '', 'abc'),
      ['200 abc', 'answer was cut after 3 of 5 bytes of its body'],
    ],
    [
      'cuts a chunk',
      text('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', '', '5', 'abc'),
      ['200 abc', 'answer was cut after 3 bytes of its body'],
    ],
    ['cuts a head', text('HTTP/1.1 200 OK', 'Con'), ['answer was cut after 0 bytes of its body']],
  ])('%s', (_name, bytes, expected) => {
    expect(read(bytes, [], true)).toEqual(expected);
  });
});

it('a header is found by its name, in any case', () => {
  let found: AnswerHead | undefined;
  const reader = new HttpAnswerReader({
    onHead: (head) => {
      found = head;
    },
    onBody: () => {},
    onEnd: () => {},
  });
  const bytes = text('HTTP/1.1 404 Not Found', 'X-Server: Content-Type: a', 'CONTENT-Type:  text/plain ', '', '');
  reader.receive(bytes, 0, bytes.length);
  expect(found?.statusText).toBe('404 Not Found');
  expect(found?.header('content-type')).toBe('text/plain');
  expect(found?.header('server')).toBeUndefined();
});
