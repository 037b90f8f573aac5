import { frameFlags, frameTypes } from '@srs/kernel';
import { MemoryArena, RingReader, RingWriter, ringBytes, stickySlots } from '@srs/ring';
import { expect, it } from 'vitest';
import { TrackFactsCache } from './track-facts.ts';

const region = { index: 0, generation: 3, offset: 0, sizeBytes: ringBytes(64 * 1024) };

/** x264, High 3.0, 640x360. */
const avcHeader = Buffer.from(
  '17000000000164001effe1001a6764001eacd940a02ff97011000003000100000300320f162d9601000668ebe3cb22c0fdf8f800',
  'hex',
);
/** LC, 44100 Hz, stereo. */
const aacHeader = Buffer.from('af001210', 'hex');
/** LC, 48000 Hz, mono. */
const otherAacHeader = Buffer.from('af001188', 'hex');

function setUp() {
  const arena = new MemoryArena(region.sizeBytes);
  const writer = RingWriter.create(arena, region, { writerSlot: 1, writerPid: 1 });
  const cache = new TrackFactsCache();
  const keep = (slot: number, payload: Buffer): void => {
    const type = slot === stickySlots.videoHeader ? frameTypes.video : frameTypes.audio;
    expect(writer.setSticky(slot, type, frameFlags.sequenceHeader, 0, payload)).toBe(true);
  };
  return {
    keepVideo: (payload: Buffer) => keep(stickySlots.videoHeader, payload),
    keepAudio: (payload: Buffer) => keep(stickySlots.audioHeader, payload),
    facts: () => cache.factsOf(new RingReader(arena, region)),
  };
}

it('there is nothing to tell before the headers have come', () => {
  expect(setUp().facts()).toEqual({ video: null, audio: null });
});

it('codec, profile, level and size of the video, codec, rate and channels of the audio', () => {
  const { keepVideo, keepAudio, facts } = setUp();
  keepVideo(avcHeader);
  keepAudio(aacHeader);
  expect(facts()).toEqual({
    video: { codec: 'H264', profile: 'High', level: '3', width: 640, height: 360 },
    audio: { codec: 'AAC', profile: 'LC', sampleRate: 44_100, channels: 2 },
  });
});

it('headers are taken apart once, and again when they have changed', () => {
  const { keepAudio, facts } = setUp();
  keepAudio(aacHeader);
  const first = facts();
  expect(facts()).toBe(first);
  keepAudio(otherAacHeader);
  expect(facts().audio).toEqual({ codec: 'AAC', profile: 'LC', sampleRate: 48_000, channels: 1 });
});

it.each([
  ['video that cannot be read', avcHeader.subarray(0, 9), null, { codec: 'H264', profile: '', level: '', width: 0, height: 0 }],
  [
    'audio that cannot be read',
    null,
    Buffer.from('af0000', 'hex'),
    { codec: 'AAC', profile: '', sampleRate: 44_100, channels: 2 },
  ],
  [
    'audio without a configuration of its own',
    null,
    Buffer.from('2f00', 'hex'),
    { codec: 'MP3', profile: '', sampleRate: 44_100, channels: 2 },
  ],
])('%s is named', (_, videoHeader, audioHeader, named) => {
  const { keepVideo, keepAudio, facts } = setUp();
  if (videoHeader !== null) keepVideo(videoHeader);
  if (audioHeader !== null) keepAudio(audioHeader);
  expect(videoHeader === null ? facts().audio : facts().video).toEqual(named);
});
