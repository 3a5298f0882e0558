import { columnsIdentity, LoaderFamily } from '../batching/loader-family.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import type { Count } from '../paging/bounded-count.ts';
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
  );
  const pages = new LoaderFamily<PageOfAccount, string, Page<Transaction>>((accountIds, { conditions, page, wanted }) =>
    transactions.pageOfEach(scope, accountIds, conditions, page, wanted),
  );
  const counts = new LoaderFamily<readonly Prisma.Sql[], string, Count>((accountIds, conditions) =>
    transactions.countOfEach(scope, accountIds, conditions),
  );
  return {
    /** The newest transactions of accounts; one statement for all accounts of a level. */
    recentByAccountIds: (accountIds: readonly string[], limit: number, wanted: ReadonlySet<string>) =>
      recent.of(accountIds, `${limit} ${columnsIdentity(wanted)}`, { limit, wanted }),
    /** A page of each account's transactions; one statement for all accounts of a level. */
    pageByAccountIds: (accountIds: readonly string[], asked: PageOfAccount) =>
      pages.of(accountIds, pageIdentity(asked), asked),
    /** How many transactions accounts have under these conditions. */
    countByAccountIds: (accountIds: readonly string[], conditions: readonly Prisma.Sql[]) =>
      counts.of(accountIds, identityOf(conditions), conditions),
  };
}

function pageIdentity({ conditions, page, wanted }: PageOfAccount): string {
  return `${identityOf(conditions)} ${JSON.stringify(page)} ${columnsIdentity(wanted)}`;
}

function identityOf(conditions: readonly Prisma.Sql[]): string {
  return JSON.stringify(conditions.map(({ sql, values }) => [sql, values]));
}
