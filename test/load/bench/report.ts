import { formatBytes, formatCount } from '../../../src/cli/format.ts';
import { formatTable } from '../../../src/cli/table.ts';
import type { BulkLoadResult } from './bulk-load.ts';
import { neighboursTable, overloadsTable } from './fair-shares-table.ts';
import { machineLine } from './machine.ts';
import { pricesTable } from './price-table.ts';
import { besideTable, resultTable } from './result-table.ts';
import type { BenchReport } from './run-bench.ts';

const RATIOS =
  'Ratios are to the bare server of the same case ("mixed": to the same reads without writes; "row-security": the service to\n' +
  'itself under open policies), each the median over the rounds. The load generator runs on the same cores.';

/** The whole report as text. */
export function formatReport(report: BenchReport): string {
  const { size, connections, cases, writers } = report;
  const data = `${formatCount(size.tenants)} tenants, ${formatCount(size.accounts)} accounts, ${formatCount(size.transactions)} transactions (${size.data})`;
  const parts = [`${machineLine(report.machine)}\n${data}; ${connections} connections`];
  if (cases.length > 0) parts.push(resultTable(cases), besideTable(cases), RATIOS);
  if (writers.length > 0) parts.push(writersTable(report));
  if (report.pastWrites.length > 0) parts.push(pastWritesTable(report));
  if (report.bulkLoad) parts.push(bulkLoadLine(report.bulkLoad));
  if (report.memory.length > 0) parts.push(memoryTable(report));
  if (report.invalidation.length > 0) parts.push(invalidationTable(report));
  if (report.fairShares) parts.push(neighboursTable(report.fairShares), overloadsTable(report.fairShares));
  if (report.prices) parts.push(pricesTable(report.prices));
  if (report.subscriptions.length > 0) parts.push(subscriptionsTable(report));
  return parts.filter((part) => part !== '').join('\n\n');
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

function pastWritesTable({ pastWrites }: BenchReport): string {
  return formatTable(
    ['hidden after a write past the API', 'writes', 'p50 ms', 'p95 ms', 'p99 ms', 'max ms'],
    pastWrites.map(({ surroundings, writes, p50Ms, p95Ms, p99Ms, maxMs }) => [
      ...[surroundings, formatCount(writes)],
      ...[p50Ms, p95Ms, p99Ms, maxMs].map((ms) => ms.toFixed(1)),
    ]),
  );
}

function subscriptionsTable({ subscriptions }: BenchReport): string {
  return formatTable(
    ['idle subscribers', 'open', 'memory', 'sent/s', 'event after a write, p50 ms', 'p99 ms'],
    subscriptions.map(({ transport, subscribers, memoryBytes, bytesPerSecond, p50Ms, p99Ms }) => [
      ...[transport, formatCount(subscribers), formatBytes(memoryBytes), formatBytes(bytesPerSecond)],
      ...[p50Ms, p99Ms].map((ms) => ms.toFixed(1)),
    ]),
  );
}

function bulkLoadLine({ transactions, seconds, transactionsPerSecond }: BulkLoadResult): string {
  const rate = formatCount(transactionsPerSecond);
  return `Import of ${formatCount(transactions)} transactions with everything on: ${seconds.toFixed(1)} s, ${rate} transactions/s.`;
}

function memoryTable({ memory }: BenchReport): string {
  return formatTable(
    ['entries kept', 'put', 'still there', 'bound', 'counted', 'in use', 'to bound', 'resident'],
    memory.map(({ tier, put, kept, boundBytes, countedBytes, liveBytes, residentBytes }) => [
      ...[tier, formatCount(put), formatCount(kept)],
      ...[boundBytes, countedBytes, liveBytes].map(formatBytes),
      (liveBytes / boundBytes).toFixed(2),
      formatBytes(residentBytes),
    ]),
  );
}

function invalidationTable({ invalidation }: BenchReport): string {
  return formatTable(
    ['invalidating a tenant', 'entries', 'us', 'entries', 'us', 'ratio'],
    invalidation.map(({ tier, fewEntries, fewMicros, manyEntries, manyMicros, ratio }) => [
      ...[tier, formatCount(fewEntries), fewMicros.toFixed(1)],
      ...[formatCount(manyEntries), manyMicros.toFixed(1), ratio.toFixed(2)],
    ]),
  );
}
