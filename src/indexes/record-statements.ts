import type { Prisma } from '../generated/prisma/client.ts';
import type { SqlStatement, TenantDatabase } from '../tenancy/tenant-database.ts';
import type { ScopedTransaction } from '../tenancy/tenant-prisma.ts';

/** What a repository can be given instead of a database. */
export interface RecordingDatabase {
  readonly database: TenantDatabase;
  /** For the functions that write: their statements bear the given names. */
  transaction(model: string, action: string): ScopedTransaction;
}

/**
 * Catches the statements of repository methods with their values, so that nobody copies SQL to look at its plan.
 * Nothing is sent to PostgreSQL; every statement seems to find one row, without columns.
 */
export async function recordStatements(
  call: (recording: RecordingDatabase) => Promise<unknown>,
): Promise<SqlStatement[]> {
  const statements: SqlStatement[] = [];
  const select = async (_scope: unknown, statement: SqlStatement) => {
    statements.push(statement);
    return [{}];
  };
  const transaction = (model: string, action: string) => ({
    $queryRaw: async (query: Prisma.Sql) => select(undefined, { model, action, query }),
  });
  // Repositories use of a database, and writers of a transaction, no more than this; anything else fails loudly.
  await call({
    database: { select } as unknown as TenantDatabase,
    transaction: (model, action) => transaction(model, action) as unknown as ScopedTransaction,
  });
  return statements;
}
