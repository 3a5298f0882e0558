import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

import type { Progress } from '../../../src/cli/progress.ts';
import { type ArrivalsJob, type ArrivalsResult, Wire } from './arrivals.ts';
import { startProcess } from './child-process.ts';
import type { Cleanup } from './cleanup.ts';
import { DASHBOARD, graphqlRequest } from './operations.ts';
import type { BenchOptions } from './options.ts';
import { percentile } from './percentile.ts';
import { type Server, startService } from './servers.ts';
import type { KnownTenant, Surroundings } from './subjects.ts';

/** What floods, and as many connections as a page with many widgets for many users opens. */
const FLOOD_REQUESTS = 2_000;
const FLOOD_CONNECTIONS = 64;
/** As many as one document may have. */
const ALIASES = 30;
/** The neighbour's dashboards. */
const PER_SECOND = 10;
/** So many connections that none has to be waited for at twice the capacity. */
const OVERLOAD_CONNECTIONS = 512;
const DAY_MS = 24 * 3600 * 1000;

/** A neighbour's cold dashboards. */
export interface NeighbourResult {
  readonly beside: 'nobody' | 'a flood of the dearest queries' | 'a flood from the cache';
  readonly dashboards: number;
  readonly errors: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of the 99th percentiles, to the same service beside nobody. */
  readonly ratio: number;
  /** What became of the flood; null where there was none. */
  readonly flood: ArrivalsResult | null;
  /** Whether readiness said 200 each time. */
  readonly wasReady: boolean;
}

/** A service that is asked for twice of what it can. */
export interface OverloadResult {
  readonly what: 'dearest queries' | 'dashboards';
  /** Answers a second when asked as fast as it answers. */
  readonly capacityPerSecond: number;
  /** Good answers a second at twice that. */
  readonly keptPerSecond: number;
  readonly keptRatio: number;
  readonly overload: ArrivalsResult;
  /** From the end until a dashboard took no longer than three times what it takes beside nobody. */
  readonly recoveryMs: number;
}

export interface FairSharesResult {
  readonly neighbours: readonly NeighbourResult[];
  readonly overloads: readonly OverloadResult[];
}

/**
 * What one tenant that floods the service costs another, and what becomes of the service at twice
 * its capacity.
 */
export async function measureFairShares(
  surroundings: Surroundings,
  options: BenchOptions,
  progress: Progress,
): Promise<FairSharesResult> {
  const flood = new FloodProcess(surroundings.cleanup);
  const cold = await FairShares.start({ CACHE: 'off' }, { surroundings, options, progress, flood });
  const aloneCold = await cold.neighbour('nobody');
  await cold.warmUp(cold.dearest(ALIASES));
  const dearest = await cold.neighbour('a flood of the dearest queries', cold.dearest(ALIASES), aloneCold.p99Ms);
  const overloads = [
    await cold.overload('dearest queries', cold.dearest(2), aloneCold.p99Ms),
    await cold.overload('dashboards', cold.dashboards(), aloneCold.p99Ms),
  ];
  await cold.stop();
  const kept = await FairShares.start({}, { surroundings, options, progress, flood });
  const aloneKept = await kept.neighbour('nobody');
  const hot = await kept.neighbour('a flood from the cache', kept.dearest(1), aloneKept.p99Ms);
  await kept.stop();
  await flood.stop();
  return { neighbours: [aloneCold, dearest, aloneKept, hot], overloads };
}

interface Tools {
  readonly surroundings: Surroundings;
  readonly options: BenchOptions;
  readonly progress: Progress;
  readonly flood: FloodProcess;
}

class FairShares {
  readonly #largest: KnownTenant;
  readonly #neighbour: KnownTenant;
  /** So that no dashboard is asked for twice. */
  #day = 0;

  private constructor(
    private readonly server: Server,
    private readonly tools: Tools,
  ) {
    const { tenants } = tools.surroundings;
    this.#largest = tenants[0] as KnownTenant;
    this.#neighbour = tenants[Math.floor(tenants.length / 2)] as KnownTenant;
  }

  static async start(env: Record<string, string>, tools: Tools): Promise<FairShares> {
    const { database, secret, profileFolder, cleanup } = tools.surroundings;
    const all = { DATABASE_URL: database.serviceUrl, AUTH_SECRET: secret, ...env };
    const shares = new FairShares(await startService(all, profileFolder, cleanup), tools);
    await shares.warmUp(shares.dashboards());
    return shares;
  }

  /** Also of what is refused: the first time, its code is not compiled yet. */
  async warmUp(requests: readonly Buffer[]): Promise<void> {
    const { progress, options, flood } = this.tools;
    progress.update(() => 'warming up: fair shares');
    const { connections, warmUpSeconds } = options;
    const job = { connections, perSecond: null, count: null, durationMs: warmUpSeconds * 1_000, requests };
    await flood.run({ ...job, port: this.server.port });
  }

  stop(): Promise<void> {
    return this.server.stop();
  }

