import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { DashboardReader } from '../../src/dashboard/dashboard.reader.ts';
import { DashboardRepository } from '../../src/dashboard/dashboard.repository.ts';
import { USUAL_PARTS } from '../../src/dashboard/dashboard.selection.ts';
import { noUsage } from '../../src/monitoring/usage-counts.ts';
import { TenantDatabase } from '../../src/tenancy/tenant-database.ts';
import { TenantScope } from '../../src/tenancy/tenant-scope.ts';
import { addUsage, recentTenants } from '../../src/usage/usage.repository.ts';
import { QUIET_MS, REST_MS } from '../../src/warm-up/followed-tenants.ts';
import { DashboardDocument, DashboardListsDocument } from '../generated/graphql.ts';
import { request } from '../support/client.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { startService, type TestService } from '../support/service.ts';
import { dashboardsRead, forgetUsage, makeTenant, warmUpOf, writeTo } from './warm-up-service.ts';

let database: TestDatabase;
let service: TestService;
let made = 0;
let slug: string;
let tenantId: string;

beforeAll(async () => {
  database = await createTestDatabase();
  service = await startService({ database });
});
beforeEach(async () => {
  slug = `warm-${++made}`;
  tenantId = await makeTenant(database.url, slug);
  await service.untilCaughtUp();
  service.statements.splice(0);
});
afterAll(async () => {
  await service.close();
  await database.drop();
});

async function totalAccounts(of = service): Promise<number> {
  const { dashboard } = await request(of, await of.token(Role.VIEWER, slug), DashboardDocument);
  return dashboard.overview.totalAccounts;
}

describe('after a write', () => {
  test('the dashboard is computed when nothing was written for a while, and the next client sends no statement', async () => {
    const { ask, round, results } = warmUpOf(service);
    ask(tenantId);
    await round();
    expect(dashboardsRead(service)).toEqual([tenantId]);
    await writeTo(service, tenantId, '2');
    await round(REST_MS);
    await round(QUIET_MS - 1);
    expect(dashboardsRead(service)).toEqual([]);
    await round(1);
    expect(dashboardsRead(service)).toEqual([tenantId]);
    expect(await totalAccounts()).toBe(2);
    expect(service.statements).toEqual([]);
    expect(results()).toEqual({ filled: 2, kept: 0, failed: 0, load: 0, untrusted: 0 });
  });

  test('it is not computed once more where a client was first', async () => {
    await totalAccounts();
    const { round, results } = warmUpOf(service, { asked: service.services.askedDashboards });
    await round();
    await writeTo(service, tenantId, '2');
    await round(REST_MS);
    await totalAccounts();
    dashboardsRead(service);
    await round(QUIET_MS);
    expect(dashboardsRead(service)).not.toContain(tenantId);
    expect(results().kept).toBeGreaterThan(0);
  });

  test('it is not computed while more is written, and afterwards not more often than it rests', async () => {
    const { ask, round } = warmUpOf(service);
    ask(tenantId);
    await round();
    dashboardsRead(service);
    for (let second = 0; second < 12; second++) {
      await writeTo(service, tenantId, `busy ${second}`);
      await round(QUIET_MS);
    }
    expect(dashboardsRead(service)).toEqual([]);
    await round(QUIET_MS);
    expect(dashboardsRead(service)).toEqual([tenantId]);
    await writeTo(service, tenantId, 'once more');
    for (let ms = QUIET_MS; ms < REST_MS; ms += QUIET_MS) await round(QUIET_MS);
    expect(dashboardsRead(service)).toEqual([]);
    await round(QUIET_MS);
    expect(dashboardsRead(service)).toEqual([tenantId]);
  });

  describe('what was read before one and is stored after it is shown to nobody', () => {
    function writtenMeanwhile(): DashboardReader {
      const { database, data, tenantCache, config } = service.services;
      class WrittenMeanwhile extends DashboardRepository {
        override async parts(...read: Parameters<DashboardRepository['parts']>) {
          const row = await super.parts(...read);
          await writeTo(service, tenantId, 'meanwhile');
          return row;
        }
      }
      return new DashboardReader(new WrittenMeanwhile(database), data, tenantCache, config.cache.ttlSeconds);
    }

    test('by the warm-up', async () => {
      const { ask, round, results } = warmUpOf(service, { dashboards: writtenMeanwhile() });
      ask(tenantId);
      await round();
      expect(results()).toMatchObject({ filled: 1 });
      expect(await totalAccounts()).toBe(2);
    });

    test('for no request at all, as by a command', async () => {
      const asked = { date: null, parts: USUAL_PARTS, maxStalenessMs: 0, onRead() {} };
      const { value } = await writtenMeanwhile().read(TenantScope.ofOperatorCommand(tenantId), asked);
      expect(value.topAccounts).toHaveLength(1);
      expect(await totalAccounts()).toBe(2);
    });
  });
});

