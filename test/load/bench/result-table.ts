import { formatBytes, formatCount } from '../../../src/cli/format.ts';
import { formatTable } from '../../../src/cli/table.ts';
import type { CaseResult } from './results.ts';
import { SUBJECTS } from './subjects.ts';

const HEADERS = [
  'case',
  'server',
  'req/s',
  'ratio',
  'CPU us/req',
  'ratio',
  'PostgreSQL us/req',
  'load us/req',
  'p50 ms',
  'p99 ms',
  'hits',
  'SQL/req',
  'peak memory',
  'ratio',
  'stale reads',
];

const BESIDE_HEADERS = ['case', 'server', 'beside', 'throughput', 'CPU', 'PostgreSQL CPU', 'p99'];

/** The results as the person at the terminal reads them. */
export function resultTable(results: readonly CaseResult[]): string {
  return formatTable(HEADERS, results.map(row));
}

function row(result: CaseResult): string[] {
  const { benchCase } = result;
  return [
    ...titleOf(benchCase),
    formatCount(result.requestsPerSecond),
    decimals(result.throughputRatio, 2),
    decimals(result.cpuMicrosPerRequest, 0),
    decimals(result.cpuRatio, 2),
    decimals(result.databaseMicrosPerRequest, 0),
    decimals(result.loadMicrosPerRequest, 0),
    decimals(result.p50Ms, 2),
    decimals(result.p99Ms, 2),
    Number.isNaN(result.hitRate) ? '-' : `${(100 * result.hitRate).toFixed(1)} %`,
    decimals(result.statementsPerRequest, 2),
    Number.isNaN(result.peakMemoryBytes) ? '-' : formatBytes(result.peakMemoryBytes),
    decimals(result.memoryRatio, 2),
    result.freshnessChecks > 0 ? `${result.staleReads} of ${formatCount(result.freshnessChecks)}` : '-',
  ];
}

/** Each case beside the others that were asked the same; empty where there are none. */
export function besideTable(results: readonly CaseResult[]): string {
  const rows = results.flatMap(({ benchCase, beside }) =>
    beside.map(({ subject, throughputRatio, cpuRatio, databaseRatio, p99Ratio }) => [
      ...[...titleOf(benchCase), SUBJECTS[subject].name],
      ...[throughputRatio, cpuRatio, databaseRatio, p99Ratio].map((ratio) => decimals(ratio, 2)),
    ]),
  );
  return rows.length > 0 ? formatTable(BESIDE_HEADERS, rows) : '';
}

function titleOf({ section, writeShare, subject }: CaseResult['benchCase']): string[] {
  return [`${section}${writeShare ? `, ${100 * writeShare} % writes` : ''}`, SUBJECTS[subject].name];
}

function decimals(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '-';
}
