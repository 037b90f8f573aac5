import { AmfObject, decodeAmf0, encodeAmf0 } from '@srs/amf';
import { encodeFlvTag, FlvReader, MAX_FLV_PAYLOAD_BYTES } from '@srs/flv';
import { describe, expect, it } from 'vitest';
import { encodeFlvHead, findIndexRoom, flvHeadPatches, indexEntriesIn, indexRoomFor } from './flv-head.ts';

function payloadOf(head: Buffer): Buffer {
  let payload = Buffer.alloc(0);
  const reader = new FlvReader({
    onTag: (_type, _timestampMs, bytes) => {
      payload = Buffer.from(bytes);
    },
  });
  reader.receive(head);
  reader.end();
  return payload;
}

function objectOf(head: Buffer): AmfObject {
  return decodeAmf0(payloadOf(head))[1] as AmfObject;
}

const published = encodeAmf0('onMetaData', AmfObject.object({ width: 320, duration: 99, keyframes: 'x', encoder: 'obs' }));

describe('the head of a file', () => {
  it('says what the publisher said, and leaves room for what is not known yet', () => {
    const object = objectOf(encodeFlvHead(published, indexRoomFor(10)));
    expect([...object.keys()]).toEqual(['duration', 'filesize', 'keyframes', 'spacer', 'width', 'encoder']);
    expect([object.getNumber('duration'), object.getNumber('width')]).toEqual([0, 320]);
  });

  it('is there without metadata, and when it is none', () => {
    for (const metadata of [undefined, encodeAmf0('onMetaData'), encodeAmf0('onMetaData', null)]) {
      expect([...objectOf(encodeFlvHead(metadata, indexRoomFor(0))).keys()]).toEqual([
        'duration',
        'filesize',
        'keyframes',
        'spacer',
      ]);
    }
  });

  it('leaves out metadata that does not fit into a tag', () => {
    const large = encodeAmf0('onMetaData', AmfObject.object({ text: 'x'.repeat(MAX_FLV_PAYLOAD_BYTES - 100) }));
    expect(objectOf(encodeFlvHead(large, indexRoomFor(10))).has('text')).toBe(false);
  });

  it('is patched to any number of entries without a change of its size', () => {
    const roomBytes = indexRoomFor(20);
    expect(indexEntriesIn(roomBytes)).toBe(20);
    for (let count = 0; count <= 22; count++) {
      const head = encodeFlvHead(published, roomBytes);
      const index = Array.from({ length: 2 * count }, (_, at) => at * 500);
      const facts = { hasAudio: false, hasVideo: true, durationMs: 1234, sizeBytes: 56, index };
      for (const { position, bytes } of flvHeadPatches(facts, roomBytes)) head.set(bytes, position);
      const object = objectOf(head);
      const kept = Math.min(count, 20);
      expect([object.getNumber('duration'), object.getNumber('filesize'), object.getNumber('width')]).toEqual([1.234, 56, 320]);
      expect(object.getObject('keyframes')?.get('times')).toEqual(Array.from({ length: kept }, (_, at) => at));
      expect(object.getObject('keyframes')?.get('filepositions')).toEqual(
        Array.from({ length: kept }, (_, at) => at * 1000 + 500),
      );
      expect(head[4]).toBe(1);
      expect(findIndexRoom(payloadOf(head))).toBe(roomBytes);
    }
  });

  it('of another program has no room', () => {
    expect(findIndexRoom(published)).toBe(0);
    expect(findIndexRoom(Buffer.alloc(0))).toBe(0);
    const ours = payloadOf(encodeFlvHead(published, indexRoomFor(3)));
    for (let length = 0; length < 120; length++) expect(findIndexRoom(ours.subarray(0, length)), `${length}`).toBe(0);
    expect(flvHeadPatches({ hasAudio: true, hasVideo: true, durationMs: 0, sizeBytes: 0, index: [] }, 0)).toHaveLength(1);
  });

  it('is found however hostile the metadata is', () => {
    const fake = payloadOf(encodeFlvHead(undefined, indexRoomFor(7))).toString('latin1');
    const hostile = encodeAmf0('onMetaData', AmfObject.object({ a: fake, spacer: 'x', filesize: 5 }));
    const head = encodeFlvHead(hostile, indexRoomFor(3));
    expect(findIndexRoom(payloadOf(head))).toBe(indexRoomFor(3));
    expect(encodeFlvTag(18, 0, payloadOf(head))).toEqual(head.subarray(13));
  });
});
