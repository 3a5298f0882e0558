import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TenantBacklog } from '../../src/audit/tenant-backlog.ts';

const MAX = 12;
const TENANTS = ['a', 'b', 'c'];
const pushes = fc.array(fc.constantFrom(...TENANTS), { maxLength: 60 });

/** Takes all out, as written. */
async function drained(backlog: TenantBacklog<string>, tenantId: string): Promise<string[]> {
  const items: string[] = [];
  await backlog.drain(tenantId, 2, async (batch) => void items.push(...batch));
  return items;
}

test('whoever has no more than an equal share of the room loses nothing, and nothing goes unseen', () =>
  fc.assert(
    fc.asyncProperty(pushes, async (tenants) => {
      const backlog = new TenantBacklog<string>(MAX);
      const lost: string[] = [];
      for (const [n, tenant] of tenants.entries()) {
        const gaveWay = backlog.push(tenant, `${tenant}${n}`);
        if (gaveWay) lost.push(gaveWay);
        expect(backlog.size).toBe(n + 1 - lost.length);
        expect(backlog.size).toBeLessThanOrEqual(MAX);
      }
      for (const tenant of TENANTS) {
        const all = tenants.flatMap((of, n) => (of === tenant ? [`${of}${n}`] : []));
        const kept = await drained(backlog, tenant);
        expect([...kept, ...lost.filter((item) => item.startsWith(tenant))].sort()).toEqual([...all].sort());
        expect(kept).toEqual(all.filter((item) => kept.includes(item)));
        if (all.length <= MAX / TENANTS.length) expect(kept).toEqual(all);
      }
      expect([backlog.size, backlog.tenantIds]).toEqual([0, []]);
    }),
  ));

describe('what is under way', () => {
  test('does not give way: it is written, and not lost as well', async () => {
    const backlog = new TenantBacklog<string>(2);
    for (const item of ['a1', 'a2']) backlog.push('a', item);
    const written: string[] = [];
    const gaveWay: unknown[] = [];
    await backlog.drain('a', 1, async ([item]) => {
      if (item === 'a1') gaveWay.push(backlog.push('b', 'b1'));
      written.push(item as string);
    });
    expect([written, gaveWay]).toEqual([['a1'], ['a2']]);
    expect(await drained(backlog, 'b')).toEqual(['b1']);
    expect(backlog.size).toBe(0);
  });

  test('stays in its place when it fails, with what is behind it', async () => {
    const backlog = new TenantBacklog<number>(10);
    for (let item = 0; item < 6; item++) backlog.push('a', item);
    const attempts: (readonly number[])[] = [];
    const fault = new Error('not these');
    const work = async (items: readonly number[]) => {
      attempts.push(items);
      if (items.includes(2)) throw fault;
    };
    await expect(backlog.drain('a', 2, work)).rejects.toBe(fault);
    expect(attempts.splice(0)).toEqual([
      [0, 1],
      [2, 3],
    ]);
    for (const item of [6, 7]) backlog.push('a', item);
    await expect(backlog.drain('a', 2, work)).rejects.toBe(fault);
    expect([attempts.splice(0), backlog.size]).toEqual([[[2, 3]], 6]);
    await backlog.drain('a', 4, async (items) => void attempts.push(items));
    expect([attempts, backlog.size]).toEqual([
      [
        [2, 3, 4, 5],
        [6, 7],
      ],
      0,
    ]);
  });
});

test('what is due is taken out, and leaves its place to others', () => {
  const backlog = new TenantBacklog<number>(3);
  for (const item of [1, 2, 3]) backlog.push('a', item);
  expect(backlog.take((item) => item < 3)).toEqual([1, 2]);
  expect([backlog.size, backlog.push('a', 4), backlog.push('b', 5)]).toEqual([1, undefined, undefined]);
  expect(backlog.take(() => true)).toEqual([3, 4, 5]);
  expect(backlog.tenantIds).toEqual([]);
});
