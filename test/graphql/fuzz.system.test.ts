import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeDifference } from './fuzz/difference.ts';
import { runFuzz } from './fuzz/run-fuzz.ts';

/** `npm run fuzz` does any number of others. */
const OPERATIONS = 1_000;

// Most errors of these answers are expected: finding out where they were made takes longer than
// making them.
const { stackTraceLimit } = Error;
beforeAll(() => {
  Error.stackTraceLimit = 0;
});
afterAll(() => {
  Error.stackTraceLimit = stackTraceLimit;
});

test('an operation means the same however often it is executed, and whatever executes it', {
  timeout: 300_000,
}, async () => {
  const { first, differences, compiled, hits, checked } = await runFuzz({ operations: OPERATIONS, seed: 1 });
  expect(first && describeDifference(first)).toBeUndefined();
  expect(differences).toBe(0);
  expect(compiled).toBeGreaterThan(OPERATIONS);
  expect(hits).toBeGreaterThan(OPERATIONS / 20);
  expect(checked.differs).toBe(0);
  expect(checked.equal).toBeGreaterThan(0);
});
