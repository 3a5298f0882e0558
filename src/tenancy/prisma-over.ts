import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { PrismaClient } from '../generated/prisma/client.ts';
import { inStatementContext, statementContext } from './statement-context.ts';
import { type ScopedPrisma, scopedPrisma } from './tenant-prisma.ts';
import type { TenantScope } from './tenant-scope.ts';

/** A statement that Prisma would send. */
export interface PrismaStatement {
  readonly model: string;
  /** Prisma's operation, such as `findFirst`. */
  readonly action: string;
  readonly config: pg.QueryConfig;
}

type SendStatement = (statement: PrismaStatement) => Promise<pg.QueryResult>;

/**
 * `TenantDatabase.prisma` whose statements somebody else sends, for commands that look at them.
 * Transactions are refused.
 */
export function prismaOver(send: SendStatement) {
  const prisma = scopedPrisma(new PrismaClient({ adapter: new PrismaPg(new SendingPool(send)) }));
  return <Result>({ tenantId }: TenantScope, work: (prisma: ScopedPrisma) => Promise<Result>): Promise<Result> =>
    inStatementContext({ tenantId, action: 'unscoped' }, async () => await work(prisma));
}

class SendingPool extends pg.Pool {
  constructor(private readonly send: SendStatement) {
    super();
  }

  override query = ((config: pg.QueryConfig, values?: unknown[]) => {
    const { model = '', action = '' } = statementContext.getStore() ?? {};
    return this.send({ model, action, config: values ? { ...config, values } : config });
  }) as unknown as pg.Pool['query'];

  override connect = (() => Promise.reject(new Error('there are no transactions here'))) as pg.Pool['connect'];
}
