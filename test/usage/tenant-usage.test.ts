import 'reflect-metadata';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { SERVICE_ROLE } from '../../src/database/service-rights.ts';
import { USAGE_FIGURES } from '../../src/monitoring/usage-counts.ts';
import { TenantDatabase } from '../../src/tenancy/tenant-database.ts';
import { cleanUsage, usageOfTop } from '../../src/usage/usage.repository.ts';
import { TenantUsageOrder } from '../../src/usage/usage.type.ts';
import { usageReport } from '../../src/usage/usage-report.ts';
import { insertTenant } from '../support/fixtures.ts';
import { postJson } from '../support/post.ts';
import { createTestDatabase, type TestDatabase, withClient, withKeptClient } from '../support/postgres.ts';
import { startService, type TestService } from '../support/service.ts';
import { migrationScripts } from '../support/template.ts';

const FIGURES = 'requests hits points databaseMs rows bytesKept errors { code count }';
const TENANTS = `query ($first: Int! = 10, $orderBy: TenantUsageOrder! = POINTS) {
  performance { tenants(first: $first, orderBy: $orderBy) { slug pointsPerMinute hasOwnLimit hour { ${FIGURES} } day { ${FIGURES} } } } }`;

let database: TestDatabase;
let acme: string;
beforeAll(async () => {
  database = await createTestDatabase();
  acme = await insertTenant(database.url, { slug: 'acme' });
  for (const slug of ['rival', ...READERS]) await insertTenant(database.url, { slug });
});
afterAll(() => database?.drop());

const sql = async <Row extends object>(text: string, values: unknown[] = []) =>
  (await withKeptClient(database.url, (client) => client.query<Row>(text, values))).rows;

const written = (slug: string) =>
  sql<Record<string, unknown>>(
    `SELECT sum(requests)::integer AS requests, sum(hits)::integer AS hits, sum(points)::integer AS points, sum(rows)::integer AS rows,
       sum(bytes_kept)::integer AS bytes, sum(database_ms) AS ms FROM tenant_usage JOIN tenants ON id = tenant_id WHERE slug = $1`,
    [slug],
  ).then(([row]) => row);

const SMALL = '{ tenant { slug } }';
const REFUSED = '{ account(id: "wrong") { id } }';
const RATE_LIMIT = '{ rateLimit { remaining } }';
/** As many as the uses after which an operation is compiled: a second answer comes from the cache. */
const READERS = ['reader-1', 'reader-2', 'reader-3'];

/** A service that knows what the tests ask for, at the cost of other tenants. */
async function startKnowing(): Promise<TestService> {
  const service = await startService({ database });
  for (const slug of READERS) {
    const reader = await service.token(Role.VIEWER, slug);
    for (const query of [SMALL, REFUSED, RATE_LIMIT]) await service.send(reader, query);
  }
  return service;
}

/** @returns how many were answered from the cache */
async function ask(service: TestService, slug: string, times: number): Promise<number> {
  const token = await service.token(Role.VIEWER, slug);
  let hits = 0;
  for (let sent = 0; sent < times; sent++) {
    const { errors, headers } = await service.send(token, SMALL);
    expect(errors).toBeUndefined();
    if (headers.get('cache-status')?.startsWith('tenantry; hit')) hits++;
  }
  return hits;
}

test('what two processes did for each tenant adds up exactly, and outlives them', async () => {
  await sql('DELETE FROM tenant_usage');
  const services = await Promise.all([1, 2].map(startKnowing));
  const [first, second] = services as [TestService, TestService];
  const [atFirst, atSecond, ofRival] = (await Promise.all([
    ask(first, 'acme', 7),
    ask(second, 'acme', 5),
    ask(second, 'rival', 3),
  ])) as [number, number, number];
  const hits = atFirst + atSecond;
  const token = await first.token(Role.VIEWER, 'acme');
  for (let sent = 0; sent < 2; sent++) await first.send(token, REFUSED);
  const sent = services.flatMap(({ statements }) => statements).filter(({ tenantId }) => tenantId === acme);
  await Promise.all(services.map((service) => service.close()));

  const points = (requests: number, hits: number) => 501 * (requests - hits) + 40 * hits;
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
    const { tenants } = data.performance;
    const [most, rival] = ['acme', 'rival'].map((name) => tenants.find(({ slug }: { slug: string }) => slug === name));
    expect(most).toMatchObject({
      slug: 'acme',
      day: { requests: 14, hits, errors: [{ code: 'BAD_USER_INPUT', count: 2 }] },
    });
    expect(most.hour).toEqual(most.day);
    expect(rival).toMatchObject({ day: { requests: 3, errors: [] } });
  } finally {
    await later.close();
  }
});

