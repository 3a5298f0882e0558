import { expect, test } from 'vitest';

import { KEY_PLACEHOLDER } from './load-job.ts';
import { transactionsIn, WriteMix } from './write-mix.ts';

const ACCEPTED = '"userErrors":[]';

function mix(share: number): WriteMix {
  const request = Buffer.from(`{"key":"${KEY_PLACEHOLDER}"}`);
  return new WriteMix({ share, requests: [request, request], keyPrefix: 'run-1-', accepted: ACCEPTED });
}

function dashboard(...counts: number[]): Buffer {
  const totals = counts.map((count) => `{"currency":"EUR","transactionCount":${count},"inflow":"1.0000"}`);
  const series = '"series":[{"date":"2026-01-01","flows":[{"transactionCount":1000}]}]';
  return Buffer.from(`{"data":{"dashboard":{"activity":{"totals":[${totals}],${series}}}}}`);
}

test('transactions are counted over the currencies of the totals and not over the days', () => {
  expect(transactionsIn(dashboard(7, 35))).toBe(42);
  expect(transactionsIn(dashboard())).toBe(0);
});

test('the asked share of the requests writes, and no tenant is written before it was read', () => {
  const writes = mix(0.05);
  expect(Array.from({ length: 100 }, () => writes.isWrite(0))).not.toContain(true);
  writes.isFresh(0, undefined, dashboard(1));
  const written = Array.from({ length: 10_000 }, () => writes.isWrite(0)).filter(Boolean).length;
  expect(written / 10_000).toBeCloseTo(0.05, 2);
});

test('of tenants asked in turn, each is written now and then and read after it', () => {
  const writes = mix(0.05);
  const tenants = Array.from({ length: 200 }, (_, tenant) => tenant);
  for (const tenant of tenants) writes.isFresh(tenant, undefined, dashboard(1));
  const turns = Array.from({ length: 300 }, () => tenants.map((tenant) => writes.isWrite(tenant)));
  for (const tenant of tenants) {
    const own = turns.map((turn) => turn[tenant]);
    expect(own.some((isWrite, turn) => isWrite && own[turn + 1] === false)).toBe(true);
  }
});

test('a read is stale when it lacks a write that was acknowledged before it was sent, and only then', () => {
  const writes = mix(0.05);
  writes.isFresh(0, writes.leastCount(0), dashboard(10));
  const sentBefore = writes.leastCount(0);
  writes.acknowledge(0, Buffer.from(`{"data":{"recordTransactions":{${ACCEPTED}}}}`));
  expect(writes.isFresh(0, sentBefore, dashboard(10))).toBe(true);
  const sentAfter = writes.leastCount(0);
  expect(writes.isFresh(0, sentAfter, dashboard(10))).toBe(false);
  expect(writes.isFresh(0, sentAfter, dashboard(11))).toBe(true);
  expect(writes.isFresh(0, sentAfter, dashboard(12))).toBe(true);
  expect(writes.leastCount(1)).toBeUndefined();
  expect([writes.hasWritten(0), writes.hasWritten(1)]).toEqual([true, false]);
});

test('every write has a key of its own in the place of the placeholder, and a refused one ends the run', () => {
  const writes = mix(0.05);
  const [first, second] = [writes.bytesOf(0), writes.bytesOf(0)];
  expect(first.length).toBe(second.length);
  expect(first.equals(second)).toBe(false);
  expect(String(first)).not.toContain(KEY_PLACEHOLDER);
  const refused = Buffer.from('{"data":{"recordTransactions":{"userErrors":[{"message":"frozen"}]}}}');
  expect(() => writes.acknowledge(0, refused)).toThrow('a write was refused');
});
