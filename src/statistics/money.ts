/** Digits after the point of every amount: numeric(19,4), and sums of them. */
const SCALE = 4;

/** Ten-thousandths of a unit. */
const UNITS = 10 ** SCALE;

/**
 * Below it the product of a decimal's float and 10,000 is less than half off, so that rounding
 * finds the whole number.
 */
const MAX_EXACT = 2 ** 50;

/**
 * Sums are counted in ten-thousandths of the currency's unit: as numbers while these are exact,
 * which is up to a hundred thousand million units of the currency, and as big integers beyond, at
 * many times the price.
 */
type Units = number | bigint;

/**
 * Exact sum of decimals with up to four digits after the point. @returns with exactly four, for
 * example "1234.5600"
 */
export function sumOf(amounts: readonly string[]): string {
  let sum: Units = 0;
  for (const amount of amounts) sum = plus(sum, unitsOf(amount));
  return decimalOf(sum);
}

/** Exact difference of two decimals. */
export function differenceOf(minuend: string, subtrahend: string): string {
  const units = unitsOf(subtrahend);
  return decimalOf(plus(unitsOf(minuend), -units));
}

function plus(a: Units, b: Units): Units {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return BigInt(a) + BigInt(b);
}

function unitsOf(amount: string): Units {
  const units = Math.round(Number(amount) * UNITS);
  if (Math.abs(units) < MAX_EXACT) return units;
  const [whole = '0', fraction = ''] = amount.split('.');
  return BigInt(whole + fraction.padEnd(SCALE, '0'));
}

function decimalOf(units: Units): string {
  const digits = String(units < 0 ? -units : units).padStart(SCALE + 1, '0');
  return `${units < 0 ? '-' : ''}${digits.slice(0, -SCALE)}.${digits.slice(-SCALE)}`;
}