test('a tenant’s own people see its own usage and limit and nothing of others; a VIEWER nothing', async () => {
  await sql('DELETE FROM tenant_usage');
  for (const [slug, requests] of [
    ['acme', 5],
    ['rival', 9],
  ] as const)
    await sql(
      `INSERT INTO tenant_usage SELECT id, now() - interval '2 hours', $2, 0, $2, 1.5, 0, 0, '{"TIMEOUT": 1}' FROM tenants WHERE slug = $1`,
      [slug, requests],
    );
  await sql("UPDATE tenants SET points_per_minute = 700000 WHERE slug = 'rival'");
  const service = await startService({ database, env: { LIMIT_TENANT_POINTS_PER_MINUTE: '900000' } });
  try {
    const read = async (token: string, variables: object = {}) =>
      (await service.send(token, TENANTS, variables)).data.performance.tenants;
    for (const role of [Role.ANALYST, Role.ADMIN]) {
      const tenants = await read(await service.token(role, 'acme'));
      expect(tenants).toHaveLength(1);
      expect(tenants[0]).toMatchObject({
        ...{ slug: 'acme', pointsPerMinute: 900_000, hasOwnLimit: false },
        hour: { requests: 0 },
        day: { requests: 5, points: 5, databaseMs: 1.5, errors: [{ code: 'TIMEOUT', count: 1 }] },
      });
    }
    const ofRival = await read(await service.token(Role.ADMIN, 'rival'));
    expect(ofRival).toMatchObject([{ slug: 'rival', pointsPerMinute: 700_000, hasOwnLimit: true }]);
    const operator = await service.token(Role.OPERATOR);
    expect(await read(operator)).toMatchObject([
      { slug: 'rival', pointsPerMinute: 700_000, hasOwnLimit: true },
      { slug: 'acme', pointsPerMinute: 900_000, hasOwnLimit: false },
    ]);
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
    await sql('UPDATE tenants SET points_per_minute = NULL');
    await service.close();
  }
});

