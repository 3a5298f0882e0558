/** Digits after the point of every amount: numeric(19,4), and sums of them. */
const SCALE = 4;

/** Exact sum of decimals with up to four digits after the point. @returns with exactly four, for example "1234.5600" */
export function sumOf(amounts: Iterable<string>): string {
  let sum = 0n;
  for (const amount of amounts) sum += unitsOf(amount);
  return decimalOf(sum);
}

/** Exact difference of two decimals. */
export function differenceOf(minuend: string, subtrahend: string): string {
  return decimalOf(unitsOf(minuend) - unitsOf(subtrahend));
}

/** Ten-thousandths of the currency's unit. */
function unitsOf(amount: string): bigint {
  const [whole = '0', fraction = ''] = amount.split('.');
  return BigInt(whole + fraction.padEnd(SCALE, '0'));
}

function decimalOf(units: bigint): string {
  const digits = (units < 0n ? -units : units).toString().padStart(SCALE + 1, '0');
  return `${units < 0n ? '-' : ''}${digits.slice(0, -SCALE)}.${digits.slice(-SCALE)}`;
}
