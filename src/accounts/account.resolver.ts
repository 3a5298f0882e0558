import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, FieldResolver, ID, Info, Int, Query, Resolver, Root } from 'type-graphql';
import { BatchMapping, joinedColumns, joinedRelations, placeJoined, withRelations } from '../batching/batch-mapping.ts';
import { connectionOf } from '../batching/connections.ts';
import type { AnswerPolicy } from '../cache/response/answer-policy.ts';
import { RequestContext } from '../context/request-context.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import { numberedPageCost, pageCost } from '../graphql/complexity.ts';
import { OrderDirection } from '../graphql/enums.ts';
import { checkedId, checkedInteger, checkedSearchText, checkedSize } from '../graphql/input-checks.ts';
import { CONNECTION_COUNT, ConnectionArgs, countIfSelected, searchIn } from '../graphql/pagination.ts';
import { PRISMA_STATEMENT_POINTS, STATEMENT_POINTS } from '../graphql/prices.ts';
import { fieldsBelow, namesOf, type SelectedField, selectedFields } from '../graphql/selection.ts';
import { sentences } from '../graphql/sentences.ts';
import { exactly } from '../paging/bounded-count.ts';
import type { KeysetOrder, Page, PageRequest } from '../paging/keyset.ts';
import { tenantColumn } from '../tenants/tenant.repository.ts';
import { Tenant } from '../tenants/tenant.type.ts';
import { currentTenant } from '../tenants/viewer.resolver.ts';
import { ACCOUNT_REMEDY, accountConditions, countedAccounts, searchedAccounts } from './account.filter.ts';
import { AccountFilter, AccountOrder } from './account.input.ts';
import { accountOrder } from './account.order.ts';
import { BankAccount, BankAccountConnection, BankAccountPage } from './account.type.ts';

/**
 * An OFFSET reads the rows ahead of the page, which it is priced by; cursors cost the same
 * everywhere.
 */
const MAX_PAGE_NUMBER = 1_000_000;

/** The fields of a numbered page that show how many rows there are, the number first. */
const LIST_COUNT = ['count', 'countIsExact', 'totalPages'] as const;

