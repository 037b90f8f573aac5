import { describe, expect, it } from 'vitest';
import { accessUnitsOf } from './access-unit-reader.ts';
import { aacFrame, aacHeader, audio, avcHeader, hex, mp3Payload, mpeg1Frame, noise, video } from './mpegts-test-support.ts';
import { streamTypes } from './program-tables.ts';
import { SoundLine } from './sound-line.ts';

function write(line: SoundLine, payloads: readonly Buffer[], type: 8 | 9 = audio): Buffer {
  const written = payloads.map((payload) => {
    const bytes = Buffer.alloc(line.encodedBytes(type, 0, payload), 0xee);
    line.encode(bytes, 0);
    return bytes;
  });
  return Buffer.concat(written);
}

function open(codec: 'aac' | 'mp3'): { readonly line: SoundLine; readonly dropped: unknown[] } {
  const dropped: unknown[] = [];
  return { line: new SoundLine({ codec, hasAudio: true, onDropped: (error) => dropped.push(error) }), dropped };
}

const soundsIn = (payload: Buffer, streamType: number) =>
  accessUnitsOf({ pid: 0, streamType, streamId: 0xc0, payload, pts: 0, dts: 0, isRandomAccess: false, clock: undefined });

describe('the sound of a stream as a file of its own', () => {
  it('is AAC frames, each behind a header that tells rate and channels', () => {
    const { line, dropped } = open('aac');
    const frames = [noise(1, 1), noise(300, 2), noise(8184, 3)];
    const bytes = write(line, [aacHeader(), ...frames.map(aacFrame)]);
    expect(soundsIn(bytes, streamTypes.aac)).toMatchObject(
      frames.map((data) => ({ data, objectType: 2, sampleRate: 44_100, channelConfiguration: 2 })),
    );
    expect(dropped).toEqual([]);
  });

  it('is MPEG audio frames as they came', () => {
    const frames = [mpeg1Frame(1), mpeg1Frame(2)];
    expect(write(open('mp3').line, frames.map(mp3Payload)).equals(Buffer.concat(frames))).toBe(true);
  });

  it('has nothing of pictures, empty frames, or sound of another codec', () => {
    const { line, dropped } = open('mp3');
    expect(write(line, [aacHeader(), aacFrame(noise(100, 1)), hex('af01'), hex('2f'), hex('')])).toHaveLength(0);
    expect(write(line, [avcHeader()], video)).toHaveLength(0);
    expect(write(open('aac').line, [aacHeader(), mp3Payload(mpeg1Frame())])).toHaveLength(0);
    expect(dropped).toEqual([]);
  });

  it('is nothing while no sound is let through, and is there again with the header that came meanwhile', () => {
    const silent = new SoundLine({ codec: 'aac', hasAudio: false, onDropped: () => {} });
    expect(write(silent, [aacHeader(), aacFrame(noise(9, 1))])).toHaveLength(0);
    const line = new SoundLine({ codec: 'aac', hasAudio: true, onDropped: () => {} }, silent);
    expect(write(line, [aacFrame(noise(9, 1))])).toHaveLength(16);
  });

  it('goes on with the header of the line it comes from, and with the newest', () => {
    const { line, dropped } = open('aac');
    write(line, [aacHeader()]);
    const behind = new SoundLine({ codec: 'aac', hasAudio: true, onDropped: () => {} }, line);
    write(line, [aacHeader('1190')]);
    const rates = [line, behind].map((each) => soundsIn(write(each, [aacFrame(noise(9, 1))]), streamTypes.aac));
    expect(rates).toMatchObject([[{ sampleRate: 48_000 }], [{ sampleRate: 44_100 }]]);
    expect(dropped).toEqual([]);
  });

  it('leaves out what cannot be framed and tells of it with the next frame, unless it was overwritten while it was read', () => {
    const { line, dropped } = open('aac');
    const tooLong = aacFrame(noise(8185, 1));
    expect(write(line, [aacFrame(noise(9, 1)), aacHeader(), tooLong, aacHeader()])).toHaveLength(0);
    expect(dropped).toMatchObject([{ errorName: 'HlsDecode' }, { errorName: 'HlsDecode' }]);
    write(line, [tooLong]);
    line.interrupt();
    write(line, [aacHeader()]);
    expect(dropped).toHaveLength(2);
  });
});
