import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, FieldResolver, Info, Query, Resolver, Root } from 'type-graphql';
import { BankAccount } from '../accounts/account.type.ts';
import { BatchMapping } from '../batching/batch-mapping.ts';
import { connectionOf } from '../batching/connections.ts';
import { rowsNamedBy } from '../batching/named-rows.ts';
import { RequestContext } from '../context/request-context.ts';
import { pageCost } from '../graphql/complexity.ts';
import { CONNECTION_COUNT, ConnectionArgs } from '../graphql/pagination.ts';
import { namesOf, type SelectedField } from '../graphql/selection.ts';
import {
  countedTransactions,
  isOfAccount,
  searchedTransactions,
  transactionConditions,
  transactionRemedy,
} from './transaction.filter.ts';
import { TransactionFilter, TransactionOrder } from './transaction.input.ts';
import { transactionOrder } from './transaction.order.ts';
import type { WithAccount } from './transaction.repository.ts';
import { Transaction, TransactionConnection } from './transaction.type.ts';

@Resolver(() => Transaction)
export class TransactionResolver {
  @Query(() => TransactionConnection, {
    complexity: pageCost({
      scannedToFind: searchedTransactions,
      scannedToCount: countedTransactions,
      countFields: CONNECTION_COUNT,
    }),
    description: "The tenant's transactions, newest first by default.",
  })
  async transactions(
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Arg('filter', () => TransactionFilter, { nullable: true, description: 'Which ones to list. Absent: all.' })
    filter: TransactionFilter | null,
    @Arg('orderBy', () => TransactionOrder, { nullable: true, description: 'Order of the list. Absent: newest first.' })
    orderBy: TransactionOrder | null,
    @Ctx() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ) {
    const { scope, services, policy } = context;
    policy.isOfKind('transactions');
    const conditions = transactionConditions(filter);
    const order = transactionOrder(orderBy, isOfAccount(filter));
    return connectionOf(context, args, info, {
      name: 'transactions',
      remedy: transactionRemedy(orderBy),
      order,
      isSearched: searchedTransactions({ filter, orderBy }) !== undefined,
      page: (request, shown) => services.transactions.page(scope, conditions, request, namesOf(shown), order),
      count: () => services.transactions.count(scope, filter),
    });
  }

  @BatchMapping()
  @FieldResolver(() => BankAccount, { description: 'Account that the transaction belongs to.' })
  async account(
    @Root() transactions: readonly (Transaction & WithAccount)[],
    @Ctx() context: RequestContext,
    @Info() { fields }: SelectedField,
  ): Promise<(BankAccount | null)[]> {
    const read = transactions.flatMap(({ account }) => account ?? []);
    const accountIds = transactions.map(({ accountId }) => accountId);
    return rowsNamedBy(context, accountIds, fields, async (ids) =>
      read.length > 0 ? read : context.loaders.accounts.byIds(ids, namesOf(fields)),
    );
  }
}
