import { formatBytes, formatCount } from '../../src/cli/format.ts';
import { formatTable } from '../../src/cli/table.ts';
import type { CaseResult } from './results.ts';
import { SUBJECTS } from './subjects.ts';

const HEADERS = [
  'case',
  'server',
  'req/s',
  'ratio',
  'CPU us/req',
  'ratio',
  'p50 ms',
  'p99 ms',
  'hits',
  'SQL/req',
  'peak memory',
  'ratio',
  'stale reads',
];

/** The results as the person at the terminal reads them. */
export function resultTable(results: readonly CaseResult[]): string {
  return formatTable(HEADERS, results.map(row));
}

function row(result: CaseResult): string[] {
  const { benchCase } = result;
  const writes = benchCase.writeShare ? `, ${100 * benchCase.writeShare} % writes` : '';
  return [
    `${benchCase.section}${writes}`,
    SUBJECTS[benchCase.subject].name,
    formatCount(result.requestsPerSecond),
    decimals(result.throughputRatio, 2),
    decimals(result.cpuMicrosPerRequest, 0),
    decimals(result.cpuRatio, 2),
    decimals(result.p50Ms, 2),
    decimals(result.p99Ms, 2),
    Number.isNaN(result.hitRate) ? '-' : `${(100 * result.hitRate).toFixed(1)} %`,
    decimals(result.statementsPerRequest, 2),
    Number.isNaN(result.peakMemoryBytes) ? '-' : formatBytes(result.peakMemoryBytes),
    decimals(result.memoryRatio, 2),
    result.freshnessChecks > 0 ? `${result.staleReads} of ${formatCount(result.freshnessChecks)}` : '-',
  ];
}

function decimals(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '-';
}
