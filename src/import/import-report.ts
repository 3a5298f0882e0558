import { formatCount, formatDuration, formatRate } from '../cli/format.ts';
import { formatTable } from '../cli/table.ts';
import { counted } from '../counted.ts';
import type { ImportResult } from './apply-import.ts';

/** What a person is told when an import is done. */
export function formatResult(result: ImportResult, durationMs: number, dryRun = false): string {
  const rows = Object.entries(result.tables).map(([table, { inserted, updated, unchanged, rejected }]) => [
    table,
    ...[inserted, updated, unchanged, rejected].map(formatCount),
  ]);
  const total = Object.values(result.tables)
    .flatMap((table) => Object.values(table))
    .reduce((sum, count) => sum + count, 0);
  const lines = [
    formatTable(['', 'inserted', 'updated', 'unchanged', 'rejected'], rows),
    `${counted(total, 'row')} in ${formatDuration(durationMs)}, ${formatRate(total, durationMs, 'rows')}.`,
  ];
  if (dryRun) lines.push('Nothing was kept: this was a dry run.');
  if (hasRejects(result)) lines.push(`The rejected rows and why: ${result.rejectsPath}`);
  return lines.join('\n');
}

export function hasRejects({ tables }: ImportResult): boolean {
  return Object.values(tables).some(({ rejected }) => rejected > 0);
}

/**
 * In the working directory; never in the imported folder, which may be read-only and is to stay as
 * it is.
 */
export function defaultRejectsPath(now: Date): string {
  return `import-rejects-${now.toISOString().slice(0, 19).replaceAll(':', '')}Z.csv`;
}
