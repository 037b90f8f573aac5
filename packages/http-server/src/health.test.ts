import { expect, test } from 'vitest';
import { healthDocument, readinessDocument } from './health.ts';
import { answerOf, reportOf } from './metrics-test-support.ts';

test('a server all of whose workers answer is ready', () => {
  const answers = [answerOf(reportOf(0, 'back-source')), answerOf(reportOf(1, 'stream'))];
  expect(readinessDocument(answers)).toEqual({ code: 0, status: 'ready', workers: 2, ready: 2, reasons: [] });
});

test('each worker that does not serve is a reason', () => {
  const answers = [
    answerOf(reportOf(0, 'back-source')),
    answerOf(reportOf(1, 'stream'), null),
    {
      ...answerOf(reportOf(2, 'stream', { state: 'waiting', pid: 0 }), null),
      problem: 'died of signal SIGKILL, is started again in a moment',
    },
    answerOf(reportOf(3, 'stream', { state: 'draining' })),
  ];
  expect(readinessDocument(answers)).toEqual({
    code: 503,
    status: 'not ready',
    workers: 4,
    ready: 1,
    reasons: [
      'stream worker in slot 1 (pid 1001): no answer within 1000 ms',
      'stream worker in slot 2: died of signal SIGKILL, is started again in a moment',
      'stream worker in slot 3 (pid 1003): is draining',
    ],
  });
});

test('a server without workers is not ready', () => {
  expect(readinessDocument([])).toMatchObject({ code: 503, reasons: ['the server has no workers'] });
});

test('alive is who answers', () => {
  expect(healthDocument({ pid: 5, uptime: () => 7.6 })).toEqual({ code: 0, status: 'alive', pid: 5, uptime_seconds: 8 });
});

test('a server that is drained is not ready though its workers are', () => {
  const answers = [answerOf(reportOf(0, 'back-source')), answerOf(reportOf(1, 'stream'))];
  expect(readinessDocument(answers, { clients: 3 })).toEqual({
    code: 503,
    status: 'not ready',
    workers: 2,
    ready: 2,
    reasons: ['the server is drained: 3 clients are left'],
  });
});
