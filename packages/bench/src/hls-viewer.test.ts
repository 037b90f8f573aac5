import { describe, expect, it } from 'vitest';
import { HlsViewer } from './hls-viewer.ts';

const URL_OF_STREAM = 'http://localhost:8080/live/s.m3u8?token=x';
const PATH = '/live/s.m3u8?token=x';

/** A viewer with a clock, that writes down what it finds. */
class Trial {
  nowMs = 1000;
  readonly found: string[] = [];
  readonly viewer: HlsViewer;

  constructor(url = URL_OF_STREAM) {
    this.viewer = new HlsViewer(url, {
      onStarted: () => this.found.push('started'),
      onGap: (segments) => this.found.push(`gap of ${segments}`),
      onWrong: (what) => this.found.push(what),
      onFrozen: () => this.found.push('frozen'),
    });
  }

  /** What it asks for now, until it waits; then for how long. Playlists are left unanswered, so they end the list. */
  asks(): (string | number)[] {
    const asked: (string | number)[] = [];
    for (;;) {
      const next = this.viewer.next(this.nowMs);
      asked.push(typeof next === 'number' ? next - this.nowMs : next.path);
      if (typeof next === 'number' || next.kind === 'playlist') return asked;
    }
  }

  /** The playlist that it has just asked for, and what it does then. */
  answer(playlist: string): (string | number)[] {
    this.viewer.onPlaylist(playlist, this.nowMs, this.nowMs);
    return this.asks();
  }

  /** Time goes on to the next request for the playlist, which is answered. */
  reload(afterMs: number, playlist: string): (string | number)[] {
    this.nowMs += afterMs - 1;
    expect(this.asks()).toEqual([1]);
    this.nowMs += 1;
    expect(this.asks()).toEqual([PATH]);
    return this.answer(playlist);
  }
}

/** Segments of 2 s with the numbers from `first` on. */
function live(first: number, count: number, more: readonly string[] = []): string {
  const segments = Array.from({ length: count }, (_, index) => ['#EXTINF:2.0,', `s-${first + index}.ts`]).flat();
  return ['#EXTM3U', '#EXT-X-TARGETDURATION:2', `#EXT-X-MEDIA-SEQUENCE:${first}`, ...segments, ...more].join('\n');
}

const paths = (...numbers: readonly number[]): string[] => numbers.map((number) => `/live/s-${number}.ts`);

