import { AskedDashboards } from '../../src/dashboard/asked-dashboards.ts';
import { USUAL_PARTS } from '../../src/dashboard/dashboard.selection.ts';
import { TenantScope } from '../../src/tenancy/tenant-scope.ts';
import { WarmUp, type WarmUpOptions } from '../../src/warm-up/warm-up.ts';
import { WarmUpCounts } from '../../src/warm-up/warm-up-counts.ts';
import { type AccountFixture, insertAccounts, insertTenant } from '../support/fixtures.ts';
import { withKeptClient } from '../support/postgres.ts';
import type { TestService } from '../support/service.ts';

/** A service's warm-up whose rounds and clock the test has in hand; it begins with no tenants. */
export function warmUpOf(service: TestService, options: Partial<WarmUpOptions> = {}) {
  const { services, changeFeed } = service;
  const { config, dashboards, monitor, database } = services;
  const clock = { nowMs: 1_000_000 };
  const counts = new WarmUpCounts();
  const asked = new AskedDashboards(config.warmUp.tenants);
  const warmUp = new WarmUp({
    ...{ config, dashboards, asked, usage: monitor.usage, database, changeFeed, counts },
    recent: async () => [],
    isBusy: () => false,
    log: { debug() {} },
    now: () => clock.nowMs,
    ...options,
  });
  return {
    warmUp,
    asked,
    results: () => Object.fromEntries(counts.results),
    /** Somebody has asked for a tenant's usual dashboard. */
    ask: (tenantId: string) => asked.add(TenantScope.ofWarmUp(tenantId), USUAL_PARTS),
    /** A round after so much time. */
    async round(afterMs = 0): Promise<void> {
      clock.nowMs += afterMs;
      await warmUp.round();
    },
  };
}

/** @returns the tenant's id */
export async function makeTenant(url: string, slug: string): Promise<string> {
  const tenantId = await insertTenant(url, { slug });
  await insertAccounts(url, tenantId, [account('1')]);
  return tenantId;
}

/** Adds an account past the API. Resolves when the service knows. */
export async function writeTo(service: TestService, tenantId: string, accountNumber: string): Promise<void> {
  await insertAccounts(service.databaseUrl, tenantId, [account(accountNumber)]);
  await service.untilCaughtUp();
}

function account(accountNumber: string): AccountFixture {
  return { accountNumber, balance: '10' };
}

/** Whose dashboards were read, in this order, since the last call. */
export function dashboardsRead(service: TestService): string[] {
  return service.statements
    .splice(0)
    .filter(({ model }) => model === 'Dashboard')
    .map(({ tenantId }) => tenantId);
}

/** As if no tenant had ever been active. */
export async function forgetUsage(url: string): Promise<void> {
  await withKeptClient(url, (client) => client.query('DELETE FROM tenant_usage'));
}
