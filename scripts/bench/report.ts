import { formatCount } from '../../src/cli/format.ts';
import { formatTable } from '../../src/cli/table.ts';
import { machineLine } from './machine.ts';
import { median } from './percentile.ts';
import { resultTable } from './result-table.ts';
import type { BenchReport } from './run-bench.ts';

/** The whole report as text. */
export function formatReport(report: BenchReport): string {
  const { size, connections, cases, writers } = report;
  const data = `${formatCount(size.tenants)} tenants, ${formatCount(size.accounts)} accounts, ${formatCount(size.transactions)} transactions`;
  const parts = [`${machineLine(report.machine)}\n${data}; ${connections} connections`];
  if (cases.length > 0) parts.push(resultTable(cases), loadLine(report));
  if (writers.length > 0) parts.push(writersTable(report));
  return parts.join('\n\n');
}

function loadLine({ cases }: BenchReport): string {
  const cost = median(cases.map(({ loadMicrosPerRequest }) => loadMicrosPerRequest));
  return (
    `Ratios are to the bare server of the same case ("mixed": to the same reads without writes), each the median over the rounds.\n` +
    `The load generator itself took ${cost.toFixed(0)} us of CPU per request, on the same cores.`
  );
}

function writersTable({ writers }: BenchReport): string {
  const onOff = (on: boolean) => (on ? 'on' : 'off');
  return formatTable(
    ['statistics triggers', 'outbox triggers', '24 writers, tx/s', 'ratio'],
    writers.map(({ statistics, outbox, transactionsPerSecond, ratio }) => [
      onOff(statistics),
      onOff(outbox),
      formatCount(transactionsPerSecond),
      ratio.toFixed(2),
    ]),
  );
}
