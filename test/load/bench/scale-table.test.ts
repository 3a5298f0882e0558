import { expect, test } from 'vitest';
import { MACHINE } from './known-machine.ts';
import { YARDSTICK } from './scale-operations.ts';
import { formatScale } from './scale-table.ts';

function step(transactions: number, yardstickMs: number, dashboardMs: number, rowsPerSecond: number) {
  return {
    transactions,
    latencies: [
      { tenant: 'largest' as const, title: YARDSTICK, p50Ms: yardstickMs },
      { tenant: 'largest' as const, title: 'dashboard', p50Ms: dashboardMs },
    ],
    writes: [{ title: 'without triggers', rowsPerSecond }],
  };
}

test('growth is shown as it is and over that of the yardstick, which a slower machine slows too', () => {
  const text = formatScale({ machine: MACHINE, steps: [step(1_000, 1, 2, 400), step(10_000, 2, 6, 300)] });
  const rows = text.split('\n').map((line) => line.split(/ {2,}/));
  expect(rows).toContainEqual(['dashboard', 'largest', '2.00', '6.00', '3.00', '1.50']);
  expect(rows).toContainEqual(['without triggers', '400', '300', '0.75']);
});
