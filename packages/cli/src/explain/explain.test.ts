import picocolors from 'picocolors';
import { describe, expect, it } from 'vitest';
import { cellsOf, deadPort, json, kbps, run, serve, serveMaster, slotOf, summaryOf } from '../cli-test-support.ts';
import { clientOf, directoryStream, publisher, push, ring, workerStream } from '../rows-test-support.ts';
import { explainClient, explainStream } from './explain.ts';
import type { DepartureRow } from './explain-facts.ts';
import { factsIn, type Situation } from './explain-test-support.ts';

const colorless = picocolors.createColors(false);

const peer = { version: '2.0.0', serverIp: '10.0.0.9', pid: 4711, id: 105 };
const pull = {
  origin: '10.0.0.9:1935',
  protocol: 'rtmp',
  state: 'pulling',
  stateSeconds: 9,
  starts: 1,
  lastError: '',
  peer,
} as const;

const gone = (id: number, more: Partial<DepartureRow> = {}): DepartureRow => ({
  id,
  ip: '10.0.0.3',
  type: 'play',
  streamId: '__defaultVhost__/live/one',
  aliveSeconds: 2,
  agoSeconds: 9,
  isRefused: false,
  reason: 'client closed the connection',
  worker: 1,
  ...more,
});

/** What is found, without what is to be done. */
const findingsOf = (report: ReturnType<typeof explainClient>): string[] =>
  report.document.findings.map(({ severity, what }) => `${severity}: ${what}`);

const ofClient = (situation: Situation): string[] => findingsOf(explainClient(factsIn(situation), 215));
const ofStream = (situation: Situation): string[] =>
  findingsOf(explainStream(factsIn({ client: null, ...situation }), 'live/one'));

describe('what is said of a player', () => {
  it('is nothing when all is well', () => {
    expect(ofClient({})).toEqual([]);
    const report = explainClient(factsIn(), 215);
    expect(report.failure).toBeUndefined();
    expect(report.text(colorless)).toContain('Nothing is wrong with it, as far as the figures tell.\n');
  });

  it.each<[string, Situation, string]>([
    [
      'its connection is slow',
      { client: { pendingBytes: 200_000 } },
      'problem: it does not take its bytes: 195 KiB wait in its connection, 2.0 s of the stream',
    ],
    ['it is late', { client: { lagBytes: 400_000 } }, 'problem: it is 4.0 s behind (391 KiB)'],
    [
      'it has stopped reading',
      {
        client: { lagBytes: 2_000_000 },
        settings: [{ directive: 'vhost __defaultVhost__ / queue_length', value: '10', origin: 'default' }],
      },
      'problem: it is 20.0 s behind (1.9 MiB), more than queue_length 10 s: it takes nothing any more',
    ],
    ['it was cut', { client: { cuts: 2, droppedFrames: 1 } }, 'warning: it was too late 2 times: 1 frame was left out for it'],
    [
      'it gets less than there is',
      { client: { sendKbps: kbps(100) } },
      'warning: it got 100 kbps in the last 30 s, the publisher sent 800 kbps',
    ],
    [
      'it is paused',
      { client: { isPaused: true, lagBytes: 900_000 } },
      'note: the viewer has paused it: it is sent nothing until it goes on',
    ],
    ['nobody publishes', { isPublished: false }, 'problem: nobody publishes live/one; the player waits for it'],
    [
      'its worker is late',
      { summary: { cpuPercent: 97, eventLoop: { windowSeconds: 10, p50Ms: 1, p99Ms: 120, maxMs: 300 } } },
      'problem: worker 2 (pid 1002) is late by 120 ms (p99 of the last 10 s): 97 % of a core, 8 players',
    ],
    [
      'its worker is busy',
      { summary: { cpuPercent: 95 } },
      'warning: worker 2 (pid 1002) takes 95 % of a core: it cannot take more',
    ],
    [
      'its worker sends too much',
      { summary: { fanOut: { ...summaryOf(2).fanOut!, stretch: 2 } } },
      'warning: worker 2 (pid 1002) sends so much that all its streams are collected 2.0 times longer',
    ],
    ['its worker is silent', { isSilent: true }, 'problem: worker 2 (pid 1002) does not answer: no answer within 500 ms'],
    [
      'its worker is new',
      { slot: { restarts: 1, lastEnd: 'signal SIGKILL' } },
      'note: worker 2 (pid 1002) has been started again 1 time, the last one after signal SIGKILL, 1m40s ago',
    ],
    [
      'its frames are collected',
      { play: { flushIntervalMs: 300 } },
      'note: worker 2 collects frames for 300 ms before it sends them to its 3 players: so much comes on top of the latency',
    ],
    [
      'its worker was overtaken',
      { play: { laps: 3 } },
      'warning: worker 2 was overtaken by the publisher 3 times: its players went on at a newer key frame',
    ],
  ])('is what is wrong: %s', (_, situation, finding) => {
    expect(ofClient(situation)).toContain(finding);
  });

  it('tells what is to be done, with the value that counts', () => {
    const settings = [{ directive: 'vhost __defaultVhost__ / queue_length', value: '12', origin: 'file a.conf:3' }];
    const { document } = explainClient(factsIn({ client: { lagBytes: 400_000 }, settings }), 215);
    expect(document.findings[0]?.advice).toContain('queue_length (now 12 s)');
    expect(document.settings).toEqual(settings);
  });

  it('tells a late player how much it takes of its stream', () => {
    const { document } = explainClient(factsIn({ client: { lagBytes: 400_000, sendKbps: kbps(200) } }), 215);
    expect(document.findings).toHaveLength(1);
    expect(document.findings[0]?.advice).toMatch(
      /^it takes 200 kbps of the 800 kbps of the stream: offer one with less\. It is cut /,
    );
  });

  it('is that it has said nothing, when it is neither publisher nor player', () => {
    const client = { type: 'unknown', app: 'live', streamId: '', aliveSeconds: 60 } as const;
    expect(ofClient({ client })).toEqual([
      'warning: it is connected for 1m00s, is in the application live, and neither publishes nor plays',
    ]);
  });
});

