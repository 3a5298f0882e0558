import { pageLoaders } from '../batching/page-loaders.ts';
import { columnsIdentity, ShapedLoader } from '../batching/shaped-loader.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { TransactionRepository } from './transaction.repository.ts';
import type { Transaction } from './transaction.type.ts';

export function createTransactionLoaders(scope: TenantScope, transactions: TransactionRepository) {
  const recent = new ShapedLoader<{ limit: number; wanted: ReadonlySet<string> }, Transaction[]>(
    (accountIds, { limit, wanted }) => transactions.recentOfEach(scope, accountIds, limit, wanted),
  );
  const lists = pageLoaders<Transaction>(
    (accountIds, { conditions, page, wanted, order }) =>
      transactions.pageOfEach(scope, accountIds, conditions, page, wanted, order),
    (accountIds, conditions) => transactions.countOfEach(scope, accountIds, conditions),
  );
  return {
    /** The newest transactions of each account; one statement for all accounts of a level. */
    recentByAccountIds: (accountIds: readonly string[], limit: number, wanted: ReadonlySet<string>) =>
      recent.all(accountIds, `${limit} ${columnsIdentity(wanted)}`, { limit, wanted }),
    /** A page of each account's transactions; one statement for all accounts of a level. */
    pageByAccountIds: lists.pageOfEach,
    /** How many transactions accounts have under these conditions. */
    countByAccountIds: lists.countOfEach,
  };
}
