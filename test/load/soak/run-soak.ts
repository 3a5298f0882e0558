import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';

import { formatCount, formatRate } from '../../../src/cli/format.ts';
import type { Progress } from '../../../src/cli/progress.ts';
import { type Cleanup, withCleanup } from '../bench/cleanup.ts';
import { openBenchDatabase } from '../bench/database.ts';
import { describeMachine, type Machine } from '../bench/machine.ts';
import { startRedis } from '../bench/redis.ts';
import { type Server, startService } from '../bench/servers.ts';
import { issueTokens } from '../bench/subjects.ts';
import { breakUntilOver, type Victim } from './faults.ts';
import type { SoakOptions } from './options.ts';
import { writeUntilOver } from './past-writer.ts';
import { createSoakTenants } from './soak-tenants.ts';
import { type Finding, SoakTraffic } from './soak-traffic.ts';

const PROGRESS_MS = 1_000;

/** What a soak found. */
export interface SoakReport {
  readonly machine: Machine;
  readonly processes: number;
  readonly tenants: number;
  readonly seconds: number;
  readonly reads: number;
  readonly writes: number;
  /** By plain SQL. */
  readonly writesPast: number;
  /** Share of the reads answered from the cache. */
  readonly hitRate: number;
  /** Reads that began within 10 ms of an acknowledged write of their tenant. */
  readonly soonAfterWrite: number;
  readonly faults: number;
  readonly brokenConnections: number;
  /** Reads older than promised. */
  readonly stale: number;
  /** Answers with another tenant's data. */
  readonly foreign: number;
  /** The first of them. */
  readonly findings: readonly Finding[];
}

/**
 * Starts everything, lets the traffic run, and ends everything. @param server where the database is
 * made; absent: as the bench does
 */
export function runSoak(options: SoakOptions, progress: Progress, server?: string): Promise<SoakReport> {
  return withCleanup(async (cleanup) => {
    cleanup.add(() => progress.close());
    const log = (line: string) => progress.log(line);
    const place = { cleanup, log, temporary: true, ...(server !== undefined && { server }) };
    const database = await openBenchDatabase(`tenantry_soak_${randomBytes(4).toString('hex')}`, place);
    const { secret, tenants } = await issueTokens(await createSoakTenants(database.client, options.tenants));
    const victims: Victim[] = [];
    const redisUrl = options.withoutRedis ? undefined : await addRedis(victims, cleanup);
    const env = { DATABASE_URL: database.serviceUrl, AUTH_SECRET: secret, LOG_LEVEL: 'fatal' };
    log(`starting ${options.processes} process(es) of the service`);
    const servers = await addServices(options.processes, { ...env, REDIS_URL: redisUrl ?? '' }, victims, cleanup);
    const machine = describeMachine(database.version, redisUrl !== undefined);
    const startedMs = performance.now();
    const { reads, connections } = options;
    const untilMs = startedMs + options.seconds * 1000;
    const traffic = new SoakTraffic({ tenants, servers, connections, reads, untilMs, mayBreak: options.faults });
    const watch = setInterval(() => progress.update(() => stateOf(traffic, startedMs)), PROGRESS_MS);
    cleanup.add(() => clearInterval(watch));
    const over = new AbortController();
    const [writesPast, faults] = await Promise.all([
      writeUntilOver(database.client, tenants, traffic),
      options.faults ? breakUntilOver(victims, over.signal, log) : 0,
      traffic.run().finally(() => over.abort()),
    ]);
    const { hits, ...counts } = traffic.counts;
    return {
      machine,
      processes: options.processes,
      tenants: options.tenants,
      seconds: (performance.now() - startedMs) / 1000,
      ...counts,
      writesPast,
      hitRate: hits / counts.reads,
      faults,
      findings: traffic.findings,
    };
  });
}

async function addRedis(victims: Victim[], cleanup: Cleanup): Promise<string> {
  let redis = await startRedis(cleanup);
  const { port, url } = redis;
  const restart = async () => {
    redis = await startRedis(cleanup, { port });
  };
  victims.push({ name: 'Redis', process: () => redis, restart });
  return url;
}

/** @returns the processes; one that is started again takes its place in the list */
async function addServices(
  count: number,
  env: Readonly<Record<string, string>>,
  victims: Victim[],
  cleanup: Cleanup,
): Promise<Server[]> {
  const start = () => startService(env, undefined, cleanup);
  const servers = await Promise.all(Array.from({ length: count }, start));
  for (const index of servers.keys()) {
    const restart = async () => {
      servers[index] = await start();
    };
    victims.push({ name: `process ${index}`, process: () => servers[index] as Server, restart });
  }
  return servers;
}

function stateOf({ counts }: SoakTraffic, startedMs: number): string {
  const rate = formatRate(counts.reads, performance.now() - startedMs, 'reads');
  const { reads, writes, stale, foreign } = counts;
  return `${formatCount(reads)} reads, ${rate}; ${formatCount(writes)} writes; ${stale} stale, ${foreign} foreign`;
}