describe('what is said of a client that has left', () => {
  const explained = (more: Partial<DepartureRow>): ReturnType<typeof explainClient> =>
    explainClient(factsIn({ client: null, isPublished: false, isPlayed: false, departures: [gone(300, more)] }), 300);

  it.each<[string, Partial<DepartureRow>, string]>([
    [
      'it was refused',
      { isRefused: true, reason: 'page "http://x" must end with one of: a.com', type: 'unknown' },
      'problem: client 300 (10.0.0.3, worker 1) was refused 9s ago, after 2s: page "http://x" must end with one of: a.com; it had asked for __defaultVhost__/live/one',
    ],
    [
      'it left',
      { reason: 'client closed the connection' },
      'note: client 300 (10.0.0.3, worker 1) left 9s ago, after 2s: client closed the connection; it played __defaultVhost__/live/one',
    ],
    [
      'it came to nothing',
      { streamId: '', reason: 'no connect command' },
      'note: client 300 (10.0.0.3, worker 1) left 9s ago, after 2s: no connect command',
    ],
  ])('is how it ended: %s', (_, more, finding) => {
    const report = explained(more);
    expect(report.failure).toBeUndefined();
    expect(findingsOf(report)[0]).toBe(finding);
    expect(report.text(colorless)).toContain(finding);
    expect(report.text(colorless)).not.toContain('Nothing is wrong');
    expect(report.document.departure).toMatchObject({ id: 300, worker: 1 });
  });

  it.each([
    ['page "x" must end with one of: a', 'refer'],
    ['vhost a.com is not configured', 'vhost'],
    ['hook http://10.0.0.1/auth answered 5', 'http_hooks'],
    ['no shared memory for stream x (ring memory)', 'ring { memory }'],
    ['something else', 'the reason says'],
  ])('advises on %s', (reason, advice) => {
    expect(explained({ isRefused: true, reason }).document.findings[0]?.advice).toContain(advice);
  });
});

