import { formatCount, formatRate } from '../../../src/cli/format.ts';
import { counted } from '../../../src/counted.ts';
import { machineLine } from '../bench/machine.ts';
import type { SoakReport } from './run-soak.ts';
import type { Finding } from './soak-traffic.ts';

/** Whether an answer was older than promised, or another tenant's. */
export function isWrong({ stale, foreign }: SoakReport): boolean {
  return stale + foreign > 0;
}

/** What it takes to be a success, when that was not reached; null when it was. */
export function tooFew({ soonAfterWrite }: SoakReport, nearWrites: number): string | null {
  if (soonAfterWrite >= nearWrites) return null;
  return (
    `Only ${formatCount(soonAfterWrite)} reads began within 10 ms of a write of their tenant, ${formatCount(nearWrites)} were wanted: ` +
    'this shows nothing.\nGive more --seconds or --reads, or fewer --tenants, which are then written more often each.'
  );
}

/** The result as the person at the terminal reads it. */
export function formatSoak(report: SoakReport): string {
  const { machine, processes, tenants, seconds, reads, hitRate, findings } = report;
  const durationMs = seconds * 1000;
  return [
    `${machineLine(machine)}\n${counted(processes, 'process', 'processes')}, ${counted(tenants, 'tenant')}, ${seconds.toFixed(1)} s`,
    [
      `reads checked        ${formatCount(reads)} (${formatRate(reads, durationMs, 'reads')})`,
      `within 10 ms of a write  ${formatCount(report.soonAfterWrite)}`,
      `from the cache       ${(100 * hitRate).toFixed(1)} %`,
      `writes, API          ${formatCount(report.writes)}`,
      `writes past the API  ${formatCount(report.writesPast)}`,
      `faults               ${report.faults} (${counted(report.brokenConnections, 'connection')} broken)`,
      `stale reads          ${formatCount(report.stale)}`,
      `foreign answers      ${formatCount(report.foreign)}`,
    ].join('\n'),
    ...findings.map(lineOf),
  ].join('\n\n');
}

function lineOf(finding: Finding): string {
  const { verdict, read, tenant, process, leastMarker, marker, sinceWriteMs, cacheStatus } = finding;
  return (
    `${verdict}: ${read} of tenant ${tenant} through process ${process}, ${sinceWriteMs.toFixed(1)} ms after its last write: ` +
    `expected ${leastMarker} at least, but got ${marker ?? "another tenant's answer"} (${cacheStatus})`
  );
}
