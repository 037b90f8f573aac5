import { describe, expect, it } from 'vitest';
import { AmfDate, AmfDictionary, AmfObject, AmfXml, amfToJson } from './index.ts';

describe('AmfObject', () => {
  it('keeps the order of its entries and moves a key that is set again to the end', () => {
    const object = AmfObject.object({ a: 1, b: 2 });
    object.set('a', 3);
    expect([...object]).toEqual([
      ['b', 2],
      ['a', 3],
    ]);
    expect([...object.keys()]).toEqual(['b', 'a']);
    expect(object.size).toBe(2);
  });

  it('treats names of Object.prototype as keys like any other', () => {
    const object = AmfObject.object([['__proto__', 'x']]);
    expect(object.has('constructor')).toBe(false);
    expect(object.get('toString')).toBeUndefined();
    expect(object.get('__proto__')).toBe('x');
    const plain = object.toJSON() as object;
    expect(Object.keys(plain)).toEqual(['__proto__']);
    expect(JSON.stringify(object)).toBe('{"__proto__":"x"}');
    expect('polluted' in {}).toBe(false);
  });

  it('gives a value by type, or undefined', () => {
    const inner = AmfObject.object();
    const object = AmfObject.object({ s: 'x', n: 1, b: false, o: inner });
    expect([object.getString('s'), object.getNumber('n'), object.getBoolean('b'), object.getObject('o')]).toEqual([
      'x',
      1,
      false,
      inner,
    ]);
    expect([object.getString('n'), object.getNumber('s'), object.getBoolean('o'), object.getObject('b')]).toEqual(
      Array(4).fill(undefined),
    );
  });

  it('becomes another kind without sharing entries', () => {
    const array = AmfObject.ecmaArray({ width: 640 });
    const object = array.as('object');
    object.set('height', 360);
    expect([object.kind, [...object.keys()]]).toEqual(['object', ['width', 'height']]);
    expect([array.kind, [...array.keys()]]).toEqual(['ecma-array', ['width']]);
  });

  it('forgets a deleted key', () => {
    const object = AmfObject.typed('T', { a: 1 });
    expect([object.delete('a'), object.delete('a'), object.size]).toEqual([true, false, 0]);
  });
});

describe('amfToJson', () => {
  it('is plain data for logs', () => {
    const value = AmfObject.object({
      date: new AmfDate(0),
      never: new AmfDate(Number.NaN),
      xml: new AmfXml('<a/>'),
      bytes: new Uint8Array(3),
      dictionary: new AmfDictionary([]),
      list: [1, [null]],
    });
    expect(JSON.parse(JSON.stringify(value))).toEqual({
      date: '1970-01-01T00:00:00.000Z',
      never: null,
      xml: '<a/>',
      bytes: '(3 bytes)',
      dictionary: '(dictionary of 0)',
      list: [1, [null]],
    });
  });

  it('ends on a value that contains itself', () => {
    const cycle = AmfObject.object();
    cycle.set('self', cycle);
    expect(JSON.stringify(amfToJson(cycle))).toContain('"..."');
  });
});
