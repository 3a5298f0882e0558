import { type OperatorAction, recordTenants } from '../audit/operator-line.ts';
import { formatCount, formatRate } from '../cli/format.ts';
import { createAccountIds, insertAccounts, updateAccounts } from './apply-accounts.ts';
import { insertTenants, resolveTenants, updateTenant } from './apply-tenants.ts';
import { insertBatch, planBatches, rejectFolded, rejectUnknownAccounts, settleKnown } from './apply-transactions.ts';
import type { Columns } from './columns.ts';
import { settleDuplicates } from './duplicates.ts';
import { IMPORT_TABLES, type ImportTable } from './import-files.ts';
import { countRejects, writeRejects } from './rejects-file.ts';
import { actAs, type ImportSession, type ImportTenant, type TableResult } from './session.ts';
import { stagingTable } from './staging.ts';

/**
 * For the planner, which otherwise knows nothing of the new rows until autovacuum comes by. A table
 * that is locked is left to it, so that this never waits, and one that the login does not own is
 * skipped with a warning.
 */
const REFRESH_STATISTICS =
  'ANALYZE (SKIP_LOCKED) tenants, bank_accounts, transactions, daily_totals, folded_totals, account_totals';

export interface ImportResult {
  readonly tables: Readonly<Record<ImportTable, TableResult>>;
  /** Where the rejected rows are listed; absent when no such file was written. */
  readonly rejectsPath?: string;
}

export interface ApplyOptions {
  readonly rejectsPath: string;
  readonly alwaysWriteRejects?: boolean;
  readonly dryRun?: boolean;
}

interface RowCounts {
  staged: number;
  inserted: number;
  updated: number;
}

interface Counts extends Record<ImportTable, RowCounts> {
  /** Ids of the tenants of whom something was inserted or updated. */
  readonly changed: Set<string>;
}

/** Brings the staged rows into the database, in one transaction. */
export async function applyImport(
  session: ImportSession,
  columns: Columns,
  { rejectsPath, alwaysWriteRejects = false, dryRun = false }: ApplyOptions,
  action: OperatorAction,
): Promise<ImportResult> {
  await session.client.query("BEGIN; SET LOCAL app.directory = 'on'");
  try {
    const counts = await applyTables(session, columns);
    const rejected = await countRejects(session);
    const isWritten = alwaysWriteRejects || rejected.some((count) => count > 0);
    if (isWritten) await writeRejects(session, rejectsPath);
    await recordTenants(session.client, action, counts.changed);
    await session.client.query(dryRun ? 'ROLLBACK' : 'COMMIT');
    if (!dryRun) await session.client.query(REFRESH_STATISTICS);
    return { tables: resultOf(counts, rejected), ...(isWritten && { rejectsPath }) };
  } catch (error) {
    await session.client.query('ROLLBACK').catch(() => {}); // the connection is lost; the error to tell is the first one
    throw error;
  }
}

async function applyTables(session: ImportSession, columns: Columns): Promise<Counts> {
  const counts = await countStaged(session);
  await settleDuplicates(session, 'tenants', columns);
  const added = await insertTenants(session);
  counts.tenants.inserted = added.length;
  for (const id of added) counts.changed.add(id);
  const tenants = await resolveTenants(session);
  await applyNewAccounts(session, columns, tenants, counts);
  await applyTransactions(session, columns, tenants, counts);
  for (const tenant of tenants) {
    await actAs(session, tenant);
    count(counts, 'tenants', 'updated', tenant, await updateTenant(session, tenant));
    count(counts, 'accounts', 'updated', tenant, await updateAccounts(session, tenant));
  }
  return counts;
}

function count(
  counts: Counts,
  table: ImportTable,
  what: 'inserted' | 'updated',
  { id }: ImportTenant,
  rows: number,
): void {
  if (rows === 0) return;
  counts[table][what] += rows;
  counts.changed.add(id);
}

async function applyNewAccounts(
  session: ImportSession,
  columns: Columns,
  tenants: readonly ImportTenant[],
  counts: Counts,
): Promise<void> {
  await settleDuplicates(session, 'accounts', columns);
  await createAccountIds(session);
  for (const tenant of tenants) {
    await actAs(session, tenant);
    count(counts, 'accounts', 'inserted', tenant, await insertAccounts(session, tenant));
    session.update(() => `accounts: ${formatCount(counts.accounts.inserted)} new, at tenant ${tenant.slug}`);
  }
}

async function applyTransactions(
  session: ImportSession,
  columns: Columns,
  tenants: readonly ImportTenant[],
  counts: Counts,
): Promise<void> {
  session.update(() => 'transactions: looking for unknown accounts and duplicates');
  await rejectUnknownAccounts(session);
  await settleDuplicates(session, 'transactions', columns);
  for (const tenant of tenants) {
    await actAs(session, tenant);
    await rejectFolded(session, tenant);
    count(counts, 'transactions', 'updated', tenant, await settleKnown(session, tenant));
    session.update(() => `transactions: comparing with those there, at tenant ${tenant.slug}`);
  }
  await insertTransactions(session, tenants, counts);
}

async function insertTransactions(
  session: ImportSession,
  tenants: readonly ImportTenant[],
  counts: Counts,
): Promise<void> {
  const startedAt = performance.now();
  const bySlug = new Map(tenants.map((tenant) => [tenant.slug, tenant]));
  const batches = await planBatches(session);
  const total = batches.reduce((sum, { rows }) => sum + rows, 0);
  for (const batch of batches) {
    const tenant = bySlug.get(batch.slug) as ImportTenant;
    await actAs(session, tenant);
    count(counts, 'transactions', 'inserted', tenant, await insertBatch(session, tenant, batch));
    session.update(() => {
      const { inserted } = counts.transactions;
      const rate = formatRate(inserted, performance.now() - startedAt, 'rows');
      return `transactions: ${formatCount(inserted)} of ${formatCount(total)} written, ${rate}`;
    });
  }
}

async function countStaged({ client }: ImportSession): Promise<Counts> {
  const counts: Partial<Record<ImportTable, RowCounts>> = {};
  for (const table of IMPORT_TABLES) {
    const { rows } = await client.query<{ staged: number }>(
      `SELECT count(*)::int AS staged FROM ${stagingTable(table)}`,
    );
    counts[table] = { staged: rows[0]?.staged ?? 0, inserted: 0, updated: 0 };
  }
  return { ...(counts as Record<ImportTable, RowCounts>), changed: new Set() };
}

function resultOf(counts: Counts, rejected: readonly number[]): ImportResult['tables'] {
  const results = IMPORT_TABLES.map((table, index): [ImportTable, TableResult] => {
    const { staged, inserted, updated } = counts[table];
    const rejects = rejected[index] ?? 0;
    return [table, { inserted, updated, unchanged: staged - inserted - updated - rejects, rejected: rejects }];
  });
  return Object.fromEntries(results) as ImportResult['tables'];
}
