import type { RequestContext } from '../context/request-context.ts';
import { currentTenant } from '../context/viewer.resolver.ts';
import { checkedSize, isSize } from '../graphql/input-checks.ts';
import {
  CONNECTION_COUNT,
  type ConnectionArgs,
  connection,
  countIfSelected,
  nodeFields,
  pageRequest,
  searchIn,
} from '../graphql/pagination.ts';
import {
  type JoinedRelation,
  joinedRelations,
  type Relation,
  type Relations,
  withRelationsInLists,
} from '../graphql/relation.ts';
import { namesOf, type SelectedField } from '../graphql/selection.ts';
import type { Page } from '../paging/keyset.ts';
import { tenantColumn } from '../tenancy/tenant.repository.ts';
import { searchedOfAccount, TRANSACTION_REMEDY, transactionConditions } from '../transactions/transaction.filter.ts';
import type { TransactionFilter } from '../transactions/transaction.input.ts';
import { NEWEST_FIRST } from '../transactions/transaction.order.ts';
import { TRANSACTION_RELATIONS } from '../transactions/transaction.relations.ts';
import { recentColumn } from '../transactions/transaction.repository.ts';
import type { Transaction } from '../transactions/transaction.type.ts';
import type { BankAccount } from './account.type.ts';

const EMPTY_PAGE: Page<Transaction> = { rows: [], hasNextPage: false, hasPreviousPage: false };

const tenant: Relation<BankAccount> = {
  async load(context, accounts) {
    const current = await currentTenant(context);
    return accounts.map(() => current);
  },
  column({ scope, policy }, { fields }) {
    policy.dependsOn('tenant');
    return tenantColumn(scope, namesOf(fields));
  },
};

const recentTransactions: Relation<BankAccount> = {
  async load(context, accounts, { arguments: { limit }, fields }) {
    const { loaders, policy } = context;
    policy.dependsOn('transactions');
    const size = checkedSize('limit', limit as number);
    const found = await loaders.transactions.recentByAccountIds(idsOf(accounts), size, namesOf(fields));
    const lists = accounts.map(({ id }) => found.get(id) ?? []);
    return withRelationsInLists(context, TRANSACTION_RELATIONS, lists, fields);
  },
  column({ scope, policy }, { arguments: { limit }, fields }) {
    // What cannot be joined is left to `load`, and so is saying what is wrong with the limit.
    if (!isSize(limit) || fields.some(({ name }) => name in TRANSACTION_RELATIONS)) return undefined;
    policy.dependsOn('transactions');
    return recentColumn(scope, limit, namesOf(fields));
  },
};

const transactions: Relation<BankAccount> = {
  async load(context, accounts, { arguments: args, fields }) {
    const { loaders, policy } = context;
    policy.dependsOn('transactions');
    const filter = args.filter as TransactionFilter | undefined;
    const conditions = transactionConditions(filter);
    const isSearched = searchedOfAccount({ filter }) !== undefined;
    const page = pageRequest(args as ConnectionArgs, NEWEST_FIRST, fields, isSearched);
    const ids = idsOf(accounts);
    const wanted = namesOf(nodeFields(fields));
    const [pages, counts] = await Promise.all([
      searchIn('transactions', TRANSACTION_REMEDY, () =>
        loaders.transactions.pageByAccountIds(ids, { conditions, page, wanted }),
      ),
      countIfSelected(fields, CONNECTION_COUNT, () => loaders.transactions.countByAccountIds(ids, conditions)),
    ]);
    const found = ids.map((id) => pages.get(id) ?? EMPTY_PAGE);
    const lists = found.map(({ rows }) => rows);
    const rows = await withRelationsInLists(context, TRANSACTION_RELATIONS, lists, nodeFields(fields));
    return found.map((page, index) => {
      const count = counts?.get(ids[index] as string);
      return connection({ ...page, rows: rows[index] as typeof page.rows }, NEWEST_FIRST, count, fields);
    });
  },
};

/** What hangs on accounts. */
export const ACCOUNT_RELATIONS: Relations<BankAccount> = { tenant, recentTransactions, transactions };

/**
 * What hangs on accounts and is read with them in one statement; nothing unless their movements
 * are, without which a list is rather taken from the cache.
 */
export function joinedWithAccounts(context: RequestContext, fields: readonly SelectedField[]): JoinedRelation[] {
  const joined = joinedRelations(context, ACCOUNT_RELATIONS, fields);
  return joined.some(({ name }) => name === 'recentTransactions') ? joined : [];
}

function idsOf(accounts: readonly BankAccount[]): string[] {
  return accounts.map(({ id }) => id);
}
