import { Prisma, type PrismaClient } from '../generated/prisma/client.ts';
import { takeCachedRead, type WithCachedReads } from './cached-reads.ts';
import { readDataModel, schemaOf } from './data-model.ts';
import { type Fields, TenantScopeError } from './scope-error.ts';
import { scopedArguments } from './scoped-arguments.ts';
import { checkRaw } from './scoped-raw.ts';
import { spelledOut } from './scoped-where.ts';
import { refuseNested, statementContext } from './statement-context.ts';
import { MODELS_OF_NO_TENANT, type TenantModel, type TenantModels, tenantModels } from './tenant-models.ts';

/** The part of a model's client that `findUnique` is answered by. */
interface Finder {
  /** The model's. */
  readonly $name: string;
  findFirst(args: Fields): unknown;
  findFirstOrThrow(args: Fields): unknown;
}

/**
 * Prisma with the tenant added to and checked on every operation. The tenant is the one of the
 * running `statementContext`; without one every operation is refused. So are transactions given as
 * a list: Prisma begins those of one tick all in the context of the first, and with its tenant
 * (measured; the others found no rows).
 * @throws Error when the data model has something that cannot be scoped
 */
export function scopedPrisma(client: PrismaClient): ScopedPrisma {
  return withTransactions(scopedClient(client)) as unknown as ScopedPrisma;
}

/** The scoped client. Its reads take the option `cache`. */
export type ScopedPrisma = WithCachedReads<ReturnType<typeof withTransactions>>;
/**
 * The same as a part of a transaction or a snapshot that is under way. Its reads pass the cache by,
 * and it begins no transaction.
 */
export type JoinedPrisma = Omit<ScopedPrisma, '$transaction'>;
/**
 * The same within an interactive transaction, where nothing comes from the cache: it would not show
 * the transaction's writes.
 */
export type ScopedTransaction = WithCachedReads<
  Parameters<Parameters<ReturnType<typeof scopedClient>['$transaction']>[0]>[0]
>;

function withTransactions(scoped: ReturnType<typeof scopedClient>) {
  return scoped.$extends({
    name: 'no transactions by list',
    client: {
      async $transaction<Result>(
        work: (transaction: ScopedTransaction) => Promise<Result>,
        options?: { maxWait?: number; timeout?: number; isolationLevel?: Prisma.TransactionIsolationLevel },
      ): Promise<Result> {
        if (typeof work !== 'function')
          throw new TenantScopeError('a list of operations is not tenant-safe; give $transaction a function');
        const begin = async () =>
          await scoped.$transaction((transaction) => work(transaction as unknown as ScopedTransaction), options);
        const context = statementContext.getStore();
        if (context) refuseNested(context);
        return context ? statementContext.run({ ...context, readThrough: undefined }, begin) : begin();
      },
    },
  });
}

function scopedClient(client: PrismaClient) {
  const models = tenantModels(readDataModel(schemaOf(client)));
  return withoutFindUnique(client, models).$extends({
    name: 'tenant scope',
    query: {
      async $allOperations({ model, operation, args, query }) {
        const context = statementContext.getStore();
        if (!context?.tenantId)
          throw new TenantScopeError(`${model ?? 'raw'}.${operation} was called without a tenant scope`);
        const { tenantId } = context;
        if (!model) checkRaw(operation, args, tenantId);
        const send = (scoped: unknown) =>
          // Prisma's promises are lazy: awaited here, so that the statement is sent within this
          // context.
          statementContext.run(
            { ...context, ...(model && { model }), action: operation },
            async () => await query(scoped as typeof args),
          );
        if (!model) return send(args);
        const { args: plain, read } = takeCachedRead(models, owned(models, model), operation, args);
        const scoped = scopedArguments(models, owned(models, model), operation, plain, tenantId);
        return read && context.readThrough ? context.readThrough(read, () => send(scoped)) : send(scoped);
      },
    },
  });
}

/**
 * Prisma puts the `findUnique` calls of one tick into one statement, also those of two tenants, and
 * the second is answered "not found" (measured). `findFirst` with the same key costs the same and
 * is not batched. It is called on what `findUnique` was called on, so that it stays in that
 * client's transaction.
 */
function withoutFindUnique(client: PrismaClient, models: TenantModels): PrismaClient {
  const finder = (model: unknown, { where, ...args }: { where: Fields }) => {
    const on = Prisma.getExtensionContext(model) as Finder;
    return { on, args: { ...args, where: spelledOut(owned(models, on.$name), where) } };
  };
  const redirected = client.$extends({
    name: 'findUnique by findFirst',
    model: {
      $allModels: {
        findUnique(given: { where: Fields }) {
          const { on, args } = finder(this, given);
          return on.findFirst(args);
        },
        findUniqueOrThrow(given: { where: Fields }) {
          const { on, args } = finder(this, given);
          return on.findFirstOrThrow(args);
        },
      },
    },
  });
  // The answers have the types that Prisma's own findUnique gives them, which an extension cannot
  // spell.
  return redirected as unknown as PrismaClient;
}

function owned(models: TenantModels, name: string): TenantModel {
  const model = models.get(name);
  if (!model)
    throw new TenantScopeError(
      `${name} belongs to no tenant (${MODELS_OF_NO_TENANT[name]}): a tenant's scope does not reach it`,
    );
  return model;
}
