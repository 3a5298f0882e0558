import { DEFAULT_SEARCH_LIMITS } from '../config/search-limits.ts';
import { instantText, selectList, shownCountOf } from '../database/sql-text.ts';
import { Prisma } from '../generated/prisma/client.ts';
import { boundedCount, type Count, countWithin, exactly } from '../paging/bounded-count.ts';
import {
  type KeysetOrder,
  type KeysetRow,
  keysetPage,
  keysetSelect,
  LONGEST_PAGE,
  type Page,
  type PageRequest,
} from '../paging/keyset.ts';
import { asSearch, type SqlStatement } from '../tenancy/sql-statement.ts';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import { accountConditions, isCountKept } from './account.filter.ts';
import type { AccountFilter } from './account.input.ts';
import type { BankAccount } from './account.type.ts';

const { sql } = Prisma;

/** Every property of an account and the SQL that reads it. */
export const ACCOUNT_COLUMNS: Record<keyof BankAccount, Prisma.Sql> = {
  id: sql`id`,
  bankName: sql`bank_name`,
  accountNumber: sql`account_number`,
  accountType: sql`account_type`,
  status: sql`status`,
  isActive: sql`status = 'ACTIVE'`,
  currency: sql`currency`,
  balance: sql`balance::text`,
  version: sql`version`,
  createdAt: instantText(sql`created_at`),
  updatedAt: instantText(sql`updated_at`),
};

/** All properties of an account. */
export const ALL_ACCOUNT_COLUMNS: ReadonlySet<string> = new Set(Object.keys(ACCOUNT_COLUMNS));

/** A page by its number, from 1. */
export interface NumberedPage {
  readonly number: number;
  readonly size: number;
  /** Whether rows are read that are neither on the page nor ahead of it. Absent: none are. */
  readonly isSearched?: boolean;
}

/**
 * The accounts with the highest balances, whatever their currency, as JSON within a statement about
 * something else.
 */
export function largestAccounts({ tenantId }: TenantScope, limit: number, wanted: ReadonlySet<string>): Prisma.Sql {
  return sql`(SELECT coalesce(json_agg(largest), '[]') FROM (
      SELECT * FROM (
        SELECT ${selectList(ACCOUNT_COLUMNS, wanted)} FROM bank_accounts WHERE tenant_id = ${tenantId}::uuid
        ORDER BY bank_accounts.balance DESC, id DESC ${LONGEST_PAGE}
      ) longest LIMIT ${limit}
    ) largest)`;
}

type StatementOptions = Pick<SqlStatement, 'timeoutMs' | 'isSearch'>;

/**
 * Reads sets of accounts, by SQL; one by its key is read by `AccountRows`. `wanted` names the
 * properties that are read; the others are absent from the rows.
 */
export class AccountRepository {
  constructor(
    private readonly database: TenantDatabase,
    private readonly limits = DEFAULT_SEARCH_LIMITS,
  ) {}

  /**
   * @param joined more columns, each under an alias: for the rows of the page alone, whatever they
   *   cost
   */
  async page(
    scope: TenantScope,
    conditions: readonly Prisma.Sql[],
    order: KeysetOrder,
    page: PageRequest,
    wanted: ReadonlySet<string>,
    joined: readonly Prisma.Sql[] = [],
  ): Promise<Page<BankAccount>> {
    const source = { table: sql`bank_accounts`, where: whereOf(scope, conditions) };
    const columns = Prisma.join([selectList(ACCOUNT_COLUMNS, wanted), ...joined]);
    const query = keysetSelect(columns, source, order, page);
    const rows = await this.#select<BankAccount & KeysetRow>(scope, 'page', query, this.#optionsOf(page));
    return keysetPage(rows, page);
  }

  async numberedPage(
    scope: TenantScope,
    conditions: readonly Prisma.Sql[],
    order: KeysetOrder,
    page: NumberedPage,
    wanted: ReadonlySet<string>,
  ): Promise<BankAccount[]> {
    const direction = order.descending ? sql`DESC` : sql`ASC`;
    return this.#select(
      scope,
      'numberedPage',
      sql`SELECT ${selectList(ACCOUNT_COLUMNS, wanted)} FROM bank_accounts WHERE ${whereOf(scope, conditions)}
        ORDER BY ${order.column} ${direction}, id ${direction} LIMIT ${page.size} OFFSET ${(page.number - 1) * page.size}`,
      this.#optionsOf({ isSearched: page.isSearched || page.number > 1 }),
    );
  }

  /**
   * How many accounts satisfy a filter: from the totals kept ready where they tell, else by
   * counting.
   * @param onRead told how many kept totals were added up
   */
  async count(scope: TenantScope, filter: AccountFilter | null, onRead = (_totals: number) => {}): Promise<Count> {
    const where = whereOf(scope, accountConditions(filter));
    if (isCountKept(filter)) {
      const query = sql`SELECT ${shownCountOf(sql`coalesce(sum(account_count), 0)`)} AS count, count(*)::float8 AS totals FROM account_totals WHERE ${where}`;
      const [kept] = await this.#select<{ count: number; totals: number }>(scope, 'keptCount', query);
      onRead(kept?.totals ?? 0);
      return exactly(kept?.count ?? 0);
    }
    const query = sql`SELECT ${boundedCount({ table: sql`bank_accounts`, where }, this.limits)} AS count`;
    const [row] = await this.#select<{ count: number }>(scope, 'count', query, asSearch(this.limits));
    return countWithin(row?.count ?? 0, this.limits);
  }

  /**
   * The accounts with these ids, in any order; unknown ids and those of other tenants are absent.
   */
  async byIds(scope: TenantScope, ids: readonly string[], wanted: ReadonlySet<string>): Promise<BankAccount[]> {
    // One by one, by the LIMIT: for `id = ANY` the plan for any tenant is to read the whole tenant
    // in some other index that ends with the id, which costs little of an average tenant and a
    // hundred times as much of a large one.
    const query = sql`SELECT account.* FROM unnest(${ids}::uuid[]) AS asked (id) CROSS JOIN LATERAL (
        SELECT ${selectList(ACCOUNT_COLUMNS, wanted)} FROM bank_accounts
        WHERE tenant_id = ${scope.tenantId}::uuid AND id = asked.id LIMIT 1
      ) account`;
    return this.#select(scope, 'byIds', query);
  }

  #optionsOf({ isSearched }: Pick<PageRequest, 'isSearched'>): StatementOptions {
    return isSearched ? asSearch(this.limits) : {};
  }

  #select<Row extends object>(
    scope: TenantScope,
    action: string,
    query: Prisma.Sql,
    options: StatementOptions = {},
  ): Promise<Row[]> {
    return this.database.select<Row>(scope, { model: 'BankAccount', action, query, ...options });
  }
}

function whereOf(scope: TenantScope, conditions: readonly Prisma.Sql[]): Prisma.Sql {
  return Prisma.join([sql`tenant_id = ${scope.tenantId}::uuid`, ...conditions], ' AND ');
}
