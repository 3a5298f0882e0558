import { largestAccounts } from '../accounts/account.repository.ts';
import type { BankAccount } from '../accounts/account.type.ts';
import { endOfDayMs } from '../database/sql-text.ts';
import { Prisma } from '../generated/prisma/client.ts';
import type { AccountStatus, AccountType } from '../generated/prisma/enums.ts';
import { MAX_SUMS } from '../graphql/max-sums.ts';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import { newestTransactions, type WithAccount } from '../transactions/transaction.repository.ts';
import type { Transaction } from '../transactions/transaction.type.ts';
import { type DashboardParts, type ListPart, OF_ACCOUNT } from './dashboard.parts.ts';

const { sql, raw, empty } = Prisma;

const AT_MOST = raw(`LIMIT ${MAX_SUMS + 1}`);
/** Kept totals of all groups together, also of those that are not told. */
const READ = sql`sum(count(*)) OVER () AS totals`;
const TOTALS = sql`coalesce(max(totals), 0)::float8 AS totals`;

/** Accounts of one kind, as account_totals keeps them. */
export type AccountTotal = readonly [
  accountType: AccountType,
  status: AccountStatus,
  /** Null where the banks were not asked for. */
  bankName: string | null,
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

/** In characters: some hundred flows. */
const FEW_FLOWS = 10_000;

/** How many flows a text has; 0 for few, as nearly all have, since nothing bounds so few. */
export function flowsIn(text: DailyFlowText): number {
  return text.length < FEW_FLOWS ? 0 : text.split(',').length;
}

export interface DashboardRow {
  /** The date asked for, or the tenant's today. */
  readonly date: string;
  /** When the tenant's today ends, in milliseconds since 1970. */
  readonly dayEndsAtMs: number;
  /** What the statement saw, as PostgreSQL prints it. */
  readonly snapshot: string;
  /** At most one more than `MAX_SUMS`. */
  readonly accounts: readonly AccountTotal[] | null;
  /** At most one more than `MAX_SUMS`. */
  readonly flows: DailyFlowText | null;
  /** Kept totals that were added up to these. */
  readonly totals: number;
  readonly topAccounts: readonly BankAccount[] | null;
  readonly recentTransactions: readonly (Transaction & WithAccount)[] | null;
}

/** What is read beside a dashboard's row. */
export interface ReadBelow {
  /** Reads it, with a scope that gives the snapshot of the row. */
  readonly read: (row: DashboardRow, scope: TenantScope) => Promise<void>;
  /** Whether it may read rows one by one. */
  readonly isSearch: boolean;
}

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
          ${parts.accounts ? sql`of_accounts.sums` : sql`NULL`} AS accounts, ${parts.days ? sql`of_days.sums` : sql`NULL`} AS flows,
          ${parts.accounts ? sql`of_accounts.totals` : sql`0`} + ${parts.days ? sql`of_days.totals` : sql`0`} AS totals,
          ${topAccounts ? topAccountsOf(scope, topAccounts) : sql`NULL`} AS "topAccounts",
          ${recentTransactions ? recentTransactionsOf(scope, recentTransactions) : sql`NULL`} AS "recentTransactions"
        FROM (
          SELECT date, date - ${parts.days}::integer AS day_before, day_ends_at_ms
          FROM (
            SELECT coalesce(${date}::date, (now() AT TIME ZONE time_zone)::date) AS date, ${endOfDayMs(sql`time_zone`)} AS day_ends_at_ms
            FROM tenants WHERE id = ${scope.tenantId}::uuid
          ) of_tenant OFFSET 0
        ) asked
          ${parts.accounts ? sql`CROSS JOIN LATERAL ${accountTotals(scope, parts.banks)} of_accounts` : empty}
          ${parts.days ? sql`CROSS JOIN LATERAL ${dailyFlows(scope)} of_days` : empty}`,
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
    const read = async (within: TenantScope) => {
      const row = await this.parts(within, date, parts);
      if (row) await below.read(row, within);
      return row;
    };
    return this.database.snapshot(scope, read, below.isSearch);
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
function accountTotals({ tenantId }: TenantScope, byBank: boolean): Prisma.Sql {
  return sql`(
      SELECT json_agg(json_build_array(account_type, status, bank_name, currency, count, balance)) AS sums, ${TOTALS}
      FROM (
        SELECT * FROM (
          SELECT account_type, status, ${byBank ? sql`bank_name` : sql`NULL AS bank_name`}, currency,
            sum(account_count) AS count, sum(balance)::text AS balance, ${READ}
          FROM account_totals WHERE tenant_id = ${tenantId}::uuid
          GROUP BY account_type, status, ${byBank ? sql`bank_name,` : empty} currency
        ) kind WHERE count <> 0 ${AT_MOST}
      ) kind
    )`;
}

function dailyFlows({ tenantId }: TenantScope): Prisma.Sql {
  return sql`(
      SELECT string_agg(concat_ws(' ', asked.date - day, currency, count, inflow, outflow), ',') AS sums, ${TOTALS}
      FROM (
        SELECT * FROM (
          SELECT day, currency, sum(transaction_count) AS count, sum(inflow) AS inflow, sum(outflow) AS outflow, ${READ}
          FROM daily_totals WHERE tenant_id = ${tenantId}::uuid AND day > asked.day_before AND day <= asked.date
          GROUP BY day, currency
        ) flow WHERE count <> 0 ${AT_MOST}
      ) flow
    )`;
}
