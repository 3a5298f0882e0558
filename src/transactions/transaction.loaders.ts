import type { Prisma } from '../generated/prisma/client.ts';
import { columnsIdentity, LoaderFamily } from '../graphql/loader-family.ts';
import type { Page, PageRequest } from '../paging/keyset.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { TransactionRepository } from './transaction.repository.ts';
import type { Transaction } from './transaction.type.ts';

/** A page of the same shape for each account of a list. */
export interface PageOfAccount {
  readonly conditions: readonly Prisma.Sql[];
  readonly page: PageRequest;
  readonly wanted: ReadonlySet<string>;
}

export function createTransactionLoaders(scope: TenantScope, transactions: TransactionRepository) {
  const recent = new LoaderFamily<{ limit: number; wanted: ReadonlySet<string> }, string, Transaction[]>(
    (accountIds, { limit, wanted }) => transactions.recentOfEach(scope, accountIds, limit, wanted),
    () => [],
  );
  const pages = new LoaderFamily<PageOfAccount, string, Page<Transaction>>(
    (accountIds, { conditions, page, wanted }) => transactions.pageOfEach(scope, accountIds, conditions, page, wanted),
    () => ({ rows: [], hasNextPage: false, hasPreviousPage: false }),
  );
  const counts = new LoaderFamily<readonly Prisma.Sql[], string, number>(
    (accountIds, conditions) => transactions.countOfEach(scope, accountIds, conditions),
    () => 0,
  );
  return {
    /** The newest transactions of an account; one statement for all accounts of a level. */
    recentByAccountId: (accountId: string, limit: number, wanted: ReadonlySet<string>) =>
      recent.of(`${limit} ${columnsIdentity(wanted)}`, { limit, wanted }).load(accountId),
    /** A page of an account's transactions; one statement for all accounts of a level. */
    pageByAccountId: (accountId: string, { conditions, page, wanted }: PageOfAccount) =>
      pages
        .of(`${identityOf(conditions)} ${JSON.stringify(page)} ${columnsIdentity(wanted)}`, {
          conditions,
          page,
          wanted,
        })
        .load(accountId),
    /** How many transactions an account has under these conditions. */
    countByAccountId: (accountId: string, conditions: readonly Prisma.Sql[]) =>
      counts.of(identityOf(conditions), conditions).load(accountId),
  };
}

function identityOf(conditions: readonly Prisma.Sql[]): string {
  return JSON.stringify(conditions.map(({ sql, values }) => [sql, values]));
}