describe('a viewer of a live stream', () => {
  it('begins three segments before the end, and asks for the playlist a target duration later', () => {
    const trial = new Trial();
    expect(trial.asks()).toEqual([PATH]);
    expect(trial.answer(live(10, 6))).toEqual([...paths(13, 14, 15), 2000]);
    expect(trial.found).toEqual(['started']);
  });

  it('asks for each new segment once', () => {
    const trial = new Trial();
    trial.answer(live(0, 3));
    expect(trial.reload(2000, live(1, 4))).toEqual([...paths(3, 4), 2000]);
    expect(trial.reload(2000, live(2, 4))).toEqual([...paths(5), 2000]);
    expect(trial.found).toEqual(['started']);
  });

  it('asks again after half of a target duration when nothing is new', () => {
    const trial = new Trial();
    trial.answer(live(0, 3));
    expect(trial.reload(2000, live(0, 3))).toEqual([1000]);
    expect(trial.reload(1000, live(0, 4))).toEqual([...paths(3), 2000]);
  });

  it('waits from when it asked, not from the answer', () => {
    const trial = new Trial();
    trial.asks();
    trial.viewer.onPlaylist(live(0, 1), 1000, 1600);
    trial.nowMs = 1600;
    expect(trial.asks()).toEqual([...paths(0), 1400]);
  });

  it('a playlist that stands still for more than two target durations is frozen, once until it goes on', () => {
    const trial = new Trial();
    trial.answer(live(0, 3));
    trial.reload(2000, live(0, 3));
    trial.reload(1000, live(0, 3));
    trial.reload(1000, live(0, 3));
    expect(trial.found).toEqual(['started']);
    trial.reload(1000, live(0, 3));
    trial.reload(1000, live(0, 3));
    expect(trial.found).toEqual(['started', 'frozen']);
    trial.reload(1000, live(0, 4));
    trial.reload(2000, live(0, 4));
    trial.reload(1000, live(0, 4));
    trial.reload(1000, live(0, 4));
    expect(trial.found).toEqual(['started', 'frozen']);
    trial.reload(1000, live(0, 4));
    trial.reload(1000, live(0, 4));
    expect(trial.found).toEqual(['started', 'frozen', 'frozen']);
  });

  it('a playlist that cannot be had stands still too', () => {
    const trial = new Trial();
    trial.answer(live(0, 3));
    trial.nowMs += 4501;
    trial.viewer.onNoPlaylist(trial.nowMs, trial.nowMs);
    expect(trial.asks()).toEqual([1000]);
    expect(trial.found).toEqual(['started', 'frozen']);
  });

  it('segments that left the playlist unseen are a gap', () => {
    const trial = new Trial();
    trial.answer(live(0, 3));
    expect(trial.reload(2000, live(7, 3))).toEqual([...paths(7, 8, 9), 2000]);
    expect(trial.found).toEqual(['started', 'gap of 4']);
  });

  it('numbers that go back are wrong, and it begins anew', () => {
    const trial = new Trial();
    trial.answer(live(100, 3));
    expect(trial.reload(2000, live(0, 5))).toEqual([...paths(2, 3, 4), 2000]);
    expect(trial.found).toEqual(['started', 'sequence numbers of a playlist went back']);
  });

  it('a segment that changes its address is wrong', () => {
    const trial = new Trial();
    trial.answer(live(0, 3));
    trial.reload(2000, live(0, 4).replace('s-1.ts', 'other.ts'));
    expect(trial.found).toEqual(['started', 'segment of a playlist has got another address']);
  });

  it('a playlist that cannot be read is wrong, and asked for again', () => {
    const trial = new Trial();
    trial.answer(live(0, 3));
    expect(trial.reload(2000, 'oops')).toEqual([1000]);
    expect(trial.reload(1000, live(0, 4))).toEqual([...paths(3), 2000]);
    expect(trial.found).toEqual(['started', 'playlist line 1: "oops" must be #EXTM3U']);
  });

  it('an empty playlist is one that segments come to', () => {
    const trial = new Trial();
    expect(trial.answer(live(0, 0))).toEqual([1000]);
    expect(trial.reload(1000, live(0, 1))).toEqual([...paths(0), 2000]);
  });

  it('reads a map before the segments, and again only when it changes', () => {
    const trial = new Trial();
    const mapped = (count: number, map: string): string => live(0, count).replace('#EXTINF', `#EXT-X-MAP:URI="${map}"\n#EXTINF`);
    expect(trial.answer(mapped(1, 'a.mp4'))).toEqual(['/live/a.mp4', ...paths(0), 2000]);
    expect(trial.reload(2000, mapped(2, 'a.mp4'))).toEqual([...paths(1), 2000]);
    expect(trial.reload(2000, mapped(3, 'b.mp4'))).toEqual(['/live/b.mp4', ...paths(2), 2000]);
  });

  it('only what is not encrypted has to be whole packets', () => {
    const trial = new Trial();
    const isPlain = (playlist: string): boolean[] => {
      trial.viewer.onPlaylist(playlist, trial.nowMs, trial.nowMs);
      const first = trial.viewer.next(trial.nowMs);
      return typeof first === 'number' ? [] : [first.isPlainTs];
    };
    expect(isPlain(live(0, 1))).toEqual([true]);
    expect(isPlain(live(0, 2).replace('s-1.ts', 's-1.ts?x=1'))).toEqual([true]);
    expect(isPlain(live(2, 1).replace('.ts', '.m4s'))).toEqual([false]);
    expect(isPlain(live(3, 1).replace('#EXTINF', '#EXT-X-KEY:METHOD=AES-128\n#EXTINF'))).toEqual([false]);
  });
});

describe('a choice of playlists', () => {
  const choice = '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow/s.m3u8?hls_ctx=1\n';

  it('is followed to the first of them, and segments are beside that', () => {
    const trial = new Trial();
    expect(trial.answer(choice)).toEqual(['/live/low/s.m3u8?hls_ctx=1']);
    expect(trial.answer(live(0, 1))).toEqual(['/live/low/s-0.ts', 2000]);
    expect(trial.found).toEqual(['started']);
  });

  it('must not choose itself', () => {
    const trial = new Trial();
    trial.answer(choice.replace('low/s.m3u8?hls_ctx=1', 's.m3u8?token=x'));
    expect(trial.found).toEqual(['playlist chooses itself']);
  });
});

it('no server is asked but the one that was named', () => {
  const trial = new Trial();
  expect(trial.answer(live(0, 1).replace('s-0', 'http://192.0.2.1/s-0'))).toEqual([1000]);
  expect(trial.found).toEqual(['started', 'playlist names "http://192.0.2.1/s-0.ts", which is not on its own server']);
});

describe('a recording', () => {
  const recording = live(0, 5, ['#EXT-X-ENDLIST']);

  it('is played in real time from its beginning, three segments in store, and from the beginning again', () => {
    const trial = new Trial();
    expect(trial.answer(recording)).toEqual([...paths(0, 1, 2, 3), 2000]);
    trial.nowMs += 2000;
    // At 4 s the second round begins, whose segments are due three segments before they are played.
    expect(trial.asks()).toEqual([...paths(4), 2000]);
    trial.nowMs += 2000;
    expect(trial.asks()).toEqual([...paths(0), 2000]);
    trial.nowMs += 2000;
    expect(trial.asks()).toEqual([...paths(1), 2000]);
    expect(trial.found).toEqual(['started']);
  });

  it('what took longer to come than to play does not have to be made up for', () => {
    const trial = new Trial();
    trial.answer(recording);
    trial.nowMs += 100_000;
    expect(trial.asks()).toEqual([...paths(4, 0, 1, 2, 3), 2000]);
  });

  it('without segments is looked at by the clock', () => {
    expect(new Trial().answer(live(0, 0, ['#EXT-X-ENDLIST']))).toEqual([2000]);
  });
});
