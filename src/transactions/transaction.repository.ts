import { ACCOUNT_COLUMNS } from '../accounts/account.repository.ts';
import type { BankAccount } from '../accounts/account.type.ts';
import { DEFAULT_SEARCH_LIMITS } from '../config/search-limits.ts';
import { instantText, selectList, selectOnly } from '../database/sql-text.ts';
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
import { type CountedParts, countFromTotals, countOfParts, cutsDays } from './transaction.count.ts';
import { keptCount, transactionConditions } from './transaction.filter.ts';
import type { TransactionFilter } from './transaction.input.ts';
import { NEWEST_FIRST } from './transaction.order.ts';
import type { Transaction } from './transaction.type.ts';

const { sql, empty } = Prisma;

/** Every property of a transaction and the SQL that reads it. */
export const TRANSACTION_COLUMNS: Record<keyof Transaction, Prisma.Sql> = {
  id: sql`id`,
  accountId: sql`account_id`,
  bookedAt: instantText(sql`booked_at`),
  direction: sql`direction`,
  amount: sql`amount::text`,
  currency: sql`currency`,
  balanceAfter: sql`balance_after::text`,
  category: sql`category`,
  counterpartyBank: sql`counterparty_bank`,
  description: sql`description`,
};

/** All properties of a transaction. */
export const ALL_TRANSACTION_COLUMNS: ReadonlySet<string> = new Set(Object.keys(TRANSACTION_COLUMNS));

/** A row of a statement that answers for several accounts at once. */
interface OfAccount {
  readonly ofAccount: string;
}

interface Counted {
  readonly count: number;
}

type StatementOptions = Pick<SqlStatement, 'timeoutMs' | 'isSearch' | 'planOnce'>;

/** A transaction whose account was read with it. */
export interface WithAccount {
  readonly account?: BankAccount;
}

/**
 * The newest transactions of each account of a statement that reads `bank_accounts`, as JSON: with
 * them in one statement a list costs a third less than with one more for its level
 * (docs/performance.md).
 */
export function recentColumn({ tenantId }: TenantScope, limit: number, wanted: ReadonlySet<string>): Prisma.Sql {
  return sql`(SELECT coalesce(json_agg(newest), '[]') FROM (
      SELECT ${selectOnly(TRANSACTION_COLUMNS, wanted)} FROM transactions
      WHERE tenant_id = ${tenantId}::uuid AND account_id = bank_accounts.id ORDER BY booked_at DESC, id DESC LIMIT ${limit}
    ) newest)`;
}

/**
 * The tenant's newest transactions, each with the wanted properties of its account, if any are
 * wanted, as JSON within a statement about something else.
 */
export function newestTransactions(
  scope: TenantScope,
  limit: number,
  wanted: ReadonlySet<string>,
  ofAccount: ReadonlySet<string> = new Set(),
): Prisma.Sql {
  const account = ofAccount.size > 0 ? sql`, ${accountColumn(scope, ofAccount)} AS account` : empty;
  return sql`(SELECT coalesce(json_agg(newest), '[]') FROM (
      SELECT * FROM (
        SELECT ${columns(wanted)}${account} FROM transactions WHERE tenant_id = ${scope.tenantId}::uuid
        ORDER BY booked_at DESC, id DESC ${LONGEST_PAGE}
      ) longest LIMIT ${limit}
    ) newest)`;
}

/**
 * Reads transactions, newest first unless an order says otherwise. `wanted` names the properties that are read; the others are
 * absent from the rows.
 */
export class TransactionRepository {
  constructor(
    private readonly database: TenantDatabase,
    private readonly limits = DEFAULT_SEARCH_LIMITS,
  ) {}

  async page(
    scope: TenantScope,
    conditions: readonly Prisma.Sql[],
    page: PageRequest,
    wanted: ReadonlySet<string>,
    order: KeysetOrder = NEWEST_FIRST,
  ): Promise<Page<Transaction>> {
    const query = keysetSelect(
      columns(wanted),
      { table: sql`transactions`, where: whereOf(scope, conditions) },
      order,
      page,
    );
    const rows = await this.#select<Transaction & KeysetRow>(scope, 'page', query, this.#optionsOf(page));
    return keysetPage(rows, page);
  }

  /**
   * How many transactions satisfy a filter: from the totals kept ready where they tell, else by
   * counting.
   */
  async count(scope: TenantScope, filter: TransactionFilter | null): Promise<Count> {
    const where = whereOf(scope, transactionConditions(filter));
    const kept = keptCount(filter);
    if (kept) {
      const query = countFromTotals(scope, kept, where, this.limits);
      const options = { ...asSearch(this.limits), isSearch: cutsDays(kept), planOnce: true };
      const [row] = await this.#select<CountedParts>(scope, 'keptCount', query, options);
      return row ? countOfParts(row, this.limits) : exactly(0);
    }
    const query = sql`SELECT ${boundedCount({ table: sql`transactions`, where }, this.limits)} AS count`;
    const [row] = await this.#select<Counted>(scope, 'count', query, asSearch(this.limits));
    return countWithin(row?.count ?? 0, this.limits);
  }