describe('what is said of a stream', () => {
  it.each<[string, Situation, string]>([
    [
      'it has no key frame',
      { ring: { gopBytes: 0 } },
      'problem: there is no key frame in the ring: who joins now waits for the next one',
    ],
    [
      'its key frames are rare',
      { ring: { gopBytes: 1_000_000 } },
      'warning: the newest key frame is about 10 s old: who joins now is given 977 KiB at once and starts that far back',
    ],
    [
      'frames are lost',
      { input: { droppedFrames: 4 } },
      'problem: 4 frames of the publisher had no room in the ring and are lost to everybody',
    ],
    ['time jumps', { input: { correctedTimestamps: 1 } }, 'warning: 1 timestamp of the encoder jumped and was put right'],
    ['the publisher is silent', { input: { recvKbps: kbps(0) } }, 'problem: the publisher has sent nothing in the last 30 s'],
    ['there is no picture', { input: { videoFrames: 0 } }, 'note: the stream has sound only'],
    [
      'there is nothing',
      { input: { videoFrames: 0, audioFrames: 0 } },
      'problem: the publisher has sent neither pictures nor sound',
    ],
    ['nobody publishes', { isPublished: false }, 'problem: nobody publishes live/one; 3 players wait for it'],
    [
      'no origin has it',
      { isPublished: false, pull: { ...pull, state: 'waiting', lastError: '10.0.0.9:1935: nobody publishes the stream there' } },
      'problem: no origin gives the stream at the moment (10.0.0.9:1935, waiting): 10.0.0.9:1935: nobody publishes the stream there',
    ],
    [
      'a server does not get it',
      { pushes: [{ ...push, state: 'waiting', lastError: 'cannot connect' }] },
      'warning: 10.0.0.7:1935 does not get it (forward, waiting): cannot connect',
    ],
    [
      'a server is slow',
      { pushes: [{ ...push, droppedFrames: 7 }] },
      'warning: 10.0.0.7:1935 was too slow or away: 7 frames left out for it',
    ],
    ['players are behind', { play: { playersInStep: 2 } }, 'note: 1 of 3 players is behind, joining or paused'],
    [
      'players were cut',
      { play: { cuts: 5, droppedFrames: 80 } },
      'warning: players were too late 5 times, 80 frames were left out for them',
    ],
  ])('is what is wrong: %s', (_, situation, finding) => {
    expect(ofStream(situation)).toContain(finding);
  });

  it.each([
    ['config', 'correct forward'],
    ['backend', 'let the backend of forward name another one'],
    ['api', 'take it away with srs-cli forward remove'],
  ] as const)('is what to do about a destination of the %s', (source, remedy) => {
    const facts = factsIn({ client: null, pushes: [{ ...push, source, state: 'waiting' }] });
    expect(explainStream(facts, 'live/one').text(colorless)).toContain(`or ${remedy}\n`);
  });

  it('tells who was refused, why, and who may be', () => {
    const reason = 'stream __defaultVhost__/live/one is already published by 10.0.0.1, cid=200';
    const departures = [
      gone(301, { isRefused: true, reason, agoSeconds: 4 }),
      gone(300, { isRefused: true, reason, agoSeconds: 9 }),
      gone(299, { isRefused: true, reason: 'long ago', agoSeconds: 4000 }),
      gone(298, { isRefused: true, streamId: '__defaultVhost__/live/other', reason: 'of another stream' }),
    ];
    expect(ofStream({ departures })).toEqual([
      `warning: 2 clients were refused, the last one 4s ago (id 301, 10.0.0.3): ${reason}`,
    ]);
    expect(explainStream(factsIn({ departures }), 'live/one').document.findings[0]?.advice).toContain('busy replace');
  });

  it('tells when its publisher has left', () => {
    const departures = [gone(300, { type: 'publish', reason: 'no media for 5 s', agoSeconds: 70, aliveSeconds: 20 })];
    const left = 'note: its last publisher, 10.0.0.3 (id 300), left 1m10s ago, after 20s: no media for 5 s';
    expect(ofStream({ departures, isPublished: false })).toContain(left);
    expect(ofStream({ departures })).toEqual([]);
    const nobodyThere = explainStream(factsIn({ departures, isPublished: false, isPlayed: false }), 'live/one');
    expect(nobodyThere.failure).toContain('nobody publishes or plays live/one');
    expect(nobodyThere.text(colorless)).toContain(left);
  });

  it('tells the way over an origin and to other servers', () => {
    const report = explainStream(factsIn({ client: null, pull, pushes: [push] }), 'live/one');
    expect(report.document.path.map(({ step, detail }) => `${step}: ${detail}`)).toEqual([
      'push: forward to 10.0.0.7:1935, publishing, 250 frames, 122 KiB',
      expect.stringMatching(/^stream: /),
      'origin: 10.0.0.9:1935, pulling, there ip 10.0.0.9, pid 4711, id 105',
    ]);
    expect(report.document.path.at(-1)?.cid).toBe(200);
    expect(findingsOf(report)).toEqual([]);
  });

  it('tells which server a client is, and where to go on there', () => {
    const player = explainClient(factsIn({ client: { server: peer, flashVer: 'WIN 12' } }), 215);
    expect(player.document.path[0]?.detail).toBe('plays live/one for a server, there ip 10.0.0.9, pid 4711, id 105');
    const pushing = explainClient(factsIn({ client: { type: 'publish', id: 200, server: peer } }), 200);
    expect(pushing.document.path.at(-1)?.detail).toContain('from a server, there ip 10.0.0.9, pid 4711, id 105');
  });

  it('begins with the worst', () => {
    const all = ofStream({ ring: { gopBytes: 0 }, play: { cuts: 1, playersInStep: 1 }, input: { correctedTimestamps: 2 } });
    expect(all.map((each) => each.split(':')[0])).toEqual(['problem', 'warning', 'warning', 'note']);
  });

  it('is nothing when all is well', () => {
    expect(ofStream({})).toEqual([]);
  });
});

