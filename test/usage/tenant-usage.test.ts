import { afterAll, beforeAll, expect, test } from 'vitest';
import { Role } from '../../src/context/caller.ts';
import { SERVICE_ROLE, TenantDatabase } from '../../src/tenancy/tenant-database.ts';
import { cleanUsage } from '../../src/usage/usage.repository.ts';
import { insertTenant } from '../support/fixtures.ts';
import { createTestDatabase, type TestDatabase, withClient } from '../support/postgres.ts';
import { startService, type TestService } from '../support/service.ts';

const FIGURES = 'requests hits points databaseMs rows bytesKept errors { code count }';
const TENANTS = `query ($first: Int! = 10, $orderBy: TenantUsageOrder! = POINTS) {
  performance { tenants(first: $first, orderBy: $orderBy) { slug hour { ${FIGURES} } day { ${FIGURES} } } } }`;

let database: TestDatabase;
let acme: string;
beforeAll(async () => {
  database = await createTestDatabase();
  acme = await insertTenant(database.url, { slug: 'acme' });
  await insertTenant(database.url, { slug: 'rival' });
});
afterAll(() => database?.drop());

const sql = async <Row extends object>(text: string, values: unknown[] = []) =>
  (await withClient(database.url, (client) => client.query<Row>(text, values))).rows;

const written = (slug: string) =>
  sql<Record<string, unknown>>(
    `SELECT sum(requests)::integer AS requests, sum(hits)::integer AS hits, sum(points)::integer AS points, sum(rows)::integer AS rows,
       sum(bytes_kept)::integer AS bytes, sum(database_ms) AS ms FROM tenant_usage JOIN tenants ON id = tenant_id WHERE slug = $1`,
    [slug],
  ).then(([row]) => row);

/** @returns how many were answered from the cache */
async function ask(service: TestService, slug: string, times: number): Promise<number> {
  const token = await service.token(Role.VIEWER, slug);
  let hits = 0;
  for (let sent = 0; sent < times; sent++) {
    const { errors, headers } = await service.send(token, '{ tenant { slug } }');
    expect(errors).toBeUndefined();
    if (headers.get('cache-status')?.startsWith('tenantry; hit')) hits++;
  }
  return hits;
}

test('what two processes did for each tenant adds up exactly, and outlives them', async () => {
  await sql('DELETE FROM tenant_usage');
  const services = await Promise.all([1, 2].map(() => startService({ database })));
  const [first, second] = services as [TestService, TestService];
  const [atFirst, atSecond, ofRival] = (await Promise.all([
    ask(first, 'acme', 7),
    ask(second, 'acme', 5),
    ask(second, 'rival', 3),
  ])) as [number, number, number];
  const hits = atFirst + atSecond;
  const token = await first.token(Role.VIEWER, 'acme');
  for (let sent = 0; sent < 2; sent++) await first.send(token, '{ account(id: "wrong") { id } }');
  const statements = services.flatMap(({ statements }) => statements).filter(({ tenantId }) => tenantId === acme);
  await Promise.all(services.map((service) => service.close()));

  const points = (requests: number, hits: number) => 501 * (requests - hits) + 40 * hits;
  const sent = statements.filter(({ model }) => model !== 'TenantUsage');
  expect(await written('acme')).toMatchObject({
    requests: 14,
    hits,
    points: points(14, hits),
    rows: sent.reduce((sum, { rows }) => sum + rows, 0),
  });
  expect(Number((await written('acme'))?.bytes)).toBeGreaterThan(0);
  expect(Number((await written('acme'))?.ms)).toBeCloseTo(
    sent.reduce((sum, { durationMs }) => sum + durationMs, 0),
    3,
  );
  expect(await written('rival')).toMatchObject({ requests: 3, hits: ofRival, points: points(3, ofRival) });

  const later = await startService({ database });
  try {
    const { data } = await later.send(await later.token(Role.OPERATOR), TENANTS);
    const [most, ...others] = data.performance.tenants;
    expect(most).toMatchObject({
      slug: 'acme',
      day: { requests: 14, hits, errors: [{ code: 'BAD_USER_INPUT', count: 2 }] },
    });
    expect(most.hour).toEqual(most.day);
    expect(others).toMatchObject([{ slug: 'rival', day: { requests: 3, errors: [] } }]);
  } finally {
    await later.close();
  }
});

