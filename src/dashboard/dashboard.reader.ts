import type { GraphQLError } from 'graphql';
import type { BankAccount } from '../accounts/account.type.ts';
import type { Data, Found } from '../cache/data/data.ts';
import type { DataCache } from '../cache/data/data-cache.ts';
import { momentOf } from '../cache/data/moment.ts';
import { withParts } from '../cache/data/parts.ts';
import type { TenantCache } from '../cache/data/tenant-cache.ts';
import { type TenantDay, tenantDay } from '../cache/data/tenant-day.ts';
import { type CacheDependency, derivedDependencies } from '../cache/dependencies/dependencies.ts';
import type { CacheConfig } from '../config/config.ts';
import { unauthenticated } from '../errors.ts';
import { MAX_SUMS, tooManySums } from '../graphql/max-sums.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { WithAccount } from '../transactions/transaction.repository.ts';
import type { Transaction } from '../transactions/transaction.type.ts';
import { DASHBOARD_PARTS, type DashboardParts } from './dashboard.parts.ts';
import {
  type AccountTotal,
  type DailyFlowText,
  type DashboardRepository,
  type DashboardRow,
  flowsIn,
  type ReadBelow,
} from './dashboard.repository.ts';

/** What dashboards of a day are made of, as far as it was read: what was not is empty. */
export interface DashboardValue {
  readonly accounts: readonly AccountTotal[];
  readonly flows: DailyFlowText;
  readonly topAccounts: readonly BankAccount[];
  readonly recentTransactions: readonly (Transaction & WithAccount)[];
  readonly moment: number;
}

/** The day that is asked for, and what was read together with it. */
interface AskedDay {
  readonly date: string;
  /** When the date is another; infinite for a date that was given. */
  readonly endsAtMs: number;
  readonly read?: { readonly row: DashboardRow; readonly atMs: number } | undefined;
}

export interface FoundDashboard extends AskedDay, Found<DashboardValue> {}

export interface DashboardRead {
  /** Null for the tenant's today. */
  readonly date: string | null;
  readonly parts: DashboardParts;
  /** How old it may be when a write has made it old. */
  readonly maxStalenessMs: number;
  /**
   * What is read of the same snapshot beside the parts; it is not kept, so that nothing that is
   * kept serves then.
   */
  readonly below?: ReadBelow | undefined;
  /** Told how many kept totals were added up for this reader, and to how many sums. */
  readonly onRead: (totals: number, sums: number) => void;
}

/**
 * Whoever writes accounts or transactions invalidates dashboards; the rest is for invalidations by
 * hand.
 */
const READ = {
  tables: ['tenants', 'account_totals', 'daily_totals', 'bank_accounts', 'transactions'],
  dependencies: ['dashboard', 'accounts', 'tenant'],
} as const satisfies Pick<Data<never>, 'tables' | 'dependencies'>;

/** What a dashboard is current by. */
export const DASHBOARD_DEPENDENCIES = derivedDependencies(READ.tables, new Set<CacheDependency>(READ.dependencies));

/** Dashboards, kept under `dashboard:{date}` for operations that select different parts of them. */
export class DashboardReader {
  constructor(
    private readonly repository: DashboardRepository,
    private readonly data: DataCache,
    private readonly cache: TenantCache,
    private readonly ttlSeconds: CacheConfig['ttlSeconds'],
  ) {}

  /** @throws UNAUTHENTICATED when the tenant was deleted after its token was verified */
  async read(asking: TenantScope, asked: DashboardRead): Promise<FoundDashboard> {
    // The day's statement reads the dashboard, too, which is kept later.
    const scope = this.data.inOneMoment(asking);
    const { date, below } = asked;
    const day = date === null ? await this.#today(scope, asked) : { date, endsAtMs: Number.POSITIVE_INFINITY };
    const data = this.#data(scope, day, asked);
    const found = below ? await this.data.readAnew(scope, data) : await this.data.read(scope, data);
    return { ...day, ...found, value: found.value.value };
  }

  /** The statement for the dashboard tells the day as well: one for both where neither is kept. */
  async #today(scope: TenantScope, asked: DashboardRead): Promise<AskedDay> {
    let row: DashboardRow | undefined;
    const load = async (): Promise<TenantDay> => {
      row = await this.#row(scope, null, asked.parts, asked);
      return { today: row.date, dayEndsAtMs: row.dayEndsAtMs };
    };
    const { value, createdAtMs } = await this.cache.getOrSet(scope, tenantDay(this.ttlSeconds.other), [], load);
    const { today: date, dayEndsAtMs: endsAtMs } = value;
    return { date, endsAtMs, read: row && { row, atMs: createdAtMs } };
  }

  #data(scope: TenantScope, { date, read }: AskedDay, { parts: asked, maxStalenessMs, ...how }: DashboardRead) {
    const kept = {
      key: ['dashboard', date],
      ...READ,
      ttlSeconds: this.ttlSeconds.dashboard,
    };
    const load = async (parts: DashboardParts) => {
      const isRead = read && DASHBOARD_PARTS.contain(asked, parts);
      return valueIn(isRead ? read.row : await this.#row(scope, date, parts, how));
    };
    return {
      ...withParts(kept, DASHBOARD_PARTS, asked, load),
      beganAtMs: read?.atMs,
      ageing: { maxStalenessMs, momentOf: ({ value }: { readonly value: DashboardValue }) => value.moment },
    };
  }

  async #row(
    scope: TenantScope,
    date: string | null,
    parts: DashboardParts,
    { below, onRead }: Pick<DashboardRead, 'below' | 'onRead'>,
  ): Promise<DashboardRow> {
    const row = below
      ? await this.repository.partsAndBelow(scope, date, parts, below)
      : await this.repository.parts(scope, date, parts);
    if (!row) throw unauthenticated();
    const [accounts, flows] = [row.accounts?.length ?? 0, flowsIn(row.flows ?? '')];
    onRead(row.totals, accounts + flows);
    if (accounts > MAX_SUMS) throw tooManyAccountSums(parts);
    if (flows > MAX_SUMS) throw tooManyFlows();
    return row;
  }
}

function tooManyAccountSums({ banks }: DashboardParts): GraphQLError {
  return banks
    ? tooManySums("The dashboard's accounts have", 'type, status, bank and currency', 'Leave out accountsByBank')
    : tooManySums(
        "The dashboard's accounts have",
        'type, status and currency',
        'Count them by accounts and its filter',
      );
}

function tooManyFlows(): GraphQLError {
  return tooManySums("The dashboard's activity has", 'day and currency', 'Take fewer days');
}

/** The database gives null for no rows, too. */
function valueIn({ accounts, flows, topAccounts, recentTransactions, snapshot }: DashboardRow): DashboardValue {
  return {
    accounts: accounts ?? [],
    flows: flows ?? '',
    topAccounts: topAccounts ?? [],
    recentTransactions: recentTransactions ?? [],
    moment: momentOf(snapshot),
  };
}
