import type { LookupAddress } from 'node:dns';
import { describe, expect, it } from 'vitest';
import { HostNames } from './host-names.ts';

const address = (text: string): LookupAddress[] => [{ address: text, family: 4 }];

/** A name server whose answers the test gives. */
function slowServer() {
  const questions: PromiseWithResolvers<LookupAddress[]>[] = [];
  const names = new HostNames(() => {
    const question = Promise.withResolvers<LookupAddress[]>();
    questions.push(question);
    return question.promise;
  });
  return { names, questions };
}

describe('names of hosts', () => {
  it('are asked for once however many want them', async () => {
    const { names, questions } = slowServer();
    const found = [names.find('a.test'), names.find('a.test'), names.find('a.test')];
    expect(questions.length).toBe(1);
    questions[0]!.resolve(address('10.0.0.1'));
    expect(await Promise.all(found)).toEqual([address('10.0.0.1'), address('10.0.0.1'), address('10.0.0.1')]);
  });

  it('lead to the last address when there is no answer, or no good one', async () => {
    const { names, questions } = slowServer();
    const first = names.find('a.test');
    questions[0]!.resolve(address('10.0.0.1'));
    await first;
    // It does not answer.
    expect(await names.find('a.test')).toEqual(address('10.0.0.1'));
    questions[1]!.reject(new Error('no name server'));
    const failing = names.find('a.test');
    questions[2]?.reject(new Error('no name server'));
    expect(await failing).toEqual(address('10.0.0.1'));
  });

  it('move when the answer is another one, which may come late', async () => {
    const { names, questions } = slowServer();
    const first = names.find('a.test');
    questions[0]!.resolve(address('10.0.0.1'));
    await first;
    expect(await names.find('a.test')).toEqual(address('10.0.0.1'));
    questions[1]!.resolve(address('10.0.0.2'));
    const next = names.find('a.test');
    questions[2]?.resolve(address('10.0.0.2'));
    expect(await next).toEqual(address('10.0.0.2'));
  });

  it('fail that were never found, and are asked for again', async () => {
    const { names, questions } = slowServer();
    const failing = names.find('a.test');
    questions[0]!.reject(new Error('no such host'));
    await expect(failing).rejects.toThrow('no such host');
    const again = names.find('a.test');
    questions[1]!.resolve(address('10.0.0.1'));
    expect(await again).toEqual(address('10.0.0.1'));
  });
});
