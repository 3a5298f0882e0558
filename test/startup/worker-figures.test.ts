import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import type { TenantTotals } from '../../src/app/tenant-totals.ts';
import { MAX_TENANT_TOTALS } from '../../src/monitoring/usage-counts.ts';
import { WorkerFigures } from '../../src/startup/worker-figures.ts';
import type { ProcessFigures } from '../../src/startup/worker-messages.ts';

/** Those of workers from number 1 on. */
function serving(workers: number): WorkerFigures {
  const all = new WorkerFigures();
  for (let worker = 1; worker <= workers; worker++) all.serves(worker);
  return all;
}

/** What a worker tells. */
async function figures(requests: number, connections: number, trusted: number): Promise<ProcessFigures> {
  const registry = new Registry();
  const registers = [registry];
  new Counter({ name: 'requests_total', help: 'r', labelNames: ['code'], registers }).inc({ code: 'A' }, requests);
  new Gauge({ name: 'connections', help: 'c', registers }).set(connections);
  new Gauge({ name: 'trusted', help: 't', aggregator: 'min', registers }).set(trusted);
  const durations = new Histogram({ name: 'seconds', help: 's', buckets: [1], registers });
  for (let n = 0; n < requests; n++) durations.observe(2);
  return { figures: await registry.getMetricsAsJSON(), tenants: [] };
}

const values = async (all: WorkerFigures) =>
  Object.fromEntries(
    (await all.shown()).text
      .split('\n')
      .filter((line) => line && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );

test('counts are summed, and each figure in its own way', async () => {
  const all = serving(4);
  all.keep(1, await figures(3, 4, 1));
  all.keep(2, await figures(5, 6, 0));
  expect(await values(all)).toMatchObject({
    'requests_total{code="A"}': 8,
    connections: 10,
    trusted: 0,
    'seconds_bucket{le="1"}': 0,
    'seconds_bucket{le="+Inf"}': 8,
    seconds_sum: 16,
    seconds_count: 8,
  });
});

test('what ended workers had counted stays, and what they held goes', async () => {
  const all = serving(4);
  for (const worker of [1, 2, 3]) all.keep(worker, await figures(worker, 4, 1));
  all.ended(1);
  all.ended(2);
  all.ended(4);
  expect(await values(all)).toMatchObject({ 'requests_total{code="A"}': 6, connections: 4, seconds_count: 6 });
  all.keep(3, await figures(10, 2, 1));
  expect(await values(all)).toMatchObject({ 'requests_total{code="A"}': 13, connections: 2, seconds_count: 13 });
});

test('what a worker tells after its end, or before it serves, is not counted once more', async () => {
  const all = serving(2);
  const told = await figures(5, 4, 1);
  all.keep(1, told);
  all.ended(1);
  const before = await values(all);
  for (const worker of [1, 3]) all.keep(worker, { ...told, tenants: totals({ late: 1 }) });
  expect(await values(all)).toEqual(before);
  expect(await shownTenants(all)).toEqual([]);
});

/** Points by tenant. */
const totals = (points: Readonly<Record<string, number>>): TenantTotals =>
  Object.entries(points).map(([tenantId, of]) => [
    tenantId,
    { requests: 1, hits: 0, points: of, databaseMs: 0.5, rows: 0, bytesKept: 0, errors: 0 },
  ]);

const tells = (points: Readonly<Record<string, number>>): ProcessFigures => ({ figures: [], tenants: totals(points) });

const shownTenants = async (all: WorkerFigures) =>
  (await all.shown()).tenants.map(([tenantId, { points }]) => [tenantId, points]);

test('tenants are ranked by what all workers did for them: one that leads nowhere may be the first', async () => {
  const all = serving(4);
  const ten = (worker: string) => Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`${worker}-${n}`, 100 - n]));
  for (const worker of [1, 2, 3]) all.keep(worker, tells({ ...ten(`of-${worker}`), everywhere: 90 }));
  const shown = await shownTenants(all);
  expect(shown.slice(0, 4)).toEqual([
    ['everywhere', 270],
    ['of-1-0', 100],
    ['of-2-0', 100],
    ['of-3-0', 100],
  ]);
  expect(shown).toHaveLength(10);
  all.ended(2);
  all.keep(4, tells({ everywhere: 5 }));
  expect((await shownTenants(all))[0]).toEqual(['everywhere', 275]);
  expect((await all.shown()).tenants[0]?.[1]).toMatchObject({ requests: 4, databaseMs: 2 });
});

test('of tenants of ended workers those with the most points are kept, however many workers there were', async () => {
  const all = serving(4);
  const many = Array.from({ length: MAX_TENANT_TOTALS - 1 }, (_, n) => [`many-${n}`, 2]);
  const endsWith = (worker: number, points: Readonly<Record<string, number>>) => {
    all.keep(worker, tells(points));
    all.ended(worker);
  };
  endsWith(1, Object.fromEntries(many));
  endsWith(2, { few: 1 });
  endsWith(3, { kept: 2, many: 0 });
  all.keep(4, tells({ few: 100, kept: 100, 'many-7': 100 }));
  expect((await shownTenants(all)).slice(0, 3)).toEqual([
    ['kept', 102],
    ['many-7', 102],
    ['few', 100],
  ]);
});

describe('the names of operations of many workers', () => {
  const operations = async (names: readonly string[]): Promise<ProcessFigures> => {
    const registry = new Registry();
    const labelNames = ['operation', 'result'];
    const counter = new Counter({ name: 'operations_total', help: 'o', labelNames, registers: [registry] });
    for (const operation of names) counter.inc({ operation, result: 'ok' });
    return { figures: await registry.getMetricsAsJSON(), tenants: [] };
  };
  const NAMES_OF_ONE = 150;
  const namesOf = (worker: number) => Array.from({ length: NAMES_OF_ONE }, (_, n) => `Query${worker}x${n}`);

  test('are as many as those of one, the others share one, and no count is lost or falls', async () => {
    const all = serving(5);
    let before: Record<string, number> = {};
    const WORKERS = 5;
    for (let worker = 1; worker <= WORKERS; worker++) {
      all.keep(worker, await operations([...namesOf(worker), '(other)']));
      for (const end of [() => {}, () => all.ended(worker)]) {
        end();
        const shown = await values(all);
        for (const [series, value] of Object.entries(before)) expect(shown[series]).toBeGreaterThanOrEqual(value);
        const sum = Object.values(shown).reduce((total, value) => total + value, 0);
        expect(sum).toBe(worker * (NAMES_OF_ONE + 1));
        before = shown;
      }
    }
    expect(Object.keys(before)).toHaveLength(200);
    expect(before['operations_total{operation="(other)",result="ok"}']).toBe(WORKERS * (NAMES_OF_ONE + 1) - 199);
    expect(before['operations_total{operation="Query1x0",result="ok"}']).toBe(1);
  });
});
