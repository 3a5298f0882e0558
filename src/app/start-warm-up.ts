import type { ChangeFeed } from '../cache/change-feed/change-feed.ts';
import type { Services } from '../context/services.ts';
import { Loop } from '../loop.ts';
import { recentTenants } from '../usage/usage.repository.ts';
import { WarmUp, type WarmUpOptions } from '../warm-up/warm-up.ts';
import type { WarmUpCounts } from '../warm-up/warm-up-counts.ts';

const PAUSE_MS = 1_000;
const FAILED_PAUSE_MS = 10_000;
/** The event loop is later than this at the 99th percentile only when there is much to do. */
const BUSY_LOOP_MS = 100;

type Needed = Pick<Services, 'config' | 'dashboards' | 'askedDashboards' | 'monitor' | 'database' | 'resources'>;

/** @returns what ends it; breaks off what is under way. Never rejects */
export function startWarmUp(
  { config, dashboards, askedDashboards: asked, monitor: { usage }, database, resources }: Needed,
  changeFeed: ChangeFeed,
  counts: WarmUpCounts,
  log: WarmUpOptions['log'],
): () => Promise<void> {
  if (!config.warmUp.enabled || !config.cache.enabled) return async () => {};
  const isBusy = () =>
    database.admission.length > 0 || database.queue.length > 0 || resources.ofProcess().eventLoopDelayMs > BUSY_LOOP_MS;
  const { minutes, tenants } = config.warmUp;
  const recent = () => recentTenants(database, minutes, tenants);
  const warmUp = new WarmUp({ config, recent, dashboards, asked, usage, database, changeFeed, counts, isBusy, log });
  const loop = new Loop(
    async () => {
      await warmUp.round();
      return PAUSE_MS;
    },
    ({ message: reason }) => {
      log.debug({ reason }, 'a round of the warm-up failed');
      return FAILED_PAUSE_MS;
    },
  );
  return () => {
    warmUp.stop();
    return loop.stop();
  };
}
