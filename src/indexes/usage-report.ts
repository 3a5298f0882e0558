import { formatBytes, formatCount } from '../cli/format.ts';
import { formatTable } from '../cli/table.ts';
import { keyText } from '../database/index-definition.ts';
import { tablesOf } from '../database/tables.ts';
import { ABSENT_INDEXES } from './absent.ts';
import type { AnalyzedIndex } from './analyze.ts';
import type { IndexUsage, TableUsage } from './usage.ts';

/**
 * Each index with its figures and verdict, what it is for below the table, and what is missing on
 * purpose.
 */
export function formatAnalysis(indexes: readonly AnalyzedIndex[], unmarked: readonly string[]): string {
  const rows = indexes.map(({ model, definition, sizeBytes, scans, cacheHitRatio, verdict }) => [
    model,
    definition.name,
    formatBytes(sizeBytes),
    formatCount(scans),
    percent(cacheHitRatio),
    verdict.reason,
  ]);
  const purposes = indexes.map(({ definition, purpose }) => [
    definition.name,
    keyText(definition),
    purpose ?? 'Not in the catalogue: who made it, and what for?',
  ]);
  const tables = new Set(tablesOf(indexes.map(({ model }) => model)));
  const absent = ABSENT_INDEXES.filter(({ table }) => tables.has(table));
  return [
    formatTable(['model', 'index', 'size', 'scans', 'in memory', 'verdict'], rows),
    formatTable(['index', 'on', 'purpose'], purposes),
    ...(absent.length ? [`Not there on purpose:\n${absent.map(absentLine).join('\n')}`] : []),
    ...(unmarked.length ? [unmarkedNote(unmarked)] : []),
  ].join('\n\n');
}

/** The raw figures. */
export function formatUsage(indexes: readonly IndexUsage[]): string {
  const rows = indexes.map(({ model, definition, sizeBytes, scans, tuplesRead, cacheHitRatio, neededBytes }) => [
    model,
    definition.name,
    formatBytes(sizeBytes),
    neededBytes === null ? '-' : formatBytes(neededBytes),
    formatCount(scans),
    formatCount(tuplesRead),
    percent(cacheHitRatio),
  ]);
  return formatTable(['model', 'index', 'size', 'needed', 'scans', 'entries read', 'in memory'], rows);
}

/** The figures of tables, each with its verdict. */
export function formatTables(tables: readonly TableUsage[]): string {
  const rows = tables.map((table) => [
    table.model,
    formatCount(table.rows),
    formatCount(table.deadRows),
    formatBytes(table.sizeBytes),
    formatBytes(table.indexBytes),
    formatCount(table.sequentialScans),
    formatCount(table.indexScans),
    table.lastVacuum ?? 'never',
    table.lastAnalyze ?? 'never',
    table.verdict,
  ]);
  const scans = ['sequential scans', 'index scans'];
  return formatTable(['model', 'rows', 'dead', 'size', 'indexes', ...scans, 'vacuum', 'analyze', 'verdict'], rows);
}

function percent(share: number | null): string {
  return share === null ? '-' : `${(share * 100).toFixed(1)}%`;
}

function absentLine({ table, columns, instead, measured }: (typeof ABSENT_INDEXES)[number]): string {
  return `  ${table} (${columns}): ${instead}; ${measured}`;
}

function unmarkedNote(unmarked: readonly string[]): string {
  return [
    `Not leakproof in this database: ${unmarked.join(', ')}.`,
    'Under row-level security no index is searched by status, type or balance then.',
    'Run once as a superuser: npm run indexes:create (docs/indexes.md says why, and what to do where there is none).',
  ].join('\n');
}
