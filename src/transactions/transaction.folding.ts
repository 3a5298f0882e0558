import type pg from 'pg';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';

/**
 * Folds a piece of the transactions that are older than their tenant keeps them, of any tenant:
 * removes the rows, and leaves their sums in the totals.
 * @returns how many
 */
export async function foldTransactions(database: TenantDatabase, maxRows: number): Promise<number> {
  return database.withConnection((client) => foldPiece(client, null, maxRows));
}

/** @param tenantId null: any that has some */
export async function foldPiece(
  client: Pick<pg.ClientBase, 'query'>,
  tenantId: string | null,
  maxRows: number,
): Promise<number> {
  const { rows } = await client.query<{ folded: string }>('SELECT folded FROM transactions_fold($1, $2)', [
    tenantId,
    maxRows,
  ]);
  return Number(rows[0]?.folded ?? 0);
}
