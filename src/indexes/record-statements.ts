import { Prisma } from '../generated/prisma/client.ts';
import { type PrismaStatement, prismaOver } from '../tenancy/prisma-over.ts';
import type { SqlStatement } from '../tenancy/sql-statement.ts';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { TenantTransaction } from '../tenancy/tenant-transaction.ts';

/** Prisma's code of an operation on one row that is not there. */
const NOT_FOUND = 'P2025';

/** What a repository can be given instead of a database. */
export interface RecordingDatabase {
  readonly database: TenantDatabase;
  /** For the functions that write. */
  readonly transaction: TenantTransaction;
}

/**
 * Catches the statements of repository methods with their values, so that nobody copies SQL to look
 * at its plan. Nothing is sent to PostgreSQL; every statement seems to find one row, without
 * columns.
 */
export async function recordStatements(
  scope: TenantScope,
  call: (recording: RecordingDatabase) => Promise<unknown>,
): Promise<SqlStatement[]> {
  const statements: SqlStatement[] = [];
  const select = async (_scope: unknown, statement: SqlStatement) => {
    statements.push(statement);
    return [{}];
  };
  const record = (statement: SqlStatement) => select(undefined, statement);
  const find = async ({ model, action, config: { text, values = [] } }: PrismaStatement) => {
    await record({ model, action, query: { text, values } as unknown as Prisma.Sql });
    return { rows: [], fields: [], rowCount: 0, command: 'SELECT', oid: 0 };
  };
  // Its engine starts only for those that call it.
  const prisma: ReturnType<typeof prismaOver> = (of, work) => prismaOver(find)(of, work);
  // Repositories use of a database, and writers of a transaction, no more than this; anything else
  // fails loudly.
  await call({
    database: { select, prisma } as unknown as TenantDatabase,
    transaction: {
      select: record,
      finish: record,
      attempt: record,
      prisma: (work: Parameters<typeof prisma>[1]) => prisma(scope, work).catch(ignoreNotFound),
      changed: () => {},
      audited: () => Prisma.sql`audited AS (SELECT)`,
    } as unknown as TenantTransaction,
  });
  return statements;
}

/** Prisma's updates find no row here. */
function ignoreNotFound(error: unknown): object {
  if (error instanceof Prisma.PrismaClientKnownRequestError && error.code === NOT_FOUND) return {};
  throw error;
}
