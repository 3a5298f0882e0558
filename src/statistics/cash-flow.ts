import { groupBy } from '../group-by.ts';
import { shownCount } from '../limits.ts';
import type { CashFlow } from './cash-flow.type.ts';
import { differenceOf, sumOf } from './money.ts';

/** Transactions of one currency, as the database sums them. */
export interface FlowRow {
  readonly currency: string;
  readonly count: number;
  readonly inflow: string;
  readonly outflow: string;
}

/** One flow for each currency that occurs, by the currency's name. */
export function cashFlows(rows: readonly FlowRow[]): CashFlow[] {
  const [only, second] = rows;
  if (!second) return only ? [cashFlow(only.currency, rows)] : []; // most days: nothing to group or sort
  return [...groupBy(rows, ({ currency }) => currency)]
    .map(([currency, flows]) => cashFlow(currency, flows))
    .sort((a, b) => compareText(a.currency, b.currency));
}

function cashFlow(currency: string, rows: readonly FlowRow[]): CashFlow {
  const inflow = total(rows, (row) => row.inflow);
  const outflow = total(rows, (row) => row.outflow);
  const transactionCount = shownCount(rows.reduce((sum, { count }) => sum + count, 0));
  return { currency, transactionCount, inflow, outflow, net: differenceOf(inflow, outflow) };
}

/**
 * The database's own text where there is nothing to add up, as for most days: it has four digits
 * after the point.
 */
function total(rows: readonly FlowRow[], amountOf: (row: FlowRow) => string): string {
  const [only, second] = rows;
  return only && !second ? amountOf(only) : sumOf(rows.map(amountOf));
}

/** Order by code units: the same everywhere, whatever the machine's language. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
