import DataLoader from 'dataloader';
import { groupBy } from '../statistics/cash-flow.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import { DASHBOARD_PARTS } from './dashboard.parts.ts';
import type { DashboardRead, DashboardReader, FoundDashboard } from './dashboard.reader.ts';

/** What is asked for of one day; of others it is read apart. */
const dayOf = ({ date, maxStalenessMs }: DashboardRead) => JSON.stringify([date, maxStalenessMs]);

export function createDashboardLoaders(scope: TenantScope, dashboards: DashboardReader) {
  /** All that is asked for of a day in one reading: it is one moment, however many fields show it. */
  const readTogether = async ([first, ...others]: readonly DashboardRead[]): Promise<FoundDashboard> => {
    if (!first) throw new Error('nothing is asked for');
    const parts = others.reduce((joined, { parts }) => DASHBOARD_PARTS.join(joined, parts), first.parts);
    return dashboards.read(scope, { ...first, parts });
  };
  const byDay = new DataLoader<DashboardRead, FoundDashboard, string>(
    async (asked) => {
      const days = groupBy(asked, dayOf);
      const found = new Map([...days].map(([day, reads]) => [day, readTogether(reads)]));
      return Promise.all(asked.map((read) => (found.get(dayOf(read)) as Promise<FoundDashboard>).catch(asError)));
    },
    { cacheKeyFn: (asked) => `${dayOf(asked)} ${JSON.stringify(asked.parts)}` },
  );
  return {
    /** A day's dashboard, with the parts that are asked for at least. */
    day: (asked: DashboardRead) => byDay.load(asked),
  };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