describe('tenants are listed', () => {
  const FIGURE = {
    REQUESTS: ({ requests }: Row) => requests,
    HITS: ({ hits }: Row) => hits,
    POINTS: ({ points }: Row) => points,
    DATABASE_MS: ({ databaseMs }: Row) => databaseMs,
    ROWS: ({ rows }: Row) => rows,
    BYTES_KEPT: ({ bytesKept }: Row) => bytesKept,
    ERRORS: ({ errors }: Row) => Object.values(errors).reduce((sum, count) => sum + count, 0),
  } as const;
  interface Row {
    readonly slug: string;
    readonly minutesAgo: number;
    readonly requests: number;
    readonly hits: number;
    readonly points: number;
    readonly databaseMs: number;
    readonly rows: number;
    readonly bytesKept: number;
    readonly errors: Readonly<Record<string, number>>;
  }
  // Their order by code points is another one than by a locale's rules.
  const SLUGS = ['a-b', 'ab', 'a-c', 'a1', 'b-', 'b0', 'ba', 'rival', 'acme', 'z'];
  const small = fc.integer({ min: 0, max: 3 });
  const row: fc.Arbitrary<Row> = fc.record({
    slug: fc.constantFrom(...SLUGS),
    minutesAgo: fc.constantFrom(1, 30, 59, 61, 600, 1_439, 1_441, 2_000),
    requests: small,
    hits: small,
    points: small,
    databaseMs: fc.constantFrom(0, 0.25, 1.5),
    rows: small,
    bytesKept: small,
    errors: fc.dictionary(fc.constantFrom('TIMEOUT', 'FORBIDDEN'), fc.integer({ min: 1, max: 3 })),
  });

  const expected = (rows: readonly Row[], order: keyof typeof FIGURE, first: number) => {
    const within = (minutes: number) => (slug: string) =>
      rows.filter((each) => each.slug === slug && each.minutesAgo < minutes);
    const [ofDay, ofHour] = [within(1_440), within(60)];
    const sum = (of: readonly Row[], figure: (row: Row) => number) => of.reduce((total, row) => total + figure(row), 0);
    return SLUGS.filter((slug) => ofDay(slug).length > 0)
      .map((slug) => ({
        slug,
        figure: sum(ofDay(slug), FIGURE[order]),
        hour: sum(ofHour(slug), FIGURE.REQUESTS),
        day: sum(ofDay(slug), FIGURE.REQUESTS),
        errors: sum(ofDay(slug), FIGURE.ERRORS),
      }))
      .sort((a, b) => b.figure - a.figure || (a.slug < b.slug ? -1 : 1))
      .slice(0, first)
      .map(({ slug, hour, day, errors }) => ({ slug, hour, day, errors }));
  };

  test('by each figure that is counted', () => {
    const names = USAGE_FIGURES.map((figure) => figure.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase());
    expect(Object.values(TenantUsageOrder)).toEqual(names);
  });

  test('as ordering and cutting off all of them would, by each figure', async () => {
    for (const slug of SLUGS) if (slug !== 'acme' && slug !== 'rival') await insertTenant(database.url, { slug });
    const own = new TenantDatabase({
      url: database.url,
      poolSize: 1,
      statementTimeoutMs: 10_000,
      takeServiceRole: true,
    });
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(row, { maxLength: 60 }), async (drawn) => {
          // Each tenant has one row of a time.
          const rows = [...new Map(drawn.map((each) => [`${each.slug} ${each.minutesAgo}`, each])).values()];
          await sql('DELETE FROM tenant_usage');
          await sql(
            `INSERT INTO tenant_usage SELECT id, now() - "minutesAgo" * interval '1 minute', requests, hits, points, "databaseMs",
               rows, "bytesKept", errors
             FROM jsonb_to_recordset($1) AS drawn (slug text, "minutesAgo" integer, requests bigint, hits bigint, points bigint,
               "databaseMs" float8, rows bigint, "bytesKept" bigint, errors jsonb) JOIN tenants USING (slug)`,
            [JSON.stringify(rows)],
          );
          for (const order of Object.values(TenantUsageOrder))
            for (const first of [1, 3, 100]) {
              const listed = (await usageOfTop(own, order, first, {})).map((row) => usageReport(row, () => 1));
              expect(
                listed.map(({ slug, hour, day }) => ({
                  slug,
                  hour: hour.requests,
                  day: day.requests,
                  errors: day.errors.reduce((sum, { count }) => sum + count, 0),
                })),
              ).toEqual(expected(rows, order, first));
            }
        }),
        { numRuns: 25 },
      );
    } finally {
      await own.close();
    }
  });
});

test('a tenant’s usage has the points that its budget lost, also for what was refused', async () => {
  await sql('DELETE FROM tenant_usage');
  const service = await startKnowing();
  const token = await service.token(Role.VIEWER, 'acme');
  const left = async () => (await service.send(token, RATE_LIMIT)).data.rateLimit.remaining as number;
  const before = await left();
  const refused = [
    '{',
    '{ nothing }',
    `{ ${'a '.repeat(2_000)} }`,
    'query ($a: Int!) { accounts(first: $a) { totalCount } }',
    'query ($a: Int!, $b: Int!) { accounts(first: $a, last: $b) { totalCount } }',
  ];
  for (const query of [...refused, '{ nothing }'.padEnd(9_000)])
    expect((await service.send(token, query)).errors).toBeDefined();
  // Computed, and found: both are long to read.
  for (const padding of ['a', 'b']) {
    const body = JSON.stringify({ query: '{ tenant { slug } }', padding: padding.repeat(9_000) });
    const answer = await postJson(`${service.url}/graphql`, { authorization: `Bearer ${token}` }, body);
    expect(answer.headers.get('cache-status')).toContain(padding === 'a' ? 'miss' : '; hit');
  }
  const lost = before - (await left());
  expect(lost).toBeGreaterThanOrEqual(refused.length * 250);
  await service.close();
  // The first question is in it too, and costs as much as the last one.
  const ofRateLimit = 250 + 1 + 1;
  expect((await written('acme'))?.points).toBe(lost + ofRateLimit);
});

test.each(['{"A":"abc"}', '{"A":1.5}', '{"A":-1}', '{"A":1e300}', '{"A":{}}', '{"A":null}', '[1]', '7'])(
  'errors that cannot be added up are not written: %s',
  async (errors) => {
    const insert = sql('INSERT INTO tenant_usage VALUES ($1, now(), 1, 0, 1, 0, 0, 0, $2)', [acme, errors]);
    await expect(insert).rejects.toThrow('tenant_usage_errors_check');
  },
);

