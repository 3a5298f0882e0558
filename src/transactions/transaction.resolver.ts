import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, FieldResolver, Info, Query, Resolver, Root } from 'type-graphql';
import { BankAccount } from '../accounts/account.type.ts';
import { BatchMapping, withRelations } from '../batching/batch-mapping.ts';
import { RequestContext } from '../context/request-context.ts';
import { pageCost } from '../graphql/complexity.ts';
import {
  CONNECTION_COUNT,
  ConnectionArgs,
  connection,
  countIfSelected,
  nodeFields,
  pageRequest,
  searchIn,
} from '../graphql/pagination.ts';
import { namesOf, type SelectedField, selectedFields } from '../graphql/selection.ts';
import {
  countedTransactions,
  searchedTransactions,
  TRANSACTION_REMEDY,
  transactionConditions,
} from './transaction.filter.ts';
import { TransactionFilter } from './transaction.input.ts';
import { NEWEST_FIRST } from './transaction.order.ts';
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
    description: "The tenant's transactions, newest first.",
  })
  async transactions(
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Arg('filter', () => TransactionFilter, { nullable: true, description: 'Which ones to list. Absent: all.' })
    filter: TransactionFilter | null,
    @Ctx() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ) {
    const { scope, services, policy } = context;
    policy.isOfKind('transactions');
    const fields = selectedFields(info);
    const conditions = transactionConditions(filter);
    const request = pageRequest(args, NEWEST_FIRST, fields, searchedTransactions({ filter }) !== undefined);
    const shown = nodeFields(fields);
    const [page, count] = await Promise.all([
      searchIn('transactions', TRANSACTION_REMEDY, () =>
        services.transactions.page(scope, conditions, request, namesOf(shown)),
      ),
      countIfSelected(fields, CONNECTION_COUNT, () => services.transactions.count(scope, filter)),
    ]);
    const rows = await withRelations(context, page.rows, shown);
    return connection({ ...page, rows }, NEWEST_FIRST, count, fields);
  }

  @BatchMapping()
  @FieldResolver(() => BankAccount, { description: 'Account that the transaction belongs to.' })
  async account(
    @Root() transactions: readonly (Transaction & WithAccount)[],
    @Ctx() context: RequestContext,
    @Info() { fields }: SelectedField,
  ): Promise<(BankAccount | null)[]> {
    const read = transactions.flatMap(({ account }) => account ?? []);
    const accounts = read.length > 0 ? read : await accountsOf(context, transactions, fields);
    const whole = await withRelations(context, accounts, fields);
    const byId = new Map(whole.map((account) => [account.id, account]));
    return transactions.map(({ accountId }) => byId.get(accountId) ?? null);
  }
}

/** Each account once. */
async function accountsOf(
  { loaders }: RequestContext,
  transactions: readonly Transaction[],
  fields: readonly SelectedField[],
): Promise<BankAccount[]> {
  const ids = [...new Set(transactions.map(({ accountId }) => accountId))];
  const found = await loaders.accounts.byIds(ids, namesOf(fields));
  return found.filter((account) => account !== null);
}
