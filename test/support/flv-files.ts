/** FLV files as bytes, tag by tag: for tests of whatever reads recordings. */
import { AmfObject, encodeAmf0 } from '@srs/amf';
import { encodeFlvHeader, encodeFlvTag } from '@srs/flv';
import { frameTypes } from '@srs/kernel';

/** What `flvOf` makes a tag of. */
export interface TestTag {
  readonly kind: 'key' | 'inter' | 'sound' | 'video-header' | 'audio-header' | 'data' | 'raw';
  readonly ms?: number;
  /** Of the payload. */
  readonly bytes?: number;
  /** Instead of what the kind stands for. */
  readonly payload?: Buffer;
  /** For `raw`. */
  readonly type?: number;
}

// 320x180, High, by x264.
const avcConfiguration = Buffer.from(
  '0164000cffe1001a6764000cacd941419f9f011000000300100000030320f142996001000668ebe3cb22c0fdf8f800',
  'hex',
);
/** AAC LC, 44,100 Hz, stereo. */
export const aacConfiguration = Buffer.from('1210', 'hex');

export function payloadOf({ kind, bytes = 100, payload }: TestTag): Buffer {
  if (payload !== undefined) return payload;
  const unit = (nal: number): Buffer => {
    const body = Buffer.alloc(Math.max(1, bytes - 9), 0x55);
    body[0] = nal;
    const length = Buffer.alloc(4);
    length.writeUInt32BE(body.length);
    return Buffer.concat([length, body]);
  };
  switch (kind) {
    case 'key':
      return Buffer.concat([Buffer.from([0x17, 1, 0, 0, 0]), unit(0x65)]);
    case 'inter':
      return Buffer.concat([Buffer.from([0x27, 1, 0, 0, 0]), unit(0x41)]);
    case 'sound':
      return Buffer.concat([Buffer.from([0xaf, 1]), Buffer.alloc(Math.max(1, bytes - 2), 0x21)]);
    case 'video-header':
      return Buffer.concat([Buffer.from([0x17, 0, 0, 0, 0]), avcConfiguration]);
    case 'audio-header':
      return Buffer.concat([Buffer.from([0xaf, 0]), aacConfiguration]);
    case 'data':
    case 'raw':
      return Buffer.alloc(bytes);
  }
}

const types: Readonly<Record<TestTag['kind'], number>> = {
  key: frameTypes.video,
  inter: frameTypes.video,
  'video-header': frameTypes.video,
  sound: frameTypes.audio,
  'audio-header': frameTypes.audio,
  data: frameTypes.data,
  raw: 31,
};

export interface TestFlv {
  readonly bytes: Buffer;
  /** Of each tag. */
  readonly positions: readonly number[];
}

export function flvOf(tags: readonly TestTag[]): TestFlv {
  const parts = [encodeFlvHeader({ hasAudio: true, hasVideo: true })];
  const positions: number[] = [];
  let position = parts[0]!.length;
  for (const tag of tags) {
    const bytes = encodeFlvTag(tag.type ?? types[tag.kind], tag.ms ?? 0, payloadOf(tag));
    positions.push(position);
    parts.push(bytes);
    position += bytes.length;
  }
  return { bytes: Buffer.concat(parts), positions };
}

export const headers: readonly TestTag[] = [{ kind: 'video-header' }, { kind: 'audio-header' }];

/** Pictures at 25 a second, and a sound after each that a group begins with. */
export function picturesOf(options: {
  readonly groups: number;
  readonly groupMs: number;
  readonly fromMs?: number;
  readonly bytes?: number;
}): TestTag[] {
  const { groups, groupMs, fromMs = 0, bytes = 100 } = options;
  const tags: TestTag[] = [];
  for (let ms = 0; ms < groups * groupMs; ms += 40) {
    const isKey = ms % groupMs === 0;
    tags.push({ kind: isKey ? 'key' : 'inter', ms: fromMs + ms, bytes });
    if (isKey) tags.push({ kind: 'sound', ms: fromMs + ms });
  }
  return tags;
}

/** As recorders write it. */
export function metadataOf(positions: readonly number[], timesMs: readonly number[]): TestTag {
  const keyframes = AmfObject.object({ filepositions: [...positions], times: timesMs.map((ms) => ms / 1000) });
  return { kind: 'data', payload: encodeAmf0('onMetaData', AmfObject.object({ duration: 0, keyframes })) };
}

/** The file with a list of its key frames in front. */
export function indexedFlv(
  tags: readonly TestTag[],
  change: (entries: [position: number, ms: number][]) => void = () => {},
): TestFlv {
  const keys = tags.flatMap(({ kind, ms = 0 }, index) => (kind === 'key' ? [{ index, ms }] : []));
  const entriesOf = (positions: readonly number[]): [position: number, ms: number][] => {
    const entries = keys.map(({ index, ms }): [number, number] => [positions[index]!, ms]);
    change(entries);
    return entries;
  };
  const place = (entries: readonly (readonly [position: number, ms: number])[]): TestFlv =>
    flvOf([
      metadataOf(
        entries.map(([position]) => position),
        entries.map(([, ms]) => ms),
      ),
      ...tags,
    ]);
  // Numbers have one size, so the list has its size before its values are known.
  const draft = place(entriesOf(tags.map((_, index) => index)));
  return place(entriesOf(draft.positions.slice(1)));
}