describe('what is computed', () => {
  test('is all that clients have asked for, longer lists and more days included', async () => {
    const token = await service.token(Role.VIEWER, slug);
    const read = async () => {
      await request(service, token, DashboardDocument, { days: 90 });
      await request(service, token, DashboardListsDocument);
    };
    await read();
    const { round } = warmUpOf(service, { asked: service.services.askedDashboards });
    await round();
    await writeTo(service, tenantId, '2');
    await round(REST_MS);
    await round(QUIET_MS);
    expect(dashboardsRead(service)).toContain(tenantId);
    await read();
    expect(dashboardsRead(service)).toEqual([]);
  });

  test('costs the tenant nothing and counts as no lookup of a client', async () => {
    const { monitor } = service.services;
    const figures = () => {
      const [own] = monitor.usage.totals().filter(([id]) => id === tenantId);
      const { hits, misses, joined } = monitor.caches.entry('data:dashboard');
      const statements = monitor.queries.entry('Dashboard.parts').durations.count;
      return structuredClone([own, hits, misses, joined, monitor.operationsOf(tenantId).length, statements]);
    };
    const before = figures();
    const { ask, round } = warmUpOf(service);
    ask(tenantId);
    await round();
    expect(dashboardsRead(service)).toEqual([tenantId]);
    expect(figures()).toEqual(before);
  });
});

test('it waits for a connection as the service does, and no tenant counts as active', async () => {
  const own = new TenantDatabase({ url: database.url, poolSize: 1, statementTimeoutMs: 10_000, takeServiceRole: true });
  const { data, tenantCache, config } = service.services;
  const dashboards = new DashboardReader(new DashboardRepository(own), data, tenantCache, config.cache.ttlSeconds);
  const { ask, round, results } = warmUpOf(service, { database: own, dashboards });
  ask(tenantId);
  let running = Promise.resolve();
  const tenants = await own.withConnection(async () => {
    running = round();
    await expect.poll(() => own.queue.length).toBe(1);
    return own.queue.tenants;
  });
  await running;
  await own.close();
  expect(tenants).toBe(0);
  expect(results()).toMatchObject({ filled: 1 });
});

