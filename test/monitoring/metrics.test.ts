import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { insertTenant } from '../support/fixtures.ts';
import { startService, type TestService } from '../support/service.ts';

const SLUG = 'metered-tenant';

let service: TestService;
let tenantId: string;
let text: string;

beforeAll(async () => {
  service = await startService();
  tenantId = await insertTenant(service.databaseUrl, { slug: SLUG });
  await service.untilCaughtUp(); // the tenant's own row invalidates what was kept before
  const admin = await service.token(Role.ADMIN, SLUG);
  for (let call = 0; call < 3; call++) await service.send(admin, 'query Home { tenant { slug } }');
  await service.send(admin, 'query Broken { accounts(first: 0) { nodes { id } } }');
  await service.send(null, 'query NoToken { tenant { slug } }');
  const response = await fetch(`${service.url}/metrics`);
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  text = await response.text();
});
afterAll(() => service?.close());

/** The samples of one metric, as [labels, value]. */
function samples(name: string): [Record<string, string>, number][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .map((line) => {
      const labels = [...line.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, value]) => [label, value]);
      return [Object.fromEntries(labels), Number(line.slice(line.lastIndexOf(' ')))];
    });
}

function sum(name: string, labels: Record<string, string>): number {
  return samples(name)
    .filter(([found]) => Object.entries(labels).every(([label, value]) => found[label] === value))
    .reduce((total, [, value]) => total + value, 0);
}

describe('GET /metrics', () => {
  it('counts operations by name and by how they ended', () => {
    const count = 'tenantry_operation_duration_seconds_count';
    expect(sum(count, { operation: 'Home' })).toBe(3);
    expect(sum(count, { operation: 'Home', result: 'cache_hit' })).toBe(2);
    expect(sum(count, { operation: 'Broken', result: 'error' })).toBe(1);
  });

  it('gives requests without a token no name of their own', () => {
    expect(text).not.toContain('NoToken');
    expect(sum('tenantry_operation_duration_seconds_count', { operation: '(no caller)', result: 'error' })).toBe(1);
  });

  it('has histograms whose buckets ascend up to the count', () => {
    for (const name of ['tenantry_operation_duration_seconds', 'tenantry_sql_statement_duration_seconds']) {
      const buckets = samples(`${name}_bucket`);
      expect(buckets.length).toBeGreaterThan(0);
      for (const [{ le, ...labels }, value] of buckets) {
        expect(value).toBeLessThanOrEqual(sum(`${name}_count`, labels));
        if (le === '+Inf') expect(value).toBe(sum(`${name}_count`, labels));
        for (const [{ le: lower, ...others }, less] of buckets)
          if (Number(lower) < Number(le) && JSON.stringify(others) === JSON.stringify(labels))
            expect(less).toBeLessThanOrEqual(value);
      }
    }
  });

  it('counts SQL statements by what they read, and their rows', () => {
    expect(sum('tenantry_sql_statement_duration_seconds_count', { model: 'Tenant' })).toBeGreaterThan(0);
    expect(sum('tenantry_sql_rows_total', { model: 'Tenant' })).toBeGreaterThan(0);
    expect(sum('tenantry_sql_failures_total', {})).toBe(0);
  });

  it('counts what the cache did', () => {
    expect(sum('tenantry_cache_events_total', { result: 'hit', tier: 'memory' })).toBeGreaterThanOrEqual(2);
    expect(sum('tenantry_cache_events_total', { result: 'miss' })).toBeGreaterThan(0);
    expect(sum('tenantry_cache_misses_total', { reason: 'absent' })).toBe(
      sum('tenantry_cache_events_total', { result: 'miss' }),
    );
    expect(samples('tenantry_cache_bypasses_total').map(([{ reason }]) => reason)).toContain('untrusted');
    expect(samples('tenantry_cache_memory_bytes')).toHaveLength(1);
  });

  it('shows the connections, the event loop and the process', () => {
    expect(sum('tenantry_database_connections', {})).toBeGreaterThan(0);
    expect(samples('nodejs_eventloop_lag_p99_seconds')).toHaveLength(1);
    expect(samples('process_resident_memory_bytes')).toHaveLength(1);
  });

  it('names a tenant by its slug, and in the metrics of the ten largest alone', () => {
    expect(text).not.toContain(tenantId);
    const naming = text.split('\n').filter((line) => line.includes(SLUG));
    expect(naming).not.toEqual([]);
    for (const line of naming)
      expect(line).toMatch(/^tenantry_tenant_[a-z_]+_total\{tenant="metered-tenant"\} [\d.]+$/);
  });
});

it('a cache that is off is not untrusted', async () => {
  const off = await startService({ env: { CACHE: 'off' } });
  const shown = async ({ url }: TestService) =>
    (await (await fetch(`${url}/metrics`)).text()).includes('tenantry_cache_trusted ');
  expect([await shown(service), await shown(off)]).toEqual([true, false]);
  await off.close();
});