  /** Counts that nothing is kept for, of the tenant with the most transactions. */
  dearest(aliases: number): Buffer[] {
    const fields = Array.from(
      { length: aliases },
      (_, index) => `a${index}: transactions(first: 1, filter: { minAmount: "${index + 1}" }) { totalCount }`,
    );
    return [graphqlRequest(this.server.port, this.#largest.token, `query Dearest { ${fields.join(' ')} }`)];
  }

  /** Of all tenants in turn. */
  dashboards(): Buffer[] {
    return this.tools.surroundings.tenants.map((tenant) => this.#dashboard(tenant));
  }

  async neighbour(
    beside: NeighbourResult['beside'],
    requests?: readonly Buffer[],
    aloneP99Ms?: number,
  ): Promise<NeighbourResult> {
    const { flood, options, progress } = this.tools;
    progress.update(() => `a neighbour's dashboards beside ${beside}`);
    const { port } = this.server;
    const durationMs = 4 * options.secondsPerCase * 1_000;
    const job = { port, connections: FLOOD_CONNECTIONS, perSecond: null, durationMs: 10 * durationMs };
    const count = beside === 'a flood from the cache' ? null : FLOOD_REQUESTS;
    const flooding = requests && flood.run({ ...job, requests, count });
    if (flooding) await delay(1_000); // it fills the queue
    const found = await this.#ask(durationMs);
    flood.end();
    const { latenciesMs } = found;
    const p99Ms = percentile(latenciesMs, 0.99);
    return {
      beside,
      dashboards: latenciesMs.length,
      errors: found.errors,
      p50Ms: percentile(latenciesMs, 0.5),
      p99Ms,
      ratio: p99Ms / (aloneP99Ms ?? p99Ms),
      flood: (await flooding) ?? null,
      wasReady: found.wasReady,
    };
  }

  async overload(
    what: OverloadResult['what'],
    requests: readonly Buffer[],
    aloneP99Ms: number,
  ): Promise<OverloadResult> {
    const { flood, options, progress } = this.tools;
    const { port } = this.server;
    const durationMs = 2 * options.secondsPerCase * 1_000;
    progress.update(() => `capacity for ${what}`);
    const common = { port, requests, count: null, durationMs };
    const full = await flood.run({ ...common, connections: options.connections, perSecond: null });
    const capacityPerSecond = perSecond(full);
    progress.update(() => `twice the capacity for ${what}`);
    const twice = { connections: OVERLOAD_CONNECTIONS, perSecond: 2 * capacityPerSecond };
    const overload = await flood.run({ ...common, ...twice });
    const recoveryMs = await this.#recovery(3 * aloneP99Ms);
    const keptPerSecond = perSecond(overload);
    return {
      what,
      capacityPerSecond,
      keptPerSecond,
      keptRatio: keptPerSecond / capacityPerSecond,
      overload,
      recoveryMs,
    };
  }

  /**
   * Ten times a second, whether the last one was answered or not; latencies count from when each
   * was due.
   */
  async #ask(durationMs: number) {
    const latencies: number[] = [];
    let errors = 0;
    let wasReady = true;
    const startedAt = performance.now();
    const asked: Promise<unknown>[] = [];
    for (let index = 0; index < (durationMs / 1_000) * PER_SECOND; index++) {
      const dueMs = startedAt + (index * 1_000) / PER_SECOND;
      await delay(Math.max(0, dueMs - performance.now()));
      asked.push(
        this.#askOnce().then((isGood) => {
          latencies.push(performance.now() - dueMs);
          if (!isGood) errors++;
        }),
      );
      if (index % PER_SECOND === 0)
        asked.push(
          fetch(`http://127.0.0.1:${this.server.port}/health/ready`).then(({ ok }) => {
            wasReady &&= ok;
          }),
        );
    }
    await Promise.all(asked);
    return { latenciesMs: Float64Array.from(latencies).sort(), errors, wasReady };
  }

  async #recovery(enoughMs: number): Promise<number> {
    const startedAt = performance.now();
    for (;;) {
      const askedAt = performance.now();
      if ((await this.#askOnce()) && performance.now() - askedAt <= enoughMs) return performance.now() - startedAt;
    }
  }

  /** On a connection of its own, as a person who comes. */
  async #askOnce(): Promise<boolean> {
    const wire = new Wire(this.server.port);
    await wire.opened;
    const isGood = await new Promise<boolean>((resolve) => {
      const isData = (body: Buffer) => body.toString('latin1', 0, 7) === '{"data"';
      wire.send(this.#dashboard(this.#neighbour), (status, _, body) => resolve(status === 200 && isData(body)));
    });
    wire.close();
    return isGood;
  }

  /** Of another day each time: nothing is kept of it. */
  #dashboard({ token }: KnownTenant): Buffer {
    const last = Date.parse(this.tools.surroundings.dataSet.lastDay);
    const date = new Date(last - (this.#day++ % 700) * DAY_MS).toISOString().slice(0, 10);
    return graphqlRequest(this.server.port, token, DASHBOARD, { date });
  }
}

function perSecond({ statuses, durationMs }: ArrivalsResult): number {
  return (statuses[200] ?? 0) / (durationMs / 1_000);
}

type Answer = { readonly result: ArrivalsResult } | { readonly error: string };

/** What floods, in a process of its own. One job at a time. */
class FloodProcess {
  readonly #process;

  constructor(cleanup: Cleanup) {
    const program = path.join(import.meta.dirname, 'arrivals-process.js');
    this.#process = startProcess(process.execPath, [program], cleanup, {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
  }

  run(job: ArrivalsJob): Promise<ArrivalsResult> {
    const { child, output } = this.#process;
    return new Promise((resolve, reject) => {
      const onExit = () => reject(new Error(`what floods the service ended: ${output()}`));
      child.once('exit', onExit);
      child.once('message', (answer: Answer) => {
        child.off('exit', onExit);
        if ('result' in answer) resolve(answer.result);
        else reject(new Error(answer.error));
      });
      child.send(job);
    });
  }

  /** Ends the job under way. */
  end(): void {
    this.#process.child.send('stop');
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }
}