describe('of several tenants', () => {
  test('each has its turn before one has it again, those that were active last first', async () => {
    const [second, third] = [await makeTenant(database.url, `${slug}-b`), await makeTenant(database.url, `${slug}-c`)];
    await service.untilCaughtUp();
    let places = 1;
    const { ask, round, results } = warmUpOf(service, { isBusy: () => places-- === 0 });
    for (const id of [third, second, tenantId]) ask(id);
    await round();
    expect(dashboardsRead(service)).toEqual([tenantId]);
    await writeTo(service, tenantId, '2');
    places = 0;
    await round();
    expect(dashboardsRead(service)).toEqual([]);
    places = 5;
    await round(REST_MS);
    expect(dashboardsRead(service)).toEqual([second, third, tenantId]);
    expect(results()).toMatchObject({ filled: 4, load: 2 });
  });

  test('those are let go that have asked for nothing for long', async () => {
    const { ask, round } = warmUpOf(service);
    ask(tenantId);
    await round();
    const minute = 60_000;
    await round(14 * minute);
    await totalAccounts();
    await round();
    await round(14 * minute);
    await writeTo(service, tenantId, '2');
    await round();
    await round(QUIET_MS);
    expect(dashboardsRead(service)).toEqual([tenantId, tenantId]);
    await round(16 * minute);
    await writeTo(service, tenantId, '3');
    await round();
    await round(QUIET_MS);
    expect(dashboardsRead(service)).toEqual([]);
  });

  test('one that is deleted keeps none of the others from theirs', async () => {
    const { ask, round, results } = warmUpOf(service);
    ask('00000000-0000-7000-8000-000000000001');
    ask(tenantId);
    await round();
    expect(dashboardsRead(service)).toContain(tenantId);
    expect(results()).toMatchObject({ filled: 1, failed: 1 });
  });
});

describe('nothing is computed', () => {
  test('while others wait', async () => {
    let isBusy = true;
    const { ask, round, results } = warmUpOf(service, { isBusy: () => isBusy });
    ask(tenantId);
    await round();
    expect(dashboardsRead(service)).toEqual([]);
    isBusy = false;
    await round();
    expect(dashboardsRead(service)).toEqual([tenantId]);
    expect(results()).toMatchObject({ filled: 1, load: 1 });
  });

  test('while the cache is not trusted', async () => {
    const { trust, versions } = service.changeFeed;
    const { ask, round, results } = warmUpOf(service, {
      changeFeed: { versions, trust: Object.create(trust, { isValid: { value: false } }) },
    });
    ask(tenantId);
    await round();
    expect(dashboardsRead(service)).toEqual([]);
    expect(results()).toMatchObject({ filled: 0, untrusted: 1 });
  });

  test('once the service drains', async () => {
    const { warmUp, ask, round, results } = warmUpOf(service);
    ask(tenantId);
    warmUp.stop();
    await round();
    expect(dashboardsRead(service)).toEqual([]);
    expect(results()).toMatchObject({ filled: 0, failed: 0 });
  });
});

test('those that were active last are known over a restart, by the five minutes in which they were', async () => {
  await forgetUsage(database.url);
  const other = await makeTenant(database.url, `${slug}-b`);
  const old = await makeTenant(database.url, `${slug}-c`);
  const minutesAgo = (minutes: number, id: string, requests = 1) => ({
    tenantId: id,
    bucketMs: Date.now() - minutes * 60_000,
    figures: { ...noUsage(), requests },
  });
  const { database: own } = service.services;
  await own.withConnection((connection) =>
    addUsage(connection, [minutesAgo(0, tenantId), minutesAgo(7, other, 9), minutesAgo(40, old)]),
  );
  const known = (await recentTenants(own, 15, 10)).filter((id) => [tenantId, other, old].includes(id));
  expect(known).toEqual([tenantId, other]);
  expect(await recentTenants(own, 15, 0)).toEqual([]);
});

test('after a restart the next dashboard costs no statement', async () => {
  expect(await totalAccounts()).toBe(1);
  await service.close();
  service = await startService({ database, env: { WARM_UP: 'on' } });
  const filled = async () => {
    const text = await (await fetch(`${service.url}/metrics`)).text();
    return Number(/^tenantry_warm_ups_total\{result="filled"\} (\d+)$/m.exec(text)?.[1]);
  };
  const read: string[] = [];
  const isFilled = async () => {
    read.push(...dashboardsRead(service));
    return read.includes(tenantId) && (await filled()) === read.length;
  };
  await expect.poll(isFilled, { timeout: 30_000 }).toBe(true);
  service.statements.splice(0);
  expect(await totalAccounts()).toBe(1);
  expect(service.statements).toEqual([]);
}, 60_000);
