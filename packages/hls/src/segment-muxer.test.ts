import { frameTypes } from '@srs/kernel';
import { expect, it } from 'vitest';
import { createMp4Muxer } from './segment-muxer.ts';

const MIB = 1024 * 1024;

it('media whose time stands still does not collect in memory', () => {
  const fragments: Buffer[] = [];
  const muxer = createMp4Muxer((bytes) => fragments.push(bytes));
  muxer.onHeader(frameTypes.audio, Buffer.from('af001210', 'hex'));
  muxer.begin();
  const sound = Buffer.concat([Buffer.from('af01', 'hex'), Buffer.alloc(MIB)]);
  for (let count = 0; count < 20; count++) muxer.onFrame(frameTypes.audio, 0, sound);
  expect(fragments.map(({ length }) => Math.round(length / MIB))).toEqual([8, 8]);
  muxer.end(undefined);
  expect(fragments.map(({ length }) => Math.round(length / MIB))).toEqual([8, 8, 4]);
});
