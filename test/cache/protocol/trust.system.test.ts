import { describe, expect, it } from 'vitest';
import { explore } from './explore.ts';
import { type TrustFault, type TrustSize, trustProtocol } from './trust-model.ts';

const SIZES: readonly TrustSize[] = [
  { writes: 0, past: true, failovers: 0, faults: 1 },
  { writes: 0, past: true, failovers: 0, faults: 1, isRelay: true },
  { writes: 1, failovers: 0, faults: 1 },
  { writes: 1, failovers: 1, faults: 0, hasLeases: false },
];

/** With the smallest size that shows it. */
const FAULTS: readonly [TrustFault, TrustSize][] = [
  ['a lease speaks of a bump that was not heard of', { writes: 0, past: true, failovers: 0, faults: 0 }],
  ['the relay keeps its own lease', { writes: 0, past: true, failovers: 0, faults: 0, isRelay: true }],
  ['a failed bump waits for a lease alone', { writes: 1, failovers: 0, faults: 1 }],
  ['the relay passes over every write of the API', { writes: 1, failovers: 0, faults: 0, hasLeases: false }],
  ['a versions lease outlasts what the list says of it', { writes: 1, failovers: 0, faults: 0 }],
  ['a lease is trusted whatever server it names', { writes: 1, failovers: 1, faults: 0, hasLeases: false }],
  ['a bump counts whatever server is trusted', { writes: 1, failovers: 1, faults: 0, hasLeases: false }],
  ['a new term gives a lease at once', { writes: 1, failovers: 1, faults: 0, hasLeases: false }],
];

describe('trust, over every interleaving', () => {
  it.each(SIZES)('lets nobody answer less than what was acknowledged: %o', { timeout: 120_000 }, (size) => {
    const { states, counterexample } = explore(trustProtocol(size));
    expect(counterexample).toBeUndefined();
    expect(states).toBeGreaterThan(1_000);
  });

  it.each(FAULTS)('would be seen to fail if %s', (fault, size) => {
    const { counterexample } = explore(trustProtocol(size, fault));
    expect(counterexample?.at(-1)).toMatch(/answered \d after \d was acknowledged/);
  });
});
