import { describe, expect, it } from 'vitest';
import type { ResponseEntry } from '../../src/cache/store/entry.ts';
import { MemoryEntries } from '../../src/cache/store/entry-store.ts';

const KB = 1024;

describe('the entries in memory', () => {
  it('never take more than their bound, however many there are', () => {
    const entries = new MemoryEntries(100 * KB);
    for (let tenant = 0; tenant < 50; tenant++)
      for (let n = 0; n < 20; n++) entries.set(keyOf(`t${tenant}`, n), entryOf(2 * KB));
    expect(entries.bytes).toBeLessThanOrEqual(100 * KB);
    expect(entries.bytes).toBeGreaterThan(80 * KB);
  });

  it('leave three quarters to the others, whatever one tenant asks for', () => {
    const entries = new MemoryEntries(200 * KB);
    const quiet = Array.from({ length: 20 }, (_, n) => keyOf('quiet', n));
    for (const key of quiet) entries.set(key, entryOf(KB));
    for (let n = 0; n < 10_000; n++) entries.set(keyOf('greedy', n), entryOf(KB));
    expect(quiet.filter((key) => entries.has(key))).toEqual(quiet);
    expect(entries.has(keyOf('greedy', 9_999))).toBe(true);
    expect(entries.has(keyOf('greedy', 0))).toBe(false);
    expect(entries.bytes).toBeLessThan(120 * KB);
  });

  it('replace an entry without counting it twice', () => {
    const entries = new MemoryEntries(100 * KB);
    entries.set(keyOf('one', 1), entryOf(KB));
    const once = entries.bytes;
    for (let round = 0; round < 1_000; round++) entries.set(keyOf('one', 1), entryOf(KB));
    expect(entries.bytes).toBe(once);
  });

  it('leave out an entry larger than a tenant’s share, and everything when there is no room at all', () => {
    const entries = new MemoryEntries(40 * KB);
    entries.set(keyOf('one', 1), entryOf(10 * KB));
    expect(entries.has(keyOf('one', 1))).toBe(false);
    const none = new MemoryEntries(0);
    none.set(keyOf('one', 1), entryOf(1));
    expect([none.get(keyOf('one', 1)), none.bytes]).toEqual([undefined, 0]);
  });
});

function keyOf(tenant: string, n: number): string {
  return `tenant:{${tenant}}:response:${n}`;
}

function entryOf(bytes: number): ResponseEntry {
  return {
    versions: { epoch: 'e' },
    createdAtMs: 0,
    expiresAtMs: 1,
    contentType: 'application/json',
    operationName: null,
    namespace: 'other',
    body: Buffer.alloc(bytes),
    etag: '""',
  };
}
