import { Prisma, type PrismaClient } from '../generated/prisma/client.ts';
import { statementContext } from './tenant-pool.ts';

type Arguments = { where?: object; data?: object | object[]; create?: object; update?: object };

/**
 * Prisma with the tenant added to and checked on every operation. The tenant is the one of the running
 * `statementContext`; without one every operation is refused.
 *
 * `findUnique` is refused: Prisma puts the calls of one tick into one statement, also those of two tenants, and the
 * second would be answered "not found" (measured). `findFirst` with the same key costs the same and is not batched.
 */
export function scopedPrisma(client: PrismaClient) {
  return client.$extends({
    name: 'tenant scope',
    query: {
      async $allOperations({ model, operation, args, query }) {
        const context = statementContext.getStore();
        if (!context?.tenantId) throw new Error(`${model ?? 'raw'}.${operation} was called without a tenant scope`);
        if (operation.startsWith('findUnique'))
          throw new Error(`${operation} is not tenant-safe; use findFirst with the same key`);
        const scoped = model ? withTenant(model as Prisma.ModelName, args as Arguments, context.tenantId) : args;
        // Prisma's promises are lazy: awaited here, so that the statement is sent within this context.
        return statementContext.run(
          { ...context, ...(model && { model }), action: operation },
          async () => await query(scoped),
        );
      },
    },
  });
}

export type ScopedPrisma = ReturnType<typeof scopedPrisma>;
/** The scoped client within an interactive transaction. */
export type ScopedTransaction = Parameters<Parameters<ScopedPrisma['$transaction']>[0]>[0];

function withTenant(model: Prisma.ModelName, args: Arguments | undefined, tenantId: string): Arguments {
  const own = model === Prisma.ModelName.Tenant ? { id: tenantId } : { tenantId };
  const scoped: Arguments = { ...args };
  if (args?.create) scoped.create = ownedBy(own, args.create);
  if (isCreation(args))
    scoped.data = Array.isArray(args.data) ? args.data.map((row) => ownedBy(own, row)) : ownedBy(own, args.data);
  else scoped.where = { ...args?.where, ...own, AND: args?.where ?? {} };
  return scoped;
}

function isCreation(args: Arguments | undefined): args is { data: object | object[] } {
  return args?.data !== undefined && !('where' in args);
}

/** The row with its tenant; a row that already names another tenant is a programming error and is not sent. */
function ownedBy(own: object, row: object): object {
  for (const [column, tenantId] of Object.entries(own)) {
    const given = (row as Record<string, unknown>)[column];
    if (given !== undefined && given !== tenantId)
      throw new Error('a row of another tenant than the scope was to be written');
  }
  return { ...row, ...own };
}
