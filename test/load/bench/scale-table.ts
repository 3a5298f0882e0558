import { formatCount } from '../../../src/cli/format.ts';
import { formatTable } from '../../../src/cli/table.ts';
import { machineLine } from './machine.ts';
import { median } from './percentile.ts';
import type { ScaleReport, ScaleStep } from './run-scale.ts';
import { YARDSTICK } from './scale-operations.ts';

/** The steps side by side: how long one waits, and how many rows a second are written. */
export function formatScale({ machine, steps }: ScaleReport): string {
  const sizes = steps.map(({ transactions }) => formatCount(transactions));
  const growth = 'last over first';
  const latencies = formatTable(['cold, p50 in ms', 'tenant', ...sizes, growth, 'by yardstick'], latencyRows(steps));
  const writes = formatTable(['bulk writes, rows/s', ...sizes, growth], writeRows(steps));
  return [`${machineLine(machine)}\nTransactions of all tenants; one caller at a time.`, latencies, writes].join(
    '\n\n',
  );
}

/**
 * Steps lie far apart in time: growth is also shown over that of what does not depend on the data.
 */
function latencyRows(steps: readonly ScaleStep[]): string[][] {
  const rows = (steps[0]?.latencies ?? []).map(({ tenant, title }, row) => {
    const values = steps.map(({ latencies }) => latencies[row]?.p50Ms ?? Number.NaN);
    return { title, tenant, values, growth: growthOf(values) };
  });
  const yardstick = median(rows.filter(({ title }) => title === YARDSTICK).map(({ growth }) => growth));
  return rows.map(({ title, tenant, values, growth }) => [
    ...[title, tenant, ...values.map((value) => value.toFixed(2))],
    ...[growth.toFixed(2), (growth / yardstick).toFixed(2)],
  ]);
}

function writeRows(steps: readonly ScaleStep[]): string[][] {
  return (steps[0]?.writes ?? []).map(({ title }, row) => {
    const values = steps.map(({ writes }) => writes[row]?.rowsPerSecond ?? Number.NaN);
    return [title, ...values.map(formatCount), growthOf(values).toFixed(2)];
  });
}

function growthOf(values: readonly number[]): number {
  return (values.at(-1) ?? Number.NaN) / (values[0] ?? Number.NaN);
}