@Resolver(() => BankAccount)
export class AccountResolver {
  @Query(() => BankAccount, {
    nullable: true,
    complexity: STATEMENT_POINTS,
    description: 'The account with this id; null when the tenant has none.',
  })
  async account(
    @Arg('id', () => ID, { description: 'Id of the account, a UUID.' }) id: string,
    @Ctx() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<BankAccount | null> {
    context.policy.isOfKind('other');
    const fields = selectedFields(info);
    const asked = checkedId('id', id);
    const [account] = await context.loaders.accounts.byIds([asked], namesOf(fields));
    return withAllRelations(context, account, fields);
  }

  @Query(() => BankAccount, {
    nullable: true,
    complexity: PRISMA_STATEMENT_POINTS,
    description: sentences(
      'The account with this number; null when the tenant has none.',
      'Without bankName, and with the number at several banks, it is the oldest of them.',
    ),
  })
  async accountByNumber(
    @Arg('accountNumber', () => String, { description: 'Number of the account; matches exactly.' })
    accountNumber: string,
    @Arg('bankName', () => String, { nullable: true, description: 'Name of the bank; matches exactly. Absent: any.' })
    bankName: string | null,
    @Ctx() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<BankAccount | null> {
    const { loaders, policy } = context;
    policy.isOfKind('other');
    const fields = selectedFields(info);
    const account = await loaders.accounts.byNumber({
      accountNumber: checkedSearchText('accountNumber', accountNumber),
      bankName: bankName == null ? null : checkedSearchText('bankName', bankName),
    });
    return withAllRelations(context, account, fields);
  }

  @Query(() => BankAccountConnection, {
    complexity: pageCost({
      scannedToFind: searchedAccounts,
      scannedToCount: countedAccounts,
      countFields: CONNECTION_COUNT,
    }),
    description: sentences(
      'Cursor pagination (Relay connection): the way for frontends and for large tenants.',
      "The tenant's accounts, oldest first by default.",
    ),
  })
  async accounts(
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Arg('filter', () => AccountFilter, { nullable: true, description: 'Which accounts to list. Absent: all.' })
    filter: AccountFilter | null,
    @Arg('orderBy', () => AccountOrder, { nullable: true, description: 'Order of the list. Absent: oldest first.' })
    orderBy: AccountOrder | null,
    @Ctx() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ) {
    const { scope, services, policy } = context;
    readsAccountList(policy);
    const order = orderOf(orderBy);
    const conditions = accountConditions(filter);
    return connectionOf(context, args, info, {
      name: 'accounts',
      remedy: ACCOUNT_REMEDY,
      order,
      isSearched: searchedAccounts({ filter, orderBy }) !== undefined,
      page: (request, shown) => accountsPage(context, conditions, order, request, shown),
      count: () => services.accountLists.count(scope, filter, (totals) => context.chargeTotals(totals)),
    });
  }

  @Query(() => BankAccountPage, {
    complexity: numberedPageCost('accounts', {
      scannedToFind: searchedAccounts,
      scannedToCount: countedAccounts,
      countFields: LIST_COUNT,
    }),
    description: sentences(
      'Page-number pagination, for tables with a page picker.',
      "The tenant's accounts, oldest first by default.",
    ),
  })
  async accountList(
    @Arg('page', () => Int, { defaultValue: 1, description: 'Number of the page, 1 to 1000000.' }) page: number,
    @Arg('pageSize', () => Int, { defaultValue: 20, description: 'Accounts on a page, 1 to 100.' }) pageSize: number,
    @Arg('filter', () => AccountFilter, { nullable: true, description: 'Which accounts to list. Absent: all.' })
    filter: AccountFilter | null,
    @Arg('orderBy', () => AccountOrder, { nullable: true, description: 'Order of the list. Absent: oldest first.' })
    orderBy: AccountOrder | null,
    @Ctx() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<BankAccountPage> {
    const { scope, services, policy } = context;
    readsAccountList(policy);
    const fields = selectedFields(info);
    const conditions = accountConditions(filter);
    const asked = {
      number: checkedInteger('page', page, 1, MAX_PAGE_NUMBER),
      size: checkedSize('pageSize', pageSize),
      isSearched: searchedAccounts({ filter, orderBy }) !== undefined,
    };
    const shown = fieldsBelow(fields, 'results');
    const [rows, counted] = await Promise.all([
      searchIn('accountList', ACCOUNT_REMEDY, () =>
        services.accountLists.numberedPage(scope, conditions, orderOf(orderBy), asked, namesOf(shown)),
      ),
      countIfSelected(fields, LIST_COUNT, () =>
        services.accountLists.count(scope, filter, (totals) => context.chargeTotals(totals)),
      ),
    ]);
    const results = await withRelations(context, rows, shown);
    const { count, isExact } = counted ?? exactly(0);
    return { results, count, countIsExact: isExact, page, pageSize, totalPages: Math.ceil(count / pageSize) };
  }

  @BatchMapping(({ scope }, { fields }) => {
    return tenantColumn(scope, namesOf(fields));
  })
  @FieldResolver(() => Tenant, { description: 'Tenant that the account belongs to.' })
  async tenant(@Root() accounts: readonly BankAccount[], @Ctx() context: RequestContext): Promise<Tenant[]> {
    const current = await currentTenant(context);
    return accounts.map(() => current);
  }
}

/**
 * From the cache, unless something is read with the accounts that needs a statement in any case: the
 * tenant does not.
 */
async function accountsPage(
  context: RequestContext,
  conditions: readonly Prisma.Sql[],
  order: KeysetOrder,
  request: PageRequest,
  shown: readonly SelectedField[],
): Promise<Page<BankAccount>> {
  const { scope, services } = context;
  const wanted = namesOf(shown);
  const joined = joinedRelations(context, shown);
  if (!joined.some(({ name }) => name !== 'tenant'))
    return services.accountLists.page(scope, conditions, order, request, wanted);
  const page = await services.accounts.page(scope, conditions, order, request, wanted, joinedColumns(joined));
  placeJoined(page.rows, joined);
  return page;
}

async function withAllRelations(
  context: RequestContext,
  account: BankAccount | null | undefined,
  fields: readonly SelectedField[],
): Promise<BankAccount | null> {
  const [whole] = await withRelations(context, account ? [account] : [], fields);
  return whole ?? null;
}

function readsAccountList(policy: AnswerPolicy): void {
  policy.dependsOn('accounts:list');
  policy.isOfKind('accounts');
}

function orderOf(orderBy: AccountOrder | null) {
  return accountOrder(orderBy?.field, orderBy?.direction === OrderDirection.DESC);
}
