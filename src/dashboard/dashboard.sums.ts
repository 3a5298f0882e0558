import type { Data, Found } from '../cache/data/data.ts';
import type { DataCache } from '../cache/data/data-cache.ts';
import { type TenantDay, tenantDay } from '../cache/data/tenant-day.ts';
import type { CacheConfig } from '../config.ts';
import { unauthenticated } from '../errors.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type {
  AccountTotal,
  DailyFlowText,
  DashboardParts,
  DashboardRepository,
  DashboardRow,
} from './dashboard.repository.ts';

/** What dashboards of a day are made of, as far as it was read. */
export interface DashboardSums {
  readonly accounts: readonly AccountTotal[] | null;
  /** How many days, up to the dashboard's date, `flows` holds. */
  readonly days: number;
  readonly flows: DailyFlowText;
}

/** The day that is asked for, and what was read together with it. */
interface AskedDay {
  readonly date: string;
  /** When the date is another; infinite for a date that was given. */
  readonly endsAtMs: number;
  readonly read?: { readonly row: DashboardRow; readonly atMs: number } | undefined;
}

export type FoundSums = Found<DashboardSums> & Pick<AskedDay, 'date'>;

/** The sums of dashboards, kept under `dashboard:{date}` for operations that select different parts of them. */
export class DashboardSumsReader {
  constructor(
    private readonly repository: DashboardRepository,
    private readonly data: DataCache,
    private readonly ttlSeconds: CacheConfig['ttlSeconds'],
  ) {}

  /**
   * @param date null for the tenant's today
   * @param maxStalenessMs how old sums may be that a write has made old
   * @throws UNAUTHENTICATED when the tenant was deleted after its token was verified
   */
  async sums(
    scope: TenantScope,
    date: string | null,
    parts: DashboardParts,
    maxStalenessMs: number,
  ): Promise<FoundSums> {
    const day = date === null ? await this.#today(scope, parts) : { date, endsAtMs: Number.POSITIVE_INFINITY };
    const found = await this.data.read(scope, { ...this.#data(scope, day, parts), maxStalenessMs });
    return { ...found, date: day.date, holdsUntilMs: Math.min(found.holdsUntilMs, day.endsAtMs) };
  }

  /** The statement for the sums tells the day as well: one for both where neither is kept. */
  async #today(scope: TenantScope, parts: DashboardParts): Promise<AskedDay> {
    let row: DashboardRow | undefined;
    const load = async (): Promise<TenantDay> => {
      row = await this.#read(scope, null, parts);
      return { today: row.date, dayEndsAtMs: row.dayEndsAtMs };
    };
    const { value, createdAtMs } = await this.data.read(scope, tenantDay(this.ttlSeconds.other, load));
    const { today: date, dayEndsAtMs: endsAtMs } = value;
    return { date, endsAtMs, read: row && { row, atMs: createdAtMs } };
  }

  #data(scope: TenantScope, { date, read }: AskedDay, parts: DashboardParts): Data<DashboardSums> {
    return {
      key: ['dashboard', date],
      dependencies: ['dashboard', 'tenant'],
      ttlSeconds: this.ttlSeconds.dashboard,
      asked: JSON.stringify(parts),
      beganAtMs: read?.atMs,
      covers: ({ accounts, days }) => (accounts !== null || !parts.accounts) && days >= parts.days,
      load: async (known) => {
        const missing = {
          accounts: parts.accounts && !known?.accounts,
          days: known && known.days >= parts.days ? 0 : parts.days,
        };
        const loaded = read ? sumsIn(read.row, parts) : sumsIn(await this.#read(scope, date, missing), missing);
        return known ? together(known, loaded) : loaded;
      },
      merge: together,
    };
  }

  async #read(scope: TenantScope, date: string | null, parts: DashboardParts): Promise<DashboardRow> {
    const row = await this.repository.sums(scope, date, parts);
    if (!row) throw unauthenticated();
    return row;
  }
}

/** The database gives null for no rows, too. */
function sumsIn({ accounts, flows }: DashboardRow, parts: DashboardParts): DashboardSums {
  return { accounts: parts.accounts ? (accounts ?? []) : null, days: parts.days, flows: flows ?? '' };
}

function together(one: DashboardSums, other: DashboardSums): DashboardSums {
  const { days, flows } = one.days > other.days ? one : other;
  return { accounts: other.accounts ?? one.accounts, days, flows };
}
