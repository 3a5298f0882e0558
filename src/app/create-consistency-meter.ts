import { FreeBudget } from '../budget/free-budget.ts';
import { RequestVersions } from '../cache/data/request-versions.ts';
import { RequestContext } from '../context/request-context.ts';
import { ConsistencyMeter, type ConsistencyMeterOptions } from '../http/consistency-meter.ts';
import type { ExchangeServices } from '../http/exchange.ts';
import { execute } from '../http/execute.ts';
import { RequestTiming } from '../monitoring/request-timing.ts';
import { THE_SERVICE } from '../tenancy/lanes.ts';

/** Longer than any answer that is kept should take; what it sent is stopped then. */
const TIMEOUT_MS = 5_000;

/**
 * The meter of a service: it computes answers as that does for its callers, past everything that
 * is kept, and stores nothing.
 */
export function createConsistencyMeter({
  apollo,
  services,
  logger,
}: Pick<ExchangeServices, 'apollo' | 'services'> & {
  readonly logger: ConsistencyMeterOptions['log'];
}): ConsistencyMeter {
  const { cache, config, database, monitor } = services;
  const atNobodysCost = { ...services, budget: new FreeBudget() };
  return new ConsistencyMeter({
    every: config.cache.enabled ? config.cache.consistencySample : 0,
    isBusy: () => database.admission.length > 0 || database.queue.length > 0,
    async recompute({ caller }, asked, stopping) {
      const timing = new RequestTiming();
      timing.isOwn = true;
      const context = new RequestContext(caller, atNobodysCost, timing, new RequestVersions(null, false), true);
      const stop = () => database.abandon(timing);
      stopping.addEventListener('abort', stop);
      try {
        return await database.admit(THE_SERVICE, () => execute(apollo, {}, asked, context), stopping);
      } finally {
        stopping.removeEventListener('abort', stop);
      }
    },
    stateOf: (scope, entry, afterWrites) => cache.stateOf(scope, entry, afterWrites),
    record: (result) => monitor.recordConsistency(result),
    log: logger,
    timeoutMs: TIMEOUT_MS,
  });
}
