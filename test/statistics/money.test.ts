import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { differenceOf, sumOf } from '../../src/statistics/money.ts';

/** Ten-thousandths, from the smallest to beyond what numbers hold exactly. */
const units = fc.oneof(
  fc.bigInt({ min: -10_000n, max: 10_000n }),
  fc.bigInt({ min: -9_007_199_254_740_993n, max: 9_007_199_254_740_993n }),
  fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
);

function text(value: bigint, isShort = false): string {
  const digits = (value < 0n ? -value : value).toString().padStart(5, '0');
  const decimal = `${value < 0n ? '-' : ''}${digits.slice(0, -4)}.${digits.slice(-4)}`;
  return isShort ? decimal.replace(/\.?0+$/, '') : decimal;
}

describe('sums of money', () => {
  test('are exact, whatever the size and however many digits are written', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(units, fc.boolean())), (amounts) => {
        const sum = amounts.reduce((total, [value]) => total + value, 0n);
        expect(sumOf(amounts.map(([value, isShort]) => text(value, isShort)))).toBe(text(sum));
      }),
    );
  });

  test('and so are differences', () => {
    fc.assert(
      fc.property(units, units, (a, b) => {
        expect(differenceOf(text(a), text(b))).toBe(text(a - b));
      }),
    );
  });

  test('of nothing and of opposites are zero without a sign', () => {
    expect([sumOf([]), sumOf(['-0.0000']), sumOf(['-1.5', '1.5']), differenceOf('0', '0.0000')]).toEqual(
      Array(4).fill('0.0000'),
    );
  });
});
