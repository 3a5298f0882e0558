import { expect, test } from 'vitest';
import { RestartPolicy } from '../../src/startup/restart-policy.ts';

const SHORT_MS = 1_000;
const LONG_MS = 60_000;

test('a worker that dies again and again is replaced after pauses that double up to ten seconds', () => {
  const policy = new RestartPolicy();
  const pauses = Array.from({ length: 9 }, () => {
    policy.started();
    return policy.ended(SHORT_MS);
  });
  expect(pauses).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
});

test('after a long life the pause is short again', () => {
  const policy = new RestartPolicy();
  for (let times = 0; times < 5; times++) {
    policy.started();
    policy.ended(SHORT_MS);
  }
  policy.started();
  expect(policy.ended(LONG_MS)).toBe(100);
});

test('five starts in a row that fail are enough', () => {
  const policy = new RestartPolicy();
  const pauses = Array.from({ length: 5 }, () => policy.ended(undefined));
  expect(pauses).toEqual([100, 200, 400, 800, undefined]);
});

test('a start that succeeds is a new beginning', () => {
  const policy = new RestartPolicy();
  for (let times = 0; times < 4; times++) policy.ended(undefined);
  policy.started();
  expect(policy.ended(undefined)).toBeDefined();
});
