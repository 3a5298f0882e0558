import { columnsIdentity, ShapedLoader } from '../batching/shaped-loader.ts';
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
  const recent = new ShapedLoader<{ limit: number; wanted: ReadonlySet<string> }, Transaction[]>(
    (accountIds, { limit, wanted }) => transactions.recentOfEach(scope, accountIds, limit, wanted),
  );
  const pages = new ShapedLoader<PageOfAccount, Page<Transaction>>((accountIds, { conditions, page, wanted }) =>
    transactions.pageOfEach(scope, accountIds, conditions, page, wanted),
  );
  const counts = new ShapedLoader<readonly Prisma.Sql[], Count>((accountIds, conditions) =>
    transactions.countOfEach(scope, accountIds, conditions),
  );
  return {
    /** The newest transactions of each account; one statement for all accounts of a level. */
    recentByAccountIds: (accountIds: readonly string[], limit: number, wanted: ReadonlySet<string>) =>
      recent.all(accountIds, `${limit} ${columnsIdentity(wanted)}`, { limit, wanted }),
    /** A page of each account's transactions; one statement for all accounts of a level. */
    pageByAccountIds: (accountIds: readonly string[], asked: PageOfAccount) =>
      pages.all(accountIds, pageIdentity(asked), asked),
    /** How many transactions accounts have under these conditions. */
    countByAccountIds: (accountIds: readonly string[], conditions: readonly Prisma.Sql[]) =>
      counts.all(accountIds, identityOf(conditions), conditions),
  };
}

function pageIdentity({ conditions, page, wanted }: PageOfAccount): string {
  return `${identityOf(conditions)} ${JSON.stringify(page)} ${columnsIdentity(wanted)}`;
}

function identityOf(conditions: readonly Prisma.Sql[]): string {
  return JSON.stringify(conditions.map(({ sql, values }) => [sql, values]));
}
