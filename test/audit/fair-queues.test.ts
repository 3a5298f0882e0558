import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FairQueues } from '../../src/audit/fair-queues.ts';

const MAX = 12;
const TENANTS = ['a', 'b', 'c'];
const pushes = fc.array(fc.constantFrom(...TENANTS), { maxLength: 60 });
const never = () => false;

/** Takes all out, as written. */
async function drained(queues: FairQueues<string>, tenantId: string): Promise<string[]> {
  const items: string[] = [];
  await queues.drain(tenantId, 2, async (batch) => void items.push(...batch), never);
  return items;
}

test('whoever has no more than an equal share of the room loses nothing, and nothing goes unseen', () =>
  fc.assert(
    fc.asyncProperty(pushes, async (tenants) => {
      const queues = new FairQueues<string>(MAX);
      const lost: string[] = [];
      for (const [n, tenant] of tenants.entries()) {
        const gaveWay = queues.push(tenant, `${tenant}${n}`);
        if (gaveWay) lost.push(gaveWay);
        expect(queues.size).toBe(n + 1 - lost.length);
        expect(queues.size).toBeLessThanOrEqual(MAX);
      }
      for (const tenant of TENANTS) {
        const all = tenants.flatMap((of, n) => (of === tenant ? [`${of}${n}`] : []));
        const kept = await drained(queues, tenant);
        expect([...kept, ...lost.filter((item) => item.startsWith(tenant))].sort()).toEqual([...all].sort());
        expect(kept).toEqual(all.filter((item) => kept.includes(item)));
        if (all.length <= MAX / TENANTS.length) expect(kept).toEqual(all);
      }
      expect([queues.size, queues.tenantIds]).toEqual([0, []]);
    }),
  ));

describe('what is under way', () => {
  test('does not give way: it is written, and not lost as well', async () => {
    const queues = new FairQueues<string>(2);
    for (const item of ['a1', 'a2']) queues.push('a', item);
    const written: string[] = [];
    const gaveWay: unknown[] = [];
    await queues.drain(
      'a',
      1,
      async ([item]) => {
        if (item === 'a1') gaveWay.push(queues.push('b', 'b1'));
        written.push(item as string);
      },
      never,
    );
    expect([written, gaveWay]).toEqual([['a1'], ['a2']]);
    expect(await drained(queues, 'b')).toEqual(['b1']);
    expect(queues.size).toBe(0);
  });

  test('stays in its place when it fails, and keeps nothing behind it back', async () => {
    const queues = new FairQueues<number>(10);
    for (let item = 0; item < 6; item++) queues.push('a', item);
    const attempts: (readonly number[])[] = [];
    const fault = new Error('not these');
    const work = async (items: readonly number[]) => {
      attempts.push(items);
      if (items.includes(2)) throw fault;
    };
    expect(await queues.drain('a', 2, work, never)).toEqual([fault]);
    expect(attempts.splice(0)).toEqual([
      [0, 1],
      [2, 3],
      [4, 5],
    ]);
    for (const item of [6, 7]) queues.push('a', item);
    expect(await queues.drain('a', 2, work, () => true)).toEqual([fault]);
    expect([attempts, queues.size]).toEqual([[[2, 3]], 4]);
  });
});

test('what is due is taken out, and leaves its place to others', () => {
  const queues = new FairQueues<number>(3);
  for (const item of [1, 2, 3]) queues.push('a', item);
  expect(queues.take((item) => item < 3)).toEqual([1, 2]);
  expect([queues.size, queues.push('a', 4), queues.push('b', 5)]).toEqual([1, undefined, undefined]);
  expect(queues.take(() => true)).toEqual([3, 4, 5]);
  expect(queues.tenantIds).toEqual([]);
});
