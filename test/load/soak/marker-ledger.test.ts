import { expect, test } from 'vitest';

import { firstMarker, MarkerLedger } from './marker-ledger.ts';

test('a read that began after a write was acknowledged must show it, one that began before need not', () => {
  const ledger = new MarkerLedger(2);
  const before = ledger.leastMarker(0, 0);
  ledger.acknowledge(0, firstMarker(0) + 1, 0);
  expect(ledger.judge(0, before, firstMarker(0))).toBe('right');
  const after = ledger.leastMarker(0, 0);
  expect(ledger.judge(0, after, firstMarker(0))).toBe('stale');
  expect(ledger.judge(0, after, firstMarker(0) + 2)).toBe('right');
  expect(ledger.leastMarker(1, 0)).toBe(firstMarker(1));
});

test('acknowledgements that come in another order than the writes lower nothing', () => {
  const ledger = new MarkerLedger(1);
  ledger.acknowledge(0, firstMarker(0) + 2, 0);
  ledger.acknowledge(0, firstMarker(0) + 1, 0);
  expect(ledger.leastMarker(0, 0)).toBe(firstMarker(0) + 2);
});

test('a write past the API may be hidden for a second and no longer', () => {
  const ledger = new MarkerLedger(1);
  ledger.commitPast(0, firstMarker(0) + 1, 500);
  ledger.commitPast(0, firstMarker(0) + 2, 600);
  expect(ledger.leastMarker(0, 1_499)).toBe(firstMarker(0));
  expect(ledger.leastMarker(0, 1_500)).toBe(firstMarker(0) + 1);
  expect(ledger.leastMarker(0, 9_000)).toBe(firstMarker(0) + 2);
});

test("another tenant's marker is told from an old one", () => {
  const ledger = new MarkerLedger(3);
  expect(ledger.judge(1, firstMarker(1), firstMarker(0))).toBe('foreign');
  expect(ledger.judge(1, firstMarker(1), firstMarker(2))).toBe('foreign');
  expect(ledger.judge(1, firstMarker(1), Number.NaN)).toBe('foreign');
});