test('a tenant’s own people see its own usage and nothing of others; a VIEWER nothing', async () => {
  await sql('DELETE FROM tenant_usage');
  for (const [slug, requests] of [
    ['acme', 5],
    ['rival', 9],
  ] as const)
    await sql(
      `INSERT INTO tenant_usage SELECT id, now() - interval '2 hours', $2, 0, $2, 1.5, 0, 0, '{"TIMEOUT": 1}' FROM tenants WHERE slug = $1`,
      [slug, requests],
    );
  const service = await startService({ database });
  try {
    const read = async (token: string, variables: object = {}) =>
      (await service.send(token, TENANTS, variables)).data.performance.tenants;
    for (const role of [Role.ANALYST, Role.ADMIN]) {
      const tenants = await read(await service.token(role, 'acme'));
      expect(tenants).toHaveLength(1);
      expect(tenants[0]).toMatchObject({
        slug: 'acme',
        hour: { requests: 0 },
        day: { requests: 5, points: 5, databaseMs: 1.5, errors: [{ code: 'TIMEOUT', count: 1 }] },
      });
    }
    const operator = await service.token(Role.OPERATOR);
    const slugs = async (variables: object) =>
      (await read(operator, variables)).map(({ slug }: { slug: string }) => slug);
    expect(await slugs({ orderBy: 'REQUESTS' })).toEqual(['rival', 'acme']);
    expect(await slugs({ orderBy: 'ERRORS' })).toEqual(['acme', 'rival']);
    expect(await slugs({ first: 1 })).toEqual(['rival']);
    expect((await service.send(operator, TENANTS, { first: 101 })).errors?.[0]?.message).toContain(
      'first must be a whole number between 1 and 100, but got: 101.',
    );
    const { errors } = await service.send(await service.token(Role.VIEWER, 'acme'), TENANTS);
    expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  } finally {
    await service.close();
  }
});

test('the metrics name ten tenants at most, by their slugs', async () => {
  const others = Array.from({ length: 12 }, (_, index) => `other-${index}`);
  for (const slug of others) await insertTenant(database.url, { slug });
  const service = await startService({ database });
  try {
    for (const slug of others) await ask(service, slug, 1);
    await ask(service, 'acme', 3);
    const text = await (await fetch(`${service.url}/metrics`)).text();
    const requests = [...text.matchAll(/^tenantry_tenant_requests_total\{tenant="(.+)"\} (\d+)$/gm)];
    expect(requests).toHaveLength(10);
    expect(requests[0]?.slice(1)).toEqual(['acme', '3']);
    expect(text).toMatch(/^tenantry_tenant_points_total\{tenant="acme"\} 581$/m);
  } finally {
    await service.close();
  }
});

test('rows older than two days are removed, and the service’s login can neither remove nor see others’', async () => {
  await sql('DELETE FROM tenant_usage');
  for (const hours of [1, 47, 49, 80])
    await sql(`INSERT INTO tenant_usage VALUES ($1, now() - $2 * interval '1 hour', 1, 0, 1, 0, 0, 0, '{}')`, [
      acme,
      hours,
    ]);
  const own = new TenantDatabase({ url: database.url, poolSize: 2, statementTimeoutMs: 10_000, takeServiceRole: true });
  try {
    expect(await cleanUsage(own)).toBe(2);
    expect(await sql('SELECT count(*)::integer AS left FROM tenant_usage')).toEqual([{ left: 2 }]);
    const asService = (text: string) => own.withConnection((client) => client.query(text));
    await expect(asService('DELETE FROM tenant_usage')).rejects.toThrow('permission denied');
    await expect(asService("SELECT tenant_usage_clean('1 hour', 10)")).rejects.toThrow('kept for 1 day at least');
    expect((await asService('SELECT * FROM tenant_usage_sums()')).rows).toEqual([]);
    expect(SERVICE_ROLE).toBe('tenantry_app');
  } finally {
    await own.close();
  }
});