  /** The same page of each of these accounts, in one statement. */
  async pageOfEach(
    scope: TenantScope,
    accountIds: readonly string[],
    conditions: readonly Prisma.Sql[],
    page: PageRequest,
    wanted: ReadonlySet<string>,
    order: KeysetOrder = NEWEST_FIRST,
  ): Promise<Map<string, Page<Transaction>>> {
    const where = whereOf(scope, [sql`account_id = account.id`, ...conditions]);
    const ofOne = keysetSelect(columns(wanted), { table: sql`transactions`, where }, order, page);
    const rows = await this.#select<Transaction & KeysetRow & OfAccount>(
      scope,
      'pageOfEach',
      sql`SELECT account.id AS "ofAccount", rows.* FROM unnest(${accountIds}::uuid[]) AS account (id) CROSS JOIN LATERAL (${ofOne}) rows`,
      this.#optionsOf(page),
    );
    const grouped = groupByAccount(rows);
    return new Map([...grouped].map(([accountId, rows]) => [accountId, keysetPage(rows, page)]));
  }

  /** How many transactions each of these accounts has, in one statement. */
  async countOfEach(
    scope: TenantScope,
    accountIds: readonly string[],
    conditions: readonly Prisma.Sql[],
  ): Promise<Map<string, Count>> {
    const where = whereOf(scope, [sql`account_id = account.id`, ...conditions]);
    const ofOne = boundedCount({ table: sql`transactions`, where }, this.limits);
    const query = sql`SELECT account.id AS "ofAccount", ${ofOne} AS count FROM unnest(${accountIds}::uuid[]) AS account (id)`;
    const rows = await this.#select<OfAccount & Counted>(scope, 'countOfEach', query, asSearch(this.limits));
    return new Map(rows.map(({ ofAccount, count }) => [ofAccount, countWithin(count, this.limits)]));
  }

  /**
   * The newest transactions of each of these accounts, in one statement. As one JSON text: reading
   * it costs less than reading as many rows (docs/performance.md).
   */
  async recentOfEach(
    scope: TenantScope,
    accountIds: readonly string[],
    limit: number,
    wanted: ReadonlySet<string>,
  ): Promise<Map<string, Transaction[]>> {
    const [row] = await this.#select<{ lists: Record<string, Transaction[] | null> | null }>(
      scope,
      'recentOfEach',
      sql`SELECT json_object_agg(account.id, (SELECT json_agg(newest) FROM (
          SELECT ${columns(wanted)} FROM transactions WHERE tenant_id = ${scope.tenantId}::uuid AND account_id = account.id
          ORDER BY booked_at DESC, id DESC LIMIT ${limit}
        ) newest)) AS lists FROM unnest(${accountIds}::uuid[]) AS account (id)`,
    );
    return new Map(Object.entries(row?.lists ?? {}).flatMap(([id, list]) => (list ? [[id, list] as const] : [])));
  }

  #optionsOf({ isSearched }: PageRequest): StatementOptions {
    return isSearched ? asSearch(this.limits) : {};
  }

  #select<Row extends object>(
    scope: TenantScope,
    action: string,
    query: Prisma.Sql,
    options: StatementOptions = {},
  ): Promise<Row[]> {
    return this.database.select<Row>(scope, { model: 'Transaction', action, query, ...options });
  }
}

/** The columns to read; `account` is found by its id. */
function columns(wanted: ReadonlySet<string>): Prisma.Sql {
  return selectList(TRANSACTION_COLUMNS, wanted.has('account') ? new Set([...wanted, 'accountId']) : wanted);
}

function accountColumn(scope: TenantScope, wanted: ReadonlySet<string>): Prisma.Sql {
  return sql`(SELECT row_to_json(account) FROM (
      SELECT ${selectList(ACCOUNT_COLUMNS, wanted)} FROM bank_accounts
      WHERE tenant_id = ${scope.tenantId}::uuid AND id = transactions.account_id
    ) account)`;
}

function whereOf(scope: TenantScope, conditions: readonly Prisma.Sql[]): Prisma.Sql {
  return Prisma.join([sql`tenant_id = ${scope.tenantId}::uuid`, ...conditions], ' AND ');
}

function groupByAccount<Row extends OfAccount>(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(row.ofAccount);
    if (group) group.push(row);
    else groups.set(row.ofAccount, [row]);
  }
  return groups;
}
