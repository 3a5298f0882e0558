import { describe, expect, it } from 'vitest';
import { explore } from './explore.ts';
import { type Fault, type ModelSize, protocol } from './model.ts';

/** Sizes that between them hold every way two of anything can meet; each is explored whole. */
const SIZES: readonly ModelSize[] = [
  { writers: 1, readers: 3, losses: 0 },
  { writers: 2, readers: 2, losses: 0 },
  { writers: 1, readers: 2, losses: 2 },
];

/** With the smallest size that shows it. */
const FAULTS: readonly [Fault, ModelSize][] = [
  ['versions are read after the load', { writers: 1, readers: 2, losses: 0 }],
  ['the bump comes before the commit', { writers: 1, readers: 2, losses: 0 }],
  ['missing versions begin at zero', { writers: 1, readers: 2, losses: 1 }],
  ['any load under way is joined', { writers: 1, readers: 3, losses: 0 }],
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