describe('srs-cli explain', () => {
  async function serveStream(): Promise<number> {
    const good = { ...publisher, droppedFrames: 0, correctedTimestamps: 0 };
    const directory = await serve({
      '/api/v1/summary': () => summaryOf(0),
      '/api/v1/streams': () => [directoryStream('__defaultVhost__/live/one')],
      '/api/v1/clients': () => [],
    });
    const worker = await serve({
      '/api/v1/summary': () => summaryOf(1),
      '/api/v1/streams': () => [
        workerStream('__defaultVhost__/live/one', { publisher: good, ring }),
        workerStream('__defaultVhost__/live/oen', { ring: null, sourceCid: -1 }),
      ],
      '/api/v1/clients': ({ id }) =>
        [clientOf(215), clientOf(216, { streamId: '__defaultVhost__/live/oen' })].filter((each) => String(each.id) === id),
    });
    return await serveMaster([slotOf(0, directory), slotOf(1, worker)]);
  }

  it('leads from a player to its publisher', async () => {
    const port = await serveStream();
    const { code, out, err } = await run(port, ['explain', '216']);
    expect([code, err]).toEqual([0, '']);
    expect(cellsOf(out, 'client').slice(0, 5)).toEqual(['client', '216', '10.0.0.9', '1 (pid 1001)', '1m40s']);
    expect(out).toContain(
      'problem: nobody publishes live/oen; the player waits for it\n  -> published is live/one: correct the address',
    );
    expect(await json(port, 'explain', 'live/one')).toMatchObject({
      subject: { kind: 'stream', streamId: '__defaultVhost__/live/one' },
      client: null,
      stream: { publisher: { cid: 200, worker: 1 } },
      path: [{ step: 'stream' }, { step: 'publisher', cid: 200, ip: '10.0.0.1', worker: 1, pid: 1001, kbps: 500 }],
    });
  });

  it('ends with status 1 for what is not there, with what is', async () => {
    const port = await serveStream();
    expect(await run(port, ['explain', '99'])).toEqual({
      code: 1,
      out: '',
      err: 'srs-cli: there is no client 99; one that left long ago is in the log as [99], with the reason\n',
    });
    expect(await run(port, ['explain', 'live/onne'])).toEqual({
      code: 1,
      out: '',
      err: 'srs-cli: nobody publishes or plays live/onne; there is live/one\n',
    });
    expect((await run(await deadPort(), ['explain', 'live/one'])).code).toBe(1);
  });
});
