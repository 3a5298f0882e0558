import { formatCount } from '../../src/cli/format.ts';
import { formatTable } from '../../src/cli/table.ts';
import { machineLine } from './machine.ts';
import type { ScaleReport, ScaleStep } from './run-scale.ts';

/** The steps side by side: how long one waits, and how many rows a second are written. */
export function formatScale({ machine, steps }: ScaleReport): string {
  const sizes = steps.map(({ transactions }) => formatCount(transactions));
  const growth = 'last over first';
  const latencies = formatTable(['cold, p50 in ms', 'tenant', ...sizes, growth], latencyRows(steps));
  const writes = formatTable(['bulk writes, rows/s', ...sizes, growth], writeRows(steps));
  return [`${machineLine(machine)}\nTransactions of all tenants; one caller at a time.`, latencies, writes].join(
    '\n\n',
  );
}

function latencyRows(steps: readonly ScaleStep[]): string[][] {
  return (steps[0]?.latencies ?? []).map(({ tenant, title }, row) => {
    const values = steps.map(({ latencies }) => latencies[row]?.p50Ms ?? Number.NaN);
    return [title, tenant, ...values.map((value) => value.toFixed(2)), ratio(values)];
  });
}

function writeRows(steps: readonly ScaleStep[]): string[][] {
  return (steps[0]?.writes ?? []).map(({ title }, row) => {
    const values = steps.map(({ writes }) => writes[row]?.rowsPerSecond ?? Number.NaN);
    return [title, ...values.map(formatCount), ratio(values)];
  });
}

function ratio(values: readonly number[]): string {
  return ((values.at(-1) ?? Number.NaN) / (values[0] ?? Number.NaN)).toFixed(2);
}
