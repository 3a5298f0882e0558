import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, FieldResolver, ID, Info, Int, Query, Resolver, Root } from 'type-graphql';
import type { AnswerPolicy } from '../cache/answer-policy.ts';
import { RequestContext } from '../context/request-context.ts';
import { currentTenant } from '../context/viewer.resolver.ts';
import { listCost, pageCost } from '../graphql/complexity.ts';
import { OrderDirection } from '../graphql/enums.ts';
import { checkedId, checkedInteger, checkedSearchText, checkedSize } from '../graphql/input-checks.ts';
import { ConnectionArgs, connection, countIfSelected, nodeColumns, pageRequest } from '../graphql/pagination.ts';
import { selectedFields, selectedNames } from '../graphql/selection.ts';
import { Tenant } from '../tenancy/tenant.type.ts';
import { transactionConditions } from '../transactions/transaction.filter.ts';
import { TransactionFilter } from '../transactions/transaction.input.ts';
import { NEWEST_FIRST } from '../transactions/transaction.order.ts';
import { Transaction, TransactionConnection } from '../transactions/transaction.type.ts';
import { accountConditions } from './account.filter.ts';
import { AccountFilter, AccountOrder } from './account.input.ts';
import { accountOrder } from './account.order.ts';
import { BankAccount, BankAccountConnection, BankAccountPage } from './account.type.ts';

/** Beyond this an OFFSET reads more rows than a page is worth; cursors cost the same everywhere. */
const MAX_PAGE_NUMBER = 1_000_000;

@Resolver(() => BankAccount)
export class AccountResolver {
  @Query(() => BankAccount, { nullable: true, description: 'The account with this id; null when the tenant has none.' })
  async account(
    @Arg('id', () => ID) id: string,
    @Ctx() { loaders, policy }: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<BankAccount | null> {
    policy.dependsOn('accounts');
    return loaders.accounts.byId(checkedId('id', id), selectedNames(selectedFields(info)));
  }

  @Query(() => BankAccount, {
    nullable: true,
    description: 'The account with this number; without a bank, and with the number at several, the oldest of them.',
  })
  async accountByNumber(
    @Arg('accountNumber', () => String) accountNumber: string,
    @Arg('bankName', () => String, { nullable: true }) bankName: string | null,
    @Ctx() { scope, services, policy }: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<BankAccount | null> {
    policy.dependsOn('accounts');
    const number = checkedSearchText('accountNumber', accountNumber);
    const bank = bankName == null ? null : checkedSearchText('bankName', bankName);
    return services.accounts.byNumber(scope, number, bank, selectedNames(selectedFields(info)));
  }

  @Query(() => BankAccountConnection, {
    complexity: pageCost,
    description:
      'Cursor pagination (Relay connection): the way for frontends and for large tenants. Oldest first by default.',
  })
  async accounts(
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Arg('filter', () => AccountFilter, { nullable: true }) filter: AccountFilter | null,
    @Arg('orderBy', () => AccountOrder, { nullable: true }) orderBy: AccountOrder | null,
    @Ctx() { scope, services, policy }: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ) {
    readsAccountList(policy);
    const fields = selectedFields(info);
    const order = orderOf(orderBy);
    const conditions = accountConditions(filter);
    const request = pageRequest(args, order, fields);
    const [page, totalCount] = await Promise.all([
      services.accounts.page(scope, conditions, order, request, nodeColumns(fields)),
      countIfSelected(fields, ['totalCount'], () => services.accounts.count(scope, conditions)),
    ]);
    return connection(page, order, totalCount, fields);
  }

  @Query(() => BankAccountPage, {
    complexity: pageCost,
    description: 'Page-number pagination, for tables with a page picker. Oldest first by default.',
  })
  async accountList(
    @Arg('page', () => Int, { defaultValue: 1, description: 'From 1.' }) page: number,
    @Arg('pageSize', () => Int, { defaultValue: 20, description: '1 to 100.' }) pageSize: number,
    @Arg('filter', () => AccountFilter, { nullable: true }) filter: AccountFilter | null,
    @Arg('orderBy', () => AccountOrder, { nullable: true }) orderBy: AccountOrder | null,
    @Ctx() { scope, services, policy }: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<BankAccountPage> {
    readsAccountList(policy);
    const fields = selectedFields(info);
    const conditions = accountConditions(filter);
    const asked = { number: checkedInteger('page', page, 1, MAX_PAGE_NUMBER), size: checkedSize('pageSize', pageSize) };
    const [results, count] = await Promise.all([
      services.accounts.numberedPage(scope, conditions, orderOf(orderBy), asked, selectedNames(fields, 'results')),
      countIfSelected(fields, ['count', 'totalPages'], () => services.accounts.count(scope, conditions)),
    ]);
    return { results, count, page, pageSize, totalPages: Math.ceil(count / pageSize) };
  }

  @FieldResolver(() => Tenant, { description: 'Whose account it is.' })
  async tenant(@Ctx() context: RequestContext): Promise<Tenant> {
    return currentTenant(context);
  }

  @FieldResolver(() => [Transaction], {
    complexity: listCost('limit'),
    description: 'The newest movements, newest first.',
  })
  async recentTransactions(
    @Root() { id }: BankAccount,
    @Arg('limit', () => Int, { defaultValue: 5, description: '1 to 100.' }) limit: number,
    @Ctx() { loaders, policy }: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<Transaction[]> {
    policy.dependsOn('transactions');
    return loaders.transactions.recentByAccountId(id, checkedSize('limit', limit), selectedNames(selectedFields(info)));
  }

  @FieldResolver(() => TransactionConnection, { complexity: pageCost, description: 'All movements, newest first.' })
  async transactions(
    @Root() { id }: BankAccount,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Arg('filter', () => TransactionFilter, { nullable: true }) filter: TransactionFilter | null,
    @Ctx() { loaders, policy }: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ) {
    policy.dependsOn('transactions');
    const fields = selectedFields(info);
    const conditions = transactionConditions(filter);
    const request = { conditions, page: pageRequest(args, NEWEST_FIRST, fields), wanted: nodeColumns(fields) };
    const [page, totalCount] = await Promise.all([
      loaders.transactions.pageByAccountId(id, request),
      countIfSelected(fields, ['totalCount'], () => loaders.transactions.countByAccountId(id, conditions)),
    ]);
    return connection(page, NEWEST_FIRST, totalCount, fields);
  }
}

function readsAccountList(policy: AnswerPolicy): void {
  policy.dependsOn('accounts', 'accounts:list');
  policy.isOfKind('accounts');
}

function orderOf(orderBy: AccountOrder | null) {
  return accountOrder(orderBy?.field, orderBy?.direction === OrderDirection.DESC);
}
