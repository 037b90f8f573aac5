import type { OwedNotice } from '@srs/control';
import { describe, expect, it } from 'vitest';
import { OwedNotices } from './owed-notices.ts';

const worker = { slot: 2, pid: 42 };
const notice = (id: number, event: OwedNotice['event'] = 'on_unpublish'): OwedNotice => ({
  id,
  event,
  vhost: 'live.test',
  cid: 100 + id,
  ip: '10.0.0.1',
  body: '{}',
});

function setUp() {
  const due: number[][] = [];
  const owed = new OwedNotices((notices) => due.push(notices.map(({ id }) => id)));
  return { due, owed };
}

describe('OwedNotices', () => {
  it('gives what is owed when the process is dead and all that it sent has been read, whichever comes first', () => {
    for (const order of ['gone first', 'end of the link first']) {
      const { due, owed } = setUp();
      owed.connected(worker, []);
      owed.owe(worker, notice(1));
      if (order === 'gone first') owed.gone(worker);
      else owed.disconnected(worker);
      expect(due).toEqual([]);
      if (order === 'gone first') {
        owed.owe(worker, notice(2));
        owed.settled(worker, 1);
        owed.disconnected(worker);
      } else {
        owed.gone(worker);
      }
      expect(due).toEqual([[order === 'gone first' ? 2 : 1]]);
      owed.gone(worker);
      expect(due).toHaveLength(1);
      expect(owed.count).toBe(0);
    }
  });

  it('gives nothing when all is settled, and nothing of a process that lives', () => {
    const { due, owed } = setUp();
    const other = { slot: 2, pid: 43 };
    owed.connected(worker, [notice(1)]);
    owed.connected(other, [notice(1)]);
    owed.settled(worker, 1);
    owed.disconnected(worker);
    owed.gone(worker);
    owed.disconnected(other);
    expect(due).toEqual([]);
    expect(owed.count).toBe(1);
  });

  it('takes the word of a process that has connected again', () => {
    const { due, owed } = setUp();
    owed.connected(worker, [notice(1), notice(2)]);
    owed.connected(worker, [notice(2), notice(3)]);
    owed.disconnected(worker);
    owed.disconnected(worker);
    owed.gone(worker);
    expect(due).toEqual([[2, 3]]);
  });

  it('puts the ends of connections last', () => {
    const { due, owed } = setUp();
    owed.connected(worker, [notice(1, 'on_close'), notice(2), notice(3, 'on_close'), notice(4, 'on_stop')]);
    owed.gone(worker);
    owed.disconnected(worker);
    expect(due).toEqual([[2, 4, 1, 3]]);
  });

  it('knows a process as dead whose last words come after the news', () => {
    const { due, owed } = setUp();
    owed.gone(worker);
    owed.connected(worker, [notice(1)]);
    expect(due).toEqual([]);
    owed.disconnected(worker);
    expect(due).toEqual([[1]]);
  });

  it('tells when all has been read that dead processes sent', async () => {
    const { owed } = setUp();
    await owed.allRead();
    owed.connected(worker, [notice(1)]);
    owed.gone(worker);
    let isRead = false;
    const read = owed.allRead().then(() => {
      isRead = true;
    });
    await Promise.resolve();
    expect(isRead).toBe(false);
    owed.disconnected(worker);
    await read;
    expect(isRead).toBe(true);
  });
});
