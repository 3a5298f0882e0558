import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { Prisma, PrismaClient } from '../generated/prisma/client.ts';
import type { SqlStatement } from '../tenancy/sql-statement.ts';
import { inStatementContext, statementContext } from '../tenancy/statement-context.ts';
import { type ScopedPrisma, scopedPrisma } from '../tenancy/tenant-prisma.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';

type Work = (prisma: ScopedPrisma) => Promise<unknown>;

/** `TenantDatabase.prisma` that tells what would be sent, and finds nothing. */
export function recordingPrisma(record: (statement: SqlStatement) => void) {
  const prisma = scopedPrisma(new PrismaClient({ adapter: new PrismaPg(new RecordingPool(record)) }));
  return ({ tenantId }: TenantScope, work: Work) =>
    inStatementContext({ tenantId, action: 'unscoped' }, async () => await work(prisma));
}

class RecordingPool extends pg.Pool {
  constructor(private readonly record: (statement: SqlStatement) => void) {
    super();
  }

  override query = (async ({ text, values: ofConfig }: pg.QueryConfig, values: unknown[] = ofConfig ?? []) => {
    const { model = '', action = '' } = statementContext.getStore() ?? {};
    this.record({ model, action, query: { ...Prisma.sql``, text, values } as unknown as Prisma.Sql });
    return { rows: [], fields: [], rowCount: 0, command: 'SELECT', oid: 0 };
  }) as unknown as pg.Pool['query'];
}
