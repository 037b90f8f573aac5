import { ManualClock } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { configOf } from './access-test-support.ts';
import { AddressLimiter, AddressPlace } from './address-limiter.ts';
import { AddressTable, addressTableBytes } from './address-table.ts';

/** Two processes of one server; the text is what stands in `limits { }`, and may be changed. */
function server(text: string) {
  const slots = 2;
  const clock = new ManualClock();
  const memory = Buffer.alloc(addressTableBytes(slots, 64));
  let { limits } = configOf(`limits { ${text} }`);
  const limiters = Array.from(
    { length: slots },
    (_, slot) => new AddressLimiter({ table: new AddressTable(memory, { slots, slot, seed: 7 }), limits: () => limits, clock }),
  );
  return {
    clock,
    reload: (changed: string) => {
      ({ limits } = configOf(`limits { ${changed} }`));
    },
    connect: (ip: string, slot = 0) => limiters[slot]!.connect(ip),
    place: (ip: string, slot = 0): AddressPlace => {
      const place = limiters[slot]!.connect(ip);
      if (place instanceof AddressPlace) return place;
      throw new Error(place.text);
    },
  };
}

const ip = '10.0.0.1';

describe('limits per address', () => {
  it('connections: over all processes, given back when one leaves', () => {
    const { connect, place } = server('connections_per_ip 2;');
    const first = place(ip, 0);
    place(ip, 1);
    for (const slot of [0, 1]) {
      expect(connect(ip, slot)).toEqual({
        kind: 'limit',
        text: '10.0.0.1 has as many connections as connections_per_ip 2 allows',
      });
    }
    expect(connect('10.0.0.2')).toBeInstanceOf(AddressPlace);
    first.leave();
    first.leave();
    expect(connect(ip, 1)).toBeInstanceOf(AddressPlace);
    expect(connect(ip, 1)).not.toBeInstanceOf(AddressPlace);
  });

  it('connections opened in a second', () => {
    const { connect, clock } = server('connects_per_second_per_ip 3;');
    for (let count = 0; count < 3; count += 1) expect(connect(ip, count % 2)).toBeInstanceOf(AddressPlace);
    expect(connect(ip)).toMatchObject({ text: '10.0.0.1 connects more often than connects_per_second_per_ip 3' });
    clock.advance(2000);
    expect(connect(ip)).toBeInstanceOf(AddressPlace);
  });

  it('publishers and players, each on their own', () => {
    const { place } = server('publishers_per_ip 1; players_per_ip 2;');
    const places = Array.from({ length: 4 }, (_, index) => place(ip, index % 2));
    expect(places[0]!.begin('publish', ip)).toBeUndefined();
    expect(places[1]!.begin('publish', ip)).toEqual({
      kind: 'limit',
      text: 'this address publishes as many streams as publishers_per_ip 1 allows',
    });
    expect(places[1]!.begin('play', ip)).toBeUndefined();
    expect(places[2]!.begin('play', ip)).toBeUndefined();
    expect(places[3]!.begin('play', ip)?.text).toBe('this address plays as many streams as players_per_ip 2 allows');
    places[1]!.end('play');
    places[1]!.end('play');
    expect(places[3]!.begin('play', ip)).toBeUndefined();
    // A client that leaves takes what it did along.
    places[0]!.leave();
    expect(places[1]!.begin('publish', ip)).toBeUndefined();
  });

  it('begins once however often it is said', () => {
    const { place } = server('publishers_per_ip 1;');
    const one = place(ip);
    expect(one.begin('publish', ip)).toBeUndefined();
    expect(one.begin('publish', ip)).toBeUndefined();
    one.end('publish');
    expect(place(ip, 1).begin('publish', ip)).toBeUndefined();
  });

  it('this machine is exempt unless told otherwise', () => {
    for (const local of ['127.0.0.1', '::ffff:127.9.9.9', '::1']) {
      const { connect, reload } = server('connections_per_ip 1;');
      for (let count = 0; count < 3; count += 1) expect(connect(local)).toBeInstanceOf(AddressPlace);
      // They have been counted all the time.
      reload('connections_per_ip 3; exempt none;');
      expect(connect(local)).toMatchObject({ kind: 'limit' });
      reload('connections_per_ip 4; exempt 10.0.0.0/8;');
      expect(connect(local)).toBeInstanceOf(AddressPlace);
    }
  });

  it('a list of networks is exempt', () => {
    const { connect } = server('connections_per_ip 1; exempt 10.0.0.0/8 2001:db8::/32;');
    const admitted = (text: string) => [connect(text), connect(text)].every((each) => each instanceof AddressPlace);
    expect(admitted(ip)).toBe(true);
    expect(admitted('2001:db8::1')).toBe(true);
    expect(admitted('11.0.0.1')).toBe(false);
    expect(admitted('127.0.0.1')).toBe(false);
  });

  it('a limit that a reload brings counts whoever is there', () => {
    const { connect, place, reload } = server('');
    const places = [place(ip), place(ip, 1)];
    expect(places[0]!.begin('play', ip)).toBeUndefined();
    reload('connections_per_ip 2; players_per_ip 1;');
    expect(connect(ip)).toMatchObject({ kind: 'limit' });
    expect(places[1]!.begin('play', ip)).toMatchObject({ kind: 'limit' });
  });

  it('who has gone before it was looked at has no address, and is limited by nothing', () => {
    const { place } = server('connections_per_ip 1; players_per_ip 1;');
    for (let count = 0; count < 3; count += 1) {
      const gone = place('unknown');
      expect(gone.begin('play', 'unknown')).toBeUndefined();
      gone.leave();
    }
  });
});
