import DataLoader from 'dataloader';
import { ErrorCode } from '../errors.ts';
import { errorCodeOf } from '../graphql/format-error.ts';
import { groupBy } from '../group-by.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import { DASHBOARD_PARTS } from './dashboard.parts.ts';
import type { DashboardRead, DashboardReader, FoundDashboard } from './dashboard.reader.ts';

/** What is asked for of one day; of others it is read apart. */
const dayOf = ({ date, maxStalenessMs }: DashboardRead) => JSON.stringify([date, maxStalenessMs]);

export function createDashboardLoaders(scope: TenantScope, dashboards: DashboardReader) {
  const read = (asked: DashboardRead): Promise<FoundDashboard | Error> => dashboards.read(scope, asked).catch(asError);
  /**
   * All that is asked for of a day in one reading: it is one moment, however many fields show it.
   * What is too much together is read apart, so that no field is refused for another one.
   */
  const readTogether = async (asked: readonly DashboardRead[]): Promise<(FoundDashboard | Error)[]> => {
    const parts = asked.map(({ parts }) => parts).reduce(DASHBOARD_PARTS.join);
    const found = await read({ ...(asked[0] as DashboardRead), parts });
    const isTooMuch = found instanceof Error && errorCodeOf(found) === ErrorCode.TooComplex;
    return isTooMuch && asked.length > 1 ? Promise.all(asked.map(read)) : asked.map(() => found);
  };
  const byDay = new DataLoader<DashboardRead, FoundDashboard, string>(
    async (asked) => {
      const days = [...groupBy(asked, dayOf).values()];
      const found = new Map<DashboardRead, FoundDashboard | Error>();
      await Promise.all(
        days.map(async (reads) => {
          for (const [index, one] of (await readTogether(reads)).entries())
            found.set(reads[index] as DashboardRead, one);
        }),
      );
      return asked.map((one) => found.get(one) as FoundDashboard | Error);
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
