import { describe, expect, it } from 'vitest';
import { explore } from './explore.ts';
import { type Fault, type ModelSize, protocol } from './model.ts';

/** Sizes that between them have every way two of anything can meet; each is explored whole. */
const SIZES: readonly ModelSize[] = [
  { writers: 1, readers: 3, losses: 0, isWarm: false },
  { writers: 2, readers: 2, losses: 0, isWarm: false },
  { writers: 1, readers: 2, losses: 2, isWarm: false },
  { writers: 2, readers: 2, losses: 0, isWarm: true },
  { writers: 1, readers: 2, losses: 2, isWarm: true },
  { writers: 1, readers: 3, losses: 1, isWarm: true },
];

/** With the smallest size that shows it. */
const FAULTS: readonly [Fault, ModelSize][] = [
  ['versions are read after the load', { writers: 1, readers: 2, losses: 0, isWarm: false }],
  ['the bump comes before the commit', { writers: 1, readers: 2, losses: 0, isWarm: false }],
  ['missing versions begin at zero', { writers: 1, readers: 2, losses: 1, isWarm: true }],
  ['any load under way is joined', { writers: 1, readers: 3, losses: 0, isWarm: false }],
  ['nobody is told of a bump', { writers: 1, readers: 1, losses: 0, isWarm: true }],
  ['a bump waits for nobody with a lease', { writers: 1, readers: 1, losses: 0, isWarm: true }],
  ['a bump revokes only the leases that the last one did not', { writers: 2, readers: 1, losses: 0, isWarm: true }],
  ['a list of leases that was lost is taken for an empty one', { writers: 1, readers: 1, losses: 1, isWarm: true }],
  ['a lease is taken on an answer that a revocation overtook', { writers: 1, readers: 3, losses: 0, isWarm: true }],
];

describe('the protocol, over every interleaving', () => {
  it.each(SIZES)('answers nothing older than an acknowledged write: %o', (size) => {
    const { states, counterexample } = explore(protocol(size));
    expect(counterexample).toBeUndefined();
    expect(states).toBeGreaterThan(1_000);
  });

  it.each(FAULTS)('would be seen to fail if %s', (fault, size) => {
    expect(explore(protocol(size)).counterexample).toBeUndefined();
    const { counterexample } = explore(protocol(size, fault));
    expect(counterexample?.at(-1)).toMatch(/answered \d after \d was acknowledged/);
  });
});
