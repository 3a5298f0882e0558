import { describe, expect, it } from 'vitest';
import { BoundedRegistry, OTHER } from '../../src/monitoring/bounded-registry.ts';

interface Counter {
  calls: number;
}

function countingRegistry(limit: number) {
  return new BoundedRegistry<Counter>(limit, () => ({ calls: 0 }));
}

function countsOf(registry: BoundedRegistry<Counter>) {
  return Object.fromEntries([...registry.entries()].map(([name, { calls }]) => [name, calls]));
}

describe('a bounded registry', () => {
  it('keeps an entry for each name until the limit, and one for all names after it', () => {
    const registry = countingRegistry(2);
    for (const name of ['A', 'B', 'C', 'A', 'D', 'B']) registry.entry(name).calls++;
    expect(countsOf(registry)).toEqual({ A: 2, B: 2, [OTHER]: 2 });
  });

  it('never holds more than the limit and one, whatever clients send', () => {
    const registry = countingRegistry(10);
    for (let number = 0; number < 1_000; number++) registry.entry(`Operation${number}`).calls++;
    expect(registry.size).toBe(11);
    expect(registry.entry(OTHER).calls).toBe(990);
  });

  it('counts names that are too long to be kept among the others', () => {
    const registry = countingRegistry(10);
    registry.entry('x'.repeat(101)).calls++;
    registry.entry('x'.repeat(100)).calls++;
    expect(countsOf(registry)).toEqual({ [OTHER]: 1, ['x'.repeat(100)]: 1 });
  });
});
