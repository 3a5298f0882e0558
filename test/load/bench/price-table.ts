import { formatCount } from '../../../src/cli/format.ts';
import { formatTable } from '../../../src/cli/table.ts';
import type { PricesResult } from './prices.ts';

const HEADERS = ['price of', 'tenant', 'points', 'service us', 'PostgreSQL us', 'points/ms', 'factor'];
/** No price may be further from the middle. */
const MAX_FACTOR = 3;

export function pricesTable({ pointsPerMs, prices }: PricesResult): string {
  const rows = prices.map((price) => [
    ...[price.title, price.tenant, formatCount(price.points)],
    ...[price.serviceMicros, price.databaseMicros, price.pointsPerMs].map((value) => formatCount(Math.round(value))),
    factorText(price),
  ]);
  return `${formatTable(HEADERS, rows)}\n\nPoints for a millisecond of CPU, in the middle: ${formatCount(Math.round(pointsPerMs))}. A price that stands for the most that may be read is not judged.`;
}

/** Whether each price that is judged stands for what its work costs. */
export function arePricesRight({ prices }: PricesResult): boolean {
  return prices.every(({ factor, isCheap }) => isCheap || factor <= MAX_FACTOR);
}

function factorText({ factor, isCheap }: PricesResult['prices'][number]): string {
  if (isCheap) return '(the most)';
  return factor <= MAX_FACTOR ? factor.toFixed(1) : `${factor.toFixed(1)} TOO FAR`;
}
