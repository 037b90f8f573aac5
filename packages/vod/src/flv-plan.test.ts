import { encodeFlvTag } from '@srs/flv';
import { frameTypes } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { flvOf, headers, indexedFlv, metadataOf, payloadOf, picturesOf, type TestTag } from '../../../test/support/flv-files.ts';
import { type FlvPlan, planFlv } from './flv-plan.ts';
import { withWindow } from './vod-test-support.ts';

const tags = [...headers, ...picturesOf({ groups: 20, groupMs: 2000 })];

function plan(bytes: Buffer, scannedBytes = 0): FlvPlan {
  return withWindow(bytes, (window, places) => planFlv(window, places, scannedBytes));
}

const PICTURE_BYTES = 30;

/** Small ones, six seconds apart. */
function keyFrames(count: number): Buffer {
  const tags = Buffer.alloc(count * PICTURE_BYTES, encodeFlvTag(frameTypes.video, 0, payloadOf({ kind: 'key', bytes: 15 })));
  for (let index = 0; index < count; index++) {
    const ms = index * 6000;
    tags.writeUIntBE(ms & 0xffffff, index * PICTURE_BYTES + 4, 3);
    tags[index * PICTURE_BYTES + 7] = ms >>> 24;
  }
  return tags;
}

describe('a file with a list of its key frames', () => {
  it('is cut by it, and told how long it is, after a look at its beginning and its end', () => {
    const { bytes } = indexedFlv(tags);
    const { index, state, cuts } = plan(bytes);
    expect(index!.marks.map(({ timeMs }) => timeMs)).toEqual([0, 6000, 12_000, 18_000, 24_000, 30_000, 36_000]);
    expect(index).toMatchObject({ endMs: 40_000, hasForcedCut: false });
    expect(cuts.map(({ timeMs }) => timeMs)).toEqual([0, 6000]);
    expect(state).toMatchObject({ isEnd: false, video: { codec: 'avc' }, audio: { codec: 'aac' } });
  });

  it('is looked through all the same when it is small', () => {
    const { bytes } = indexedFlv(tags);
    expect(plan(bytes, bytes.length)).toMatchObject({ index: undefined, cuts: [] });
    expect(plan(bytes, bytes.length - 1).index).toBeDefined();
  });

  it('may begin at any time', () => {
    const late = tags.map((tag) => ({ ...tag, ms: (tag.ms ?? 0) + 5_000_000 }));
    expect(
      plan(indexedFlv(late).bytes)
        .index!.marks.map(({ timeMs }) => timeMs)
        .slice(0, 3),
    ).toEqual([0, 6000, 12_000]);
  });

  it('may list only some of them, and not the end', () => {
    const { bytes } = indexedFlv(tags, (entries) => {
      entries.splice(0, entries.length, ...entries.filter((_, index) => index % 8 === 0 && index < 16));
    });
    // What is not listed at the end is looked through.
    expect(plan(bytes).index).toMatchObject({
      marks: [0, 16_000, 22_000, 28_000, 34_000].map((timeMs) => ({ timeMs })),
      endMs: 40_000,
    });
  });

  it('may list its sequence header first', () => {
    const header: TestTag = { kind: 'key', payload: Buffer.from([0x17, 0, 0, 0, 0, 1]) };
    expect(plan(indexedFlv([header, ...tags]).bytes).index!.marks).toHaveLength(7);
  });

  it('of more segments than a playlist has is refused, though it lists some of them only', () => {
    const head = (first: number): Buffer => flvOf([metadataOf([first, first + PICTURE_BYTES], [0, 6000]), ...headers]).bytes;
    const bytes = Buffer.concat([head(head(0).length), keyFrames(131_073)]);
    expect(() => plan(bytes)).toThrow(expect.objectContaining({ message: 'flv segments must be at most 131072' }));
    expect(plan(bytes.subarray(0, -PICTURE_BYTES)).index?.marks).toHaveLength(131_072);
  });

  it('that the recorder cut off is played to its last whole tag', () => {
    const { bytes, positions } = indexedFlv(tags);
    const cut = positions[1 + tags.findIndex(({ ms }) => ms === 39_000)]!;
    expect(plan(bytes.subarray(0, cut + 20)).index).toMatchObject({ endMs: 39_000 });
  });
});

type Entries = [position: number, ms: number][];

describe('a list that is not right is not used', () => {
  const changes: Readonly<Record<string, (entries: Entries) => void>> = {
    'no key frame where one is to be': (entries) => {
      entries[3]![0] += 1;
    },
    'another frame than a key frame': (entries) => {
      entries[3]![0] += 115 + 117;
    },
    'another time': (entries) => {
      entries[3]![1] += 300;
    },
    'a time that is none': (entries) => {
      entries[3]![1] = Number.NaN;
    },
    'a position behind the end': (entries) => {
      entries.at(-1)![0] = 1e9;
    },
    'a position that is none': (entries) => {
      entries[3]![0] = 0.5;
    },
    'positions out of order': (entries) => {
      entries.reverse();
    },
    nothing: (entries) => {
      entries.splice(0);
    },
    'one place only': (entries) => {
      entries.splice(1);
    },
  };
  it.each(Object.entries(changes))('%s', (_, change) => {
    expect(plan(indexedFlv(tags).bytes).index).toBeDefined();
    expect(plan(indexedFlv(tags, change).bytes)).toMatchObject({ index: undefined, cuts: [] });
  });

  it('long gaps', () => {
    const long = [...headers, ...picturesOf({ groups: 100, groupMs: 2000 })];
    const { bytes } = indexedFlv(long, (entries) => entries.splice(1, 40));
    expect(plan(bytes).index).toBeUndefined();
  });

  it.each([
    { name: 'lists of different lengths', metadata: metadataOf([1, 2, 3], [0, 1]) },
    {
      name: 'metadata that cannot be read',
      metadata: { kind: 'data', payload: Buffer.from([2, 0, 10, 0x61]) } satisfies TestTag,
    },
    { name: 'metadata that is a number', metadata: { kind: 'data', payload: Buffer.alloc(9) } satisfies TestTag },
  ])('$name', ({ metadata }) => {
    expect(plan(flvOf([metadata, ...tags]).bytes).index).toBeUndefined();
  });

  it('none at all', () => {
    expect(plan(flvOf(tags).bytes).index).toBeUndefined();
    expect(plan(flvOf([]).bytes).index).toBeUndefined();
  });
});