describe('figures', () => {
  let own: TenantDatabase;
  beforeAll(async () => {
    await sql('DELETE FROM tenant_usage');
    await sql("INSERT INTO tenant_usage VALUES ($1, date_bin('5 minutes', now(), 'epoch'), 5, 4, 3, 2.5, 1, 6, '{}')", [
      acme,
    ]);
    own = new TenantDatabase({ url: database.url, poolSize: 1, statementTimeoutMs: 10_000, takeServiceRole: true });
  });
  afterAll(() => own.close());
  const none = { requests: 0, hits: 0, points: 0, databaseMs: 0, rows: 0, bytesKept: 0, errors: {} };
  const add = (figures: object) =>
    own.withConnection((client) =>
      client.query('SELECT tenant_usage_add($1)', [
        JSON.stringify([{ tenantId: acme, bucket: new Date(), ...none, ...figures }]),
      ]),
    );

  test.each([
    ...['requests', 'hits', 'points', 'databaseMs', 'rows', 'bytesKept'].map((name) => ({ [name]: -1 })),
    ...['NaN', 'Infinity', '-Infinity'].map((databaseMs) => ({ databaseMs })),
    { errors: { A: -1 } },
  ])('that take away or are no numbers are refused to the service’s login: %o', async (figures) => {
    const before = await sql('SELECT * FROM tenant_usage ORDER BY bucket');
    await expect(add(figures)).rejects.toMatchObject({ code: '23514' });
    expect(await sql('SELECT * FROM tenant_usage ORDER BY bucket')).toEqual(before);
    await add(none);
  });

  test('that were there before the rule become 0, and keep their row’s others', async () => {
    await sql('DELETE FROM tenant_usage');
    await sql('ALTER TABLE tenant_usage DROP CONSTRAINT tenant_usage_figures_check');
    const values = [
      "-1, 2, 3, 4.5, 5, 6, '{}'",
      "1, 2, 3, 'NaN', 5, 6, '{\"A\": 1}'",
      "1, 2, 3, 'Infinity', -5, 6, '{}'",
    ];
    for (const [minutes, row] of values.entries())
      await sql(
        `INSERT INTO tenant_usage VALUES ($1, timestamptz '2026-01-01 00:00Z' + $2 * interval '5 minutes', ${row})`,
        [acme, minutes],
      );
    const migration = migrationScripts().find((script) => script.includes('tenant_usage_figures_check'));
    await withClient(database.url, async (client) => {
      await client.query('SET ROLE tenantry_owner'); // whom row-level security holds
      await client.query(migration as string);
    });
    const left = await sql<object>(
      'SELECT requests::int, hits::int, points::int, database_ms, rows::int, bytes_kept::int, errors FROM tenant_usage ORDER BY bucket',
    );
    expect(left.map((row) => Object.values(row))).toEqual([
      [0, 2, 3, 4.5, 5, 6, {}],
      [1, 2, 3, 0, 5, 6, { A: 1 }],
      [1, 2, 3, 0, 0, 6, {}],
    ]);
  });
});

test('the metrics name ten tenants at most, by their slugs', async () => {
  const others = Array.from({ length: 12 }, (_, index) => `other-${index}`);
  for (const slug of others) await insertTenant(database.url, { slug });
  const service = await startKnowing();
  try {
    for (const slug of others) await ask(service, slug, 1);
    await ask(service, 'acme', 200);
    const text = await (await fetch(`${service.url}/metrics`)).text();
    const requests = [...text.matchAll(/^tenantry_tenant_requests_total\{tenant="(.+)"\} (\d+)$/gm)];
    expect(requests).toHaveLength(10);
    expect(requests[0]?.slice(1)).toEqual(['acme', '200']);
    expect(text).toMatch(/^tenantry_tenant_points_total\{tenant="acme"\} 8461$/m);
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
    expect((await asService(`SELECT * FROM tenant_usage_sums(ARRAY['${acme}'::uuid])`)).rows).toEqual([]);
    expect((await asService('SELECT current_user AS role')).rows).toEqual([{ role: SERVICE_ROLE }]);
  } finally {
    await own.close();
  }
});
