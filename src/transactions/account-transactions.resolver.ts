import { Arg, Args, Ctx, FieldResolver, Info, Int, Resolver, Root } from 'type-graphql';
import { BankAccount } from '../accounts/account.type.ts';
import { BatchMapping, isRelation, withRelationsInLists } from '../batching/batch-mapping.ts';
import { connectionsOf } from '../batching/connections.ts';
import { RequestContext } from '../context/request-context.ts';
import { listCost, nestedPageCost } from '../graphql/complexity.ts';
import { checkedSize, isSize } from '../graphql/input-checks.ts';
import { CONNECTION_COUNT, ConnectionArgs } from '../graphql/pagination.ts';
import type { ConnectionPage } from '../graphql/pagination.type.ts';
import { namesOf, type SelectedField } from '../graphql/selection.ts';
import { searchedOfAccount, transactionConditions, transactionRemedy } from './transaction.filter.ts';
import { TransactionFilter, TransactionOrder } from './transaction.input.ts';
import { transactionOrder } from './transaction.order.ts';
import { recentColumn } from './transaction.repository.ts';
import { Transaction, TransactionConnection } from './transaction.type.ts';

/** The transactions that hang on accounts. */
@Resolver(() => BankAccount)
export class AccountTransactionsResolver {
  @BatchMapping(({ scope }, { arguments: { limit }, fields }) => {
    // The method reads what cannot be joined, and says what is wrong with the limit.
    if (!isSize(limit) || fields.some(isRelation)) return undefined;
    return recentColumn(scope, limit, namesOf(fields));
  })
  @FieldResolver(() => [Transaction], {
    complexity: listCost('limit'),
    description: 'The newest transactions of the account, newest first.',
  })
  async recentTransactions(
    @Root() accounts: readonly BankAccount[],
    @Arg('limit', () => Int, { defaultValue: 5, description: 'How many at most, 1 to 100.' }) limit: number,
    @Ctx() context: RequestContext,
    @Info() { fields }: SelectedField,
  ): Promise<readonly (readonly Transaction[])[]> {
    const { loaders } = context;
    const size = checkedSize('limit', limit);
    const found = await loaders.transactions.recentByAccountIds(idsOf(accounts), size, namesOf(fields));
    const lists = found.map((transactions) => transactions ?? []);
    return withRelationsInLists(context, lists, fields);
  }

  @BatchMapping()
  @FieldResolver(() => TransactionConnection, {
    complexity: nestedPageCost({
      scannedToFind: searchedOfAccount,
      scannedToCount: () => 'ofAccount',
      countFields: CONNECTION_COUNT,
    }),
    description: 'Transactions of the account, newest first by default.',
  })
  async transactions(
    @Root() accounts: readonly BankAccount[],
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Arg('filter', () => TransactionFilter, { nullable: true, description: 'Which ones to list. Absent: all.' })
    filter: TransactionFilter | null,
    @Arg('orderBy', () => TransactionOrder, { nullable: true, description: 'Order of the list. Absent: newest first.' })
    orderBy: TransactionOrder | null,
    @Ctx() context: RequestContext,
    @Info() field: SelectedField,
  ): Promise<ConnectionPage<Transaction>[]> {
    const { transactions } = context.loaders;
    const conditions = transactionConditions(filter);
    const order = transactionOrder(orderBy, true);
    const ids = idsOf(accounts);
    return connectionsOf(context, args, field, {
      name: 'transactions',
      remedy: transactionRemedy(orderBy),
      order,
      isSearched: searchedOfAccount({ filter, orderBy }) !== undefined,
      page: (page, shown) => transactions.pageByAccountIds(ids, { conditions, page, wanted: namesOf(shown), order }),
      count: () => transactions.countByAccountIds(ids, conditions),
    });
  }
}

function idsOf(accounts: readonly BankAccount[]): string[] {
  return accounts.map(({ id }) => id);
}
