import { largestAccounts } from '../accounts/account.repository.ts';
import type { BankAccount } from '../accounts/account.type.ts';
import { endOfDayMs } from '../database/sql-text.ts';
import { Prisma } from '../generated/prisma/client.ts';
import type { AccountStatus, AccountType } from '../generated/prisma/enums.ts';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import { newestTransactions, type WithAccount } from '../transactions/transaction.repository.ts';
import type { Transaction } from '../transactions/transaction.type.ts';
import { type DashboardParts, type ListPart, OF_ACCOUNT } from './dashboard.parts.ts';

const { sql } = Prisma;

/** Accounts of one kind, as account_totals keeps them. */
export type AccountTotal = readonly [
  accountType: AccountType,
  status: AccountStatus,
  bankName: string,
  currency: string,
  count: number,
  balance: string,
];

/**
 * Transactions by day and currency: `<days before the dashboard's date> <currency> <count> <inflow>
 * <outflow>,…`. As text, since V8 looks up each short string that it reads from JSON, such as a
 * sum, in a table of all: a twentieth of a dashboard's CPU.
 */
export type DailyFlowText = string;

export interface DashboardRow {
  /** The date asked for, or the tenant's today. */
  readonly date: string;
  /** When the tenant's today ends, in milliseconds since 1970. */
  readonly dayEndsAtMs: number;
  /** What the statement saw, as PostgreSQL prints it. */
  readonly snapshot: string;
  readonly accounts: readonly AccountTotal[] | null;
  readonly flows: DailyFlowText | null;
  readonly topAccounts: readonly BankAccount[] | null;
  readonly recentTransactions: readonly (Transaction & WithAccount)[] | null;
}

/** Reads more, with a scope that gives the snapshot of the row. */
export type ReadBelow = (row: DashboardRow, scope: TenantScope) => Promise<void>;

export class DashboardRepository {
  constructor(private readonly database: TenantDatabase) {}

  /**
   * A dashboard, in one statement, which is one snapshot. Undefined when the tenant is no more.
   * OFFSET keeps the days' bounds values: without it PostgreSQL puts their formulas in their place,
   * which are not leakproof, so that they cannot bound the days in the index.
   */
  async parts(scope: TenantScope, date: string | null, parts: DashboardParts): Promise<DashboardRow | undefined> {
    const { topAccounts, recentTransactions } = parts;
    const [row] = await this.database.select<DashboardRow>(scope, {
      model: 'Dashboard',
      action: 'parts',
      // The plan of a list for any tenant may be to sort all its rows, which costs little of an
      // average tenant alone.
      planOnce: !topAccounts && !recentTransactions,
      query: sql`SELECT to_char(asked.date, 'YYYY-MM-DD') AS date, asked.day_ends_at_ms AS "dayEndsAtMs", pg_current_snapshot() AS snapshot,
          ${parts.accounts ? accountTotals(scope) : sql`NULL`} AS accounts,
          ${parts.days ? dailyFlows(scope) : sql`NULL`} AS flows,
          ${topAccounts ? topAccountsOf(scope, topAccounts) : sql`NULL`} AS "topAccounts",
          ${recentTransactions ? recentTransactionsOf(scope, recentTransactions) : sql`NULL`} AS "recentTransactions"
        FROM (
          SELECT date, date - ${parts.days}::integer AS day_before, day_ends_at_ms
          FROM (
            SELECT coalesce(${date}::date, (now() AT TIME ZONE time_zone)::date) AS date, ${endOfDayMs(sql`time_zone`)} AS day_ends_at_ms
            FROM tenants WHERE id = ${scope.tenantId}::uuid
          ) of_tenant OFFSET 0
        ) asked`,
    });
    return row;
  }

  /** The same, and what `below` reads, from one snapshot. */
  async partsAndBelow(
    scope: TenantScope,
    date: string | null,
    parts: DashboardParts,
    below: ReadBelow,
  ): Promise<DashboardRow | undefined> {
    return this.database.snapshot(scope, async (within) => {
      const row = await this.parts(within, date, parts);
      if (row) await below(row, within);
      return row;
    });
  }
}

function topAccountsOf(scope: TenantScope, { limit, columns }: ListPart): Prisma.Sql {
  return largestAccounts(scope, limit, new Set(columns));
}

function recentTransactionsOf(scope: TenantScope, { limit, columns }: ListPart): Prisma.Sql {
  const ofAccount = columns.filter((name) => name.startsWith(OF_ACCOUNT)).map((name) => name.slice(OF_ACCOUNT.length));
  return newestTransactions(scope, limit, new Set(columns), new Set(ofAccount));
}

/**
 * Rows travel as lists: the names of their columns in each would take most of the time of reading
 * them. Sums are text within the JSON: a JSON number would be read into a float.
 */
function accountTotals(scope: TenantScope): Prisma.Sql {
  return sql`(SELECT json_agg(json_build_array(account_type, status, bank_name, currency, count, balance)) FROM (
      SELECT account_type, status, bank_name, currency, sum(account_count) AS count, sum(balance)::text AS balance
      FROM account_totals WHERE tenant_id = ${scope.tenantId}::uuid
      GROUP BY account_type, status, bank_name, currency HAVING sum(account_count) <> 0
    ) kind)`;
}

function dailyFlows(scope: TenantScope): Prisma.Sql {
  return sql`(SELECT string_agg(concat_ws(' ', asked.date - day, currency, count, inflow, outflow), ',') FROM (
      SELECT day, currency, sum(transaction_count) AS count, sum(inflow) AS inflow, sum(outflow) AS outflow
      FROM daily_totals WHERE tenant_id = ${scope.tenantId}::uuid AND day > asked.day_before AND day <= asked.date
      GROUP BY day, currency HAVING sum(transaction_count) <> 0
    ) flow)`;
}
