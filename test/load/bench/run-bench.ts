import { Progress } from '../../../src/cli/progress.ts';
import { type BulkLoadResult, measureBulkLoad } from './bulk-load.ts';
import { PHASES, type Phase } from './cases.ts';
import { withCleanup } from './cleanup.ts';
import { type DataSetSize, ensureDataSet, restoreDataSet } from './data-set.ts';
import { openBenchDatabase } from './database.ts';
import { type InvalidationResult, type MemoryResult, measureInvalidation, measureMemory } from './entries.ts';
import { type FairSharesResult, measureFairShares } from './fair-shares.ts';
import { Load } from './load.ts';
import { describeMachine, type Machine } from './machine.ts';
import type { BenchOptions } from './options.ts';
import { measurePastWrites, type PastWritesResult } from './past-writes.ts';
import { measurePrices, type PricesResult } from './prices.ts';
import { startRedis } from './redis.ts';
import { type CaseResult, type CaseSamples, summarize } from './results.ts';
import { runPhase } from './run-phase.ts';
import { issueTokens } from './subjects.ts';
import { measureSubscriptions, type SubscriptionsResult } from './subscriptions.ts';
import { measureWriters, type WriterResult } from './writers.ts';

export interface BenchReport {
  readonly machine: Machine;
  readonly size: BenchOptions['size'];
  readonly connections: number;
  readonly cases: readonly CaseResult[];
  readonly writers: readonly WriterResult[];
  readonly pastWrites: readonly PastWritesResult[];
  /** Null when it was not asked for. */
  readonly bulkLoad: BulkLoadResult | null;
  readonly memory: readonly MemoryResult[];
  readonly invalidation: readonly InvalidationResult[];
  /** Null when it was not asked for. */
  readonly fairShares: FairSharesResult | null;
  readonly subscriptions: readonly SubscriptionsResult[];
  /** Null when it was not asked for. */
  readonly prices: PricesResult | null;
}

/**
 * Runs the bench. Everything that it started has ended when it returns, also after a failure or
 * Ctrl-C.
 */
export function runBench(options: BenchOptions): Promise<BenchReport> {
  const progress = new Progress();
  return withCleanup(async (cleanup) => {
    cleanup.add(() => progress.close());
    const log = (line: string) => progress.log(line);
    const openData = async (name: string, size: DataSetSize) => {
      const database = await openBenchDatabase(name, { cleanup, log, fresh: options.fresh });
      const dataSet = await ensureDataSet(database.client, size, progress);
      await restoreDataSet(database.client, dataSet);
      cleanup.add(() => restoreDataSet(database.client, dataSet));
      return { database, dataSet, ...(await issueTokens(dataSet.tenants)) };
    };
    const phases = PHASES.map((phase) => part(phase, options)).filter(({ cases }) => cases.length > 0);
    const { size, connections, entries, sections } = options;
    const needsRedis =
      sections.has('past-writes') ||
      sections.has('subscriptions') ||
      phases.some(({ reference }) => reference === 'redis');
    const redisUrl = needsRedis ? (await startRedis(cleanup)).url : null;
    const usesRedis = redisUrl !== null || sections.has('memory') || sections.has('invalidation');
    const data = await openData(`tenantry_bench_${size.data}`, size);
    const { database, dataSet } = data;
    const machine = describeMachine(database.version, usesRedis);
    const common = { redisUrl, profileFolder: options.profileFolder, cleanup };
    const surroundings = { ...common, ...data };
    const load = new Load(cleanup);
    const samples: CaseSamples[] = [];
    for (const phase of phases) {
      const own = phase.dataSet && (await openData(phase.dataSet.database, phase.dataSet.size));
      const tools = { options, surroundings: { ...surroundings, ...own }, load, progress };
      samples.push(...(await runPhase(phase, tools)));
    }
    const cases = summarize(samples);
    const pastWrites = sections.has('past-writes') ? await measurePastWrites(surroundings, options, progress) : [];
    const writers = sections.has('writers') ? await measureWriters(database, dataSet, options, progress) : [];
    const bulkLoad = sections.has('bulk-load') ? await measureBulkLoad(database.client, cleanup, progress) : null;
    const memory = sections.has('memory') ? await measureMemory({ entries, cleanup, progress }) : [];
    const invalidation = sections.has('invalidation') ? await measureInvalidation({ entries, cleanup, progress }) : [];
    const fairShares = sections.has('fair-shares') ? await measureFairShares(surroundings, options, progress) : null;
    const prices = sections.has('prices') ? await measurePrices(surroundings, options, progress) : null;
    const subscriptions = sections.has('subscriptions') ? await measureSubscriptions(surroundings, progress) : [];
    const shares = { fairShares, prices, subscriptions };
    return { machine, size, connections, cases, writers, pastWrites, bulkLoad, memory, invalidation, ...shares };
  });
}

/** The cases of a phase that were asked for. */
function part({ cases, ...phase }: Phase, { sections }: BenchOptions): Phase {
  return { ...phase, cases: cases.filter(({ section }) => sections.has(section)) };
}
