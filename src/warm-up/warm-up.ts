import { performance } from 'node:perf_hooks';
import type { ChangeFeed } from '../cache/change-feed/change-feed.ts';
import { versionsOf } from '../cache/versions/versions.ts';
import type { Config } from '../config/config.ts';
import type { AskedDashboards } from '../dashboard/asked-dashboards.ts';
import { DASHBOARD_DEPENDENCIES, type DashboardReader } from '../dashboard/dashboard.reader.ts';
import { USUAL_PARTS } from '../dashboard/dashboard.selection.ts';
import { ErrorCode } from '../errors.ts';
import { errorCodeOf } from '../graphql/format-error.ts';
import { RequestTiming } from '../monitoring/request-timing.ts';
import type { UsageCounts } from '../monitoring/usage-counts.ts';
import { THE_SERVICE } from '../tenancy/lanes.ts';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';
import { TenantScope } from '../tenancy/tenant-scope.ts';
import { FollowedTenant, inTurns } from './followed-tenants.ts';
import type { WarmUpCounts } from './warm-up-counts.ts';

/** By which its statements are found among the slow ones. */
const OPERATION = '(warm-up)';

export interface WarmUpOptions {
  readonly config: Pick<Config, 'warmUp' | 'cache'>;
  /** Ids of the tenants that were active before the process began, those that were last first. */
  readonly recent: () => Promise<readonly string[]>;
  readonly dashboards: DashboardReader;
  readonly asked: AskedDashboards;
  readonly usage: Pick<UsageCounts, 'requestsOf'>;
  readonly database: TenantDatabase;
  readonly changeFeed: Pick<ChangeFeed, 'trust' | 'versions'>;
  readonly counts: WarmUpCounts;
  /** Whether others wait: then nothing is computed. */
  readonly isBusy: () => boolean;
  readonly log: { debug(details: object, message: string): void };
  /** In milliseconds; `performance.now` when absent. */
  readonly now?: () => number;
}

/**
 * Has today's dashboards of tenants that were active lately computed before somebody asks: after a
 * start, after a write, and when their time is over. A dashboard is read as for a request, so that
 * the versions, the one load of all processes, and what is kept are the same. One at a time, at
 * nobody's cost, and none while others wait.
 */
export class WarmUp {
  readonly #followed = new Map<string, FollowedTenant>();
  readonly #stopping = new AbortController();
  #hasBegun = false;

  constructor(private readonly options: WarmUpOptions) {}

  /**
   * Looks at each tenant once, and computes what is due.
   * @throws when the versions cannot be read, or the tenants that were active before the start
   */
  async round(): Promise<void> {
    const { trust } = this.options.changeFeed;
    if (!trust.isValid) return this.options.counts.add('untrusted');
    if (!this.#hasBegun) await this.#begin();
    this.#follow();
    for (const tenant of inTurns(await this.#due())) {
      if (this.#stopping.signal.aborted) return;
      if (!trust.isValid) return this.options.counts.add('untrusted');
      if (this.options.isBusy()) return this.#giveWay();
      await this.#fill(tenant);
      // Of one that was active before the start nobody knows whether it asks for dashboards.
      if (!this.options.asked.partsOf(tenant.tenantId)) this.#followed.delete(tenant.tenantId);
    }
  }

  /** Breaks off what is under way; nothing is computed any more. */
  stop(): void {
    this.#stopping.abort();
  }

  #now(): number {
    return this.options.now?.() ?? performance.now();
  }

  /** Those that were active when this process, or the one before it, was not there yet. */
  async #begin(): Promise<void> {
    const recent = await this.options.recent();
    // Of two that are equally recent the earlier in the list comes first.
    for (const [place, tenantId] of recent.entries()) this.#add(tenantId, this.#now() - place / recent.length);
    this.#hasBegun = true;
  }

  #add(tenantId: string, activeMs: number): void {
    const requests = this.options.usage.requestsOf(tenantId);
    this.#followed.set(tenantId, new FollowedTenant(tenantId, requests, activeMs));
  }

  /** Takes up those that ask for dashboards, and lets go of those that ask for nothing. */
  #follow(): void {
    const { asked, usage, config } = this.options;
    const nowMs = this.#now();
    for (const tenantId of asked.tenants()) if (!this.#followed.has(tenantId)) this.#add(tenantId, nowMs);
    for (const tenant of this.#followed.values()) {
      tenant.noteRequests(usage.requestsOf(tenant.tenantId), nowMs);
      if (nowMs - tenant.activeMs > config.warmUp.minutes * 60_000) this.#forget(tenant);
    }
    const { tenants } = config.warmUp;
    if (this.#followed.size <= tenants) return;
    const byActivity = [...this.#followed.values()].sort((a, b) => b.activeMs - a.activeMs);
    for (const tenant of byActivity.slice(tenants)) this.#forget(tenant);
  }

  #forget({ tenantId }: FollowedTenant): void {
    this.#followed.delete(tenantId);
    this.options.asked.forget(tenantId);
  }

  async #due(): Promise<FollowedTenant[]> {
    const { versions } = this.options.changeFeed;
    const due: FollowedTenant[] = [];
    for (const tenant of this.#followed.values()) {
      const now = await versions.read(TenantScope.ofWarmUp(tenant.tenantId));
      if (tenant.isDue(versionsOf(now, DASHBOARD_DEPENDENCIES), this.#now())) due.push(tenant);
    }
    return due;
  }

  #giveWay(): void {
    this.options.counts.add('load');
    this.options.log.debug({}, 'the warm-up gives way to requests that wait');
  }

  async #fill(tenant: FollowedTenant): Promise<void> {
    const { tenantId } = tenant;
    const { counts, log } = this.options;
    const timing = new RequestTiming();
    timing.isOwn = true;
    timing.request = { operationName: OPERATION };
    tenant.tried(this.#now());
    try {
      const { isLoaded, endsAtMs } = await this.#read(TenantScope.ofWarmUp(tenantId).forRequest(timing), tenant);
      tenant.filledUntil(endsAtMs);
      counts.add(isLoaded ? 'filled' : 'kept');
      if (!isLoaded) return;
      counts.durations.record(timing.elapsedMs());
      log.debug({ tenantId, durationMs: timing.elapsedMs() }, "a tenant's dashboard was computed ahead");
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      if (errorCodeOf(error) === ErrorCode.Unauthenticated) this.#forget(tenant); // it was deleted
      counts.add('failed');
      log.debug({ tenantId, reason: (error as Error).message }, "a tenant's dashboard was not computed ahead");
    }
  }

  async #read(scope: TenantScope, { tenantId }: FollowedTenant): Promise<{ isLoaded: boolean; endsAtMs: number }> {
    const { database, dashboards, asked, config } = this.options;
    const { signal } = this.#stopping;
    const timing = scope.request as RequestTiming;
    const parts = asked.partsOf(tenantId) ?? USUAL_PARTS;
    let isLoaded = false;
    const onRead = () => {
      isLoaded = true;
    };
    database.putInBackground(timing);
    const abandon = () => database.abandon(timing);
    signal.addEventListener('abort', abandon);
    try {
      const read = () => dashboards.read(scope, { date: null, parts, maxStalenessMs: 0, onRead });
      const { createdAtMs, endsAtMs } = await database.admit(THE_SERVICE, read, signal);
      return { isLoaded, endsAtMs: Math.min(endsAtMs, createdAtMs + config.cache.ttlSeconds.dashboard * 1_000) };
    } finally {
      signal.removeEventListener('abort', abandon);
    }
  }
}
