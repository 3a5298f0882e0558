import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tenantMetrics } from '../../src/app/tenant-metrics.ts';
import { addUp, dearest, type TenantTotals, TOP_TENANTS, tenantTotals } from '../../src/app/tenant-totals.ts';
import { BUCKET_MS, MAX_TENANT_TOTALS, UsageCounts } from '../../src/monitoring/usage-counts.ts';

const total = (points: number) => ({
  requests: 1,
  hits: 0,
  points,
  databaseMs: 0.5,
  rows: 2,
  bytesKept: 3,
  errors: 4,
});

describe('the metrics of tenants', () => {
  const labels = async (tenants: TenantTotals, slugs: Readonly<Record<string, string>>) => {
    const text = await tenantMetrics(tenants, async (tenantId) => slugs[tenantId]);
    return [...text.matchAll(/^tenantry_tenant_points_total\{tenant="(.*)"\} (\d+)$/gm)].map(([, ...found]) => found);
  };

  test('have the slug as their label, and of tenants whose slug is not known the id', async () => {
    const tenants = ['a', 'b', 'c', 'd'].map((tenantId, index) => [tenantId, total(9 - index)] as const);
    expect(await labels(tenants, { b: 'acme', d: 'rival' })).toEqual([
      ['#a', '9'],
      ['acme', '8'],
      ['#c', '7'],
      ['rival', '6'],
    ]);
  });

  test('share no label, though a slug was given on to another tenant a moment ago, or is another’s id', async () => {
    const tenants = ['a', 'b', 'c'].map((tenantId) => [tenantId, total(1)] as const);
    expect(await labels(tenants, { a: 'c', b: 'c' })).toEqual([
      ['c', '1'],
      ['#b', '1'],
      ['#c', '1'],
    ]);
  });

  test('show each figure', async () => {
    const text = await tenantMetrics([['a', total(7)]], async () => 'acme');
    const figures = [...text.matchAll(/^tenantry_tenant_(\w+)_total\{tenant="acme"\} (\S+)$/gm)];
    expect(Object.fromEntries(figures.map(([, figure, value]) => [figure, Number(value)]))).toEqual({
      requests: 1,
      hits: 0,
      points: 7,
      database_seconds: 0.0005,
      rows: 2,
      kept_bytes: 3,
      errors: 4,
    });
  });
});

test('the totals of however many processes are those of one that did all of it', () => {
  const size = fc.nat(50);
  const event = fc.record({
    process: fc.nat(3),
    tenant: fc.nat(25).map((n) => `tenant-${n}`),
    kind: fc.constantFrom('request', 'statement', 'kept', 'error', 'written', 'passed'),
    size,
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 200 }), (events) => {
      let nowMs = 0;
      const count = () => new UsageCounts(() => nowMs);
      const alone = count();
      const processes = Array.from({ length: 4 }, count);
      for (const { process, tenant, kind, size } of events)
        for (const counts of [alone, processes[process] as UsageCounts]) {
          if (kind === 'request') counts.request(tenant, size % 2 === 0, size);
          if (kind === 'statement') counts.statement(tenant, size, size);
          if (kind === 'kept') counts.kept(tenant, size);
          if (kind === 'error') counts.error(tenant, `CODE_${size % 3}`);
          if (kind === 'written') counts.take(); // a writer comes at any time
          if (kind === 'passed') nowMs += (size - 10) * 60_000; // the clock may be set back
        }
      const shown = (all: UsageCounts[]) => dearest(addUp(all.map(tenantTotals)), TOP_TENANTS);
      expect(shown(processes)).toEqual(shown([alone]));
      expect(addUp(processes.map(tenantTotals))).toHaveLength(tenantTotals(alone).length);
      expect(shown(processes)).toEqual(shown(processes)); // reading changes nothing
    }),
  );
});

test('what is counted is taken once, in the bucket of when it was, each tenant once in it', () => {
  const event = fc.record({
    tenant: fc.nat(3).map((n) => `tenant-${n}`),
    points: fc.nat(9),
    atMs: fc.nat(30 * 60_000),
  });
  fc.assert(
    fc.property(fc.array(fc.oneof(event, fc.constant('taken' as const)), { maxLength: 60 }), (steps) => {
      let nowMs = 0;
      const counts = new UsageCounts(() => nowMs);
      const wanted = new Map<string, number>();
      const found = new Map<string, number>();
      const add = (to: Map<string, number>, bucketMs: number, tenantId: string, points: number) =>
        to.set(`${bucketMs} ${tenantId}`, (to.get(`${bucketMs} ${tenantId}`) ?? 0) + points);
      for (const step of [...steps, 'taken' as const])
        if (step === 'taken') {
          const taken = counts.take();
          expect(new Set(taken.map(({ bucketMs, tenantId }) => `${bucketMs} ${tenantId}`)).size).toBe(taken.length);
          for (const { bucketMs, tenantId, figures } of taken) add(found, bucketMs, tenantId, figures.points);
        } else {
          nowMs = step.atMs;
          counts.request(step.tenant, false, step.points);
          add(wanted, Math.floor(nowMs / BUCKET_MS) * BUCKET_MS, step.tenant, step.points);
        }
      expect(found).toEqual(wanted);
    }),
  );
});

test('a process tells of as many tenants as it keeps, though more are active before the writer comes', () => {
  const counts = new UsageCounts();
  for (let tenant = 0; tenant <= MAX_TENANT_TOTALS; tenant++) counts.request(`tenant-${tenant}`, false, tenant + 1);
  const totals = tenantTotals(counts);
  expect(totals).toHaveLength(MAX_TENANT_TOTALS);
  expect(totals.map(([tenantId]) => tenantId)).not.toContain('tenant-0');
});
