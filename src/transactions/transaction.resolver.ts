import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, FieldResolver, Info, Query, Resolver, Root } from 'type-graphql';
import { BankAccount } from '../accounts/account.type.ts';
import { RequestContext } from '../context/request-context.ts';
import { pageCost } from '../graphql/complexity.ts';
import { ConnectionArgs, connection, countIfSelected, nodeColumns, pageRequest } from '../graphql/pagination.ts';
import { selectedFields, selectedNames } from '../graphql/selection.ts';
import { transactionConditions } from './transaction.filter.ts';
import { TransactionFilter } from './transaction.input.ts';
import { NEWEST_FIRST } from './transaction.order.ts';
import { Transaction, TransactionConnection } from './transaction.type.ts';

@Resolver(() => Transaction)
export class TransactionResolver {
  @Query(() => TransactionConnection, { complexity: pageCost, description: "The tenant's movements, newest first." })
  async transactions(
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Arg('filter', () => TransactionFilter, { nullable: true }) filter: TransactionFilter | null,
    @Ctx() { scope, services, policy }: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ) {
    policy.dependsOn('transactions');
    const fields = selectedFields(info);
    const conditions = transactionConditions(filter);
    const request = pageRequest(args, NEWEST_FIRST, fields);
    const [page, totalCount] = await Promise.all([
      services.transactions.page(scope, conditions, request, nodeColumns(fields)),
      countIfSelected(fields, ['totalCount'], () => services.transactions.count(scope, conditions)),
    ]);
    return connection(page, NEWEST_FIRST, totalCount, fields);
  }

  @FieldResolver(() => BankAccount, { description: 'The account it belongs to.' })
  async account(
    @Root() { accountId }: Transaction,
    @Ctx() { loaders, policy }: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<BankAccount | null> {
    policy.dependsOn('accounts');
    return loaders.accounts.byId(accountId, selectedNames(selectedFields(info)));
  }
}
