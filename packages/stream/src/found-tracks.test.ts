import { AmfObject, encodeAmf0 } from '@srs/amf';
import { type FrameType, frameFlags, frameTypes } from '@srs/kernel';
import { MemoryArena, RegionTable, RingReader, RingWriter, ringBytes, stickySlots } from '@srs/ring';
import { describe, expect, it } from 'vitest';
import { findTracks } from './found-tracks.ts';

const { audio, video, data } = frameTypes;
const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const avc = hex('1700000000');
const aac = hex('af001210');
const mp3 = hex('2ffffb9000');

function setUp(capacityBytes = 1 << 20) {
  const arena = new MemoryArena(8 << 20);
  const region = RegionTable.create(arena).allocate(ringBytes(capacityBytes))!;
  const writer = RingWriter.create(arena, region, { writerSlot: 1, writerPid: 1 });
  const header = (slot: number, type: FrameType, payload: Buffer): void => {
    writer.setSticky(slot, type, frameFlags.sequenceHeader, 0, payload);
    writer.write(type, frameFlags.sequenceHeader, 0, 0, payload);
  };
  return { writer, header, find: () => findTracks(new RingReader(arena, region)) };
}

describe('the tracks of a stream', () => {
  it('are certain with both headers, which tell the codecs', () => {
    const { header, find } = setUp();
    header(stickySlots.videoHeader, video, avc);
    header(stickySlots.audioHeader, audio, aac);
    expect(find()).toEqual({ hasAudio: true, hasVideo: true, audioCodec: 'aac', videoCodec: 'avc', isCertain: true });
  });

  it('are told by frames of a codec that has no header', () => {
    const { writer, header, find } = setUp();
    header(stickySlots.videoHeader, video, avc);
    expect(find()).toMatchObject({ hasAudio: false, audioCodec: undefined, isCertain: false });
    writer.write(audio, 0, 20, 0, mp3);
    expect(find()).toEqual({ hasAudio: true, hasVideo: true, audioCodec: 'mp3', videoCodec: 'avc', isCertain: true });
  });

  it('are those of one second when there are no others', () => {
    const { writer, find } = setUp();
    for (const timestampMs of [0, 999]) writer.write(audio, 0, timestampMs, 0, mp3);
    expect(find()).toMatchObject({ hasAudio: true, hasVideo: false, isCertain: false });
    writer.write(audio, 0, 1000, 0, mp3);
    expect(find()).toMatchObject({ audioCodec: 'mp3', videoCodec: undefined, isCertain: true });
  });

  it('are those that the metadata names, as soon as they are there', () => {
    const { writer, find } = setUp();
    const metadata = encodeAmf0('onMetaData', AmfObject.ecmaArray({ audiocodecid: 2 }));
    writer.setSticky(stickySlots.metadata, data, frameFlags.metadata, 0, metadata);
    expect(find()).toMatchObject({ hasAudio: false, isCertain: false });
    writer.write(audio, 0, 0, 0, mp3);
    expect(find()).toMatchObject({ hasAudio: true, hasVideo: false, isCertain: true });
  });

  it('have no codec when their head cannot be read', () => {
    const { writer, find } = setUp();
    writer.write(video, 0, 0, 0, hex('90'));
    writer.write(audio, 0, 0, 0, mp3);
    expect(find()).toMatchObject({ hasVideo: true, videoCodec: undefined, isCertain: true });
  });
});
