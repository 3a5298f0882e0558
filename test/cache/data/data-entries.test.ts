import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Role } from '../../../src/auth/caller.ts';
import type { WithParts } from '../../../src/cache/data/parts.ts';
import { unframe } from '../../../src/cache/redis/entry-frame.ts';
import type { DashboardParts } from '../../../src/dashboard/dashboard.parts.ts';
import type { DashboardValue } from '../../../src/dashboard/dashboard.reader.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../../support/redis.ts';
import { watchRedis } from '../../support/redis-watch.ts';
import { startService, type TestService } from '../../support/service.ts';
import { insertTwins, TWINS, type Twin, twinAccountId } from '../../support/twin-tenants.ts';
import { KEPT_STATEMENTS, SELECTIONS } from './selections.ts';

const [OWN, THEIRS] = TWINS as readonly [Twin, Twin];
/** Who asks without a pause takes the processor from what it waits for. */
const POLL_MS = 3;
const INVALIDATE = 'mutation { invalidateCache(input: {}) { namespaces } }';

let database: TestDatabase;
let plain: TestService;
let sql: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase();
  await insertTwins(database.url);
  plain = await startService({ database, env: { CACHE: 'off' } });
  sql = new pg.Client({ connectionString: database.url });
  await sql.connect();
});
afterAll(async () => {
  await sql.end();
  await plain.close();
  await database.drop();
});

type Prepared = { redis?: TestRedis; env?: Record<string, string> };

describe('data entries in memory', () => promises(async () => ({})));

describeWithRedis('data entries in Redis alone', () =>
  promises(async () => {
    const redis = await startRedis();
    return { redis, env: { REDIS_URL: redis.url, CACHE_MEMORY_BYTES: '0', CACHE_COMPRESS_ABOVE_BYTES: '1000' } };
  }),
);

function promises(prepare: () => Promise<Prepared>): void {
  let prepared: Prepared;
  let service: TestService;
  let tokens: Map<Twin, string>;
  let asked = 0;
  beforeAll(async () => {
    prepared = await prepare();
    service = await startService({ database, env: { LIMIT_POINTS_PER_MINUTE: '2000000000', ...prepared.env } });
    tokens = new Map();
    for (const twin of TWINS) tokens.set(twin, await service.token(Role.ADMIN, twin.slug));
    await service.untilCaughtUp();
  });
  afterAll(async () => {
    await service.close();
    await prepared.redis?.stop();
  });

  /** Asks under a name of its own each time, so that no response entry answers. */
  async function ask(selection: string, twin = OWN) {
    service.statements.splice(0);
    const { data, errors } = await service.send(tokens.get(twin) ?? null, `query Asked${asked++} { ${selection} }`);
    expect(errors).toBeUndefined();
    const statements = service.statements.splice(0);
    return {
      text: JSON.stringify(data),
      data,
      statements,
      kept: statements.map(({ model, action }) => `${model}.${action}`).filter((name) => KEPT_STATEMENTS.has(name)),
    };
  }

  /**
   * The fill of Redis is not waited for: what is kept in the end may be any of the answers `seen`.
   */
  async function askUntilHit(selection: string, twin = OWN) {
    const seen: string[] = [];
    for (;;) {
      const answer = await ask(selection, twin);
      seen.push(answer.text);
      if (answer.kept.length === 0) return { ...answer, seen };
      await wait(POLL_MS);
    }
  }

  async function forgetAll(twin = OWN) {
    await service.send(tokens.get(twin) ?? null, INVALIDATE);
  }

  describe('an answer made of them is equal, byte for byte, to the one that filled them, and to one without a cache:', () => {
    beforeAll(() => forgetAll());

    test.each(SELECTIONS)('%s', async (selection) => {
      const without = await plain.send(await plain.token(Role.VIEWER, OWN.slug), `{ ${selection} }`);
      const filling = await ask(selection);
      const hit = await askUntilHit(selection);
      expect(hit.text).toBe(filling.text);
      expect(hit.text).toBe(JSON.stringify(without.data));
    });

    test('also where something hangs on the rows of its lists, which is read anew each time', async () => {
      for (const args of ['', '(date: "2025-03-31")']) {
        const selection = `dashboard${args} { topAccounts(limit: 30) { id tenant { name } recentTransactions { id } } overview { totalAccounts } }`;
        const without = await plain.send(await plain.token(Role.VIEWER, OWN.slug), `{ ${selection} }`);
        for (const _ of ['first', 'second']) {
          const { text, kept } = await ask(selection);
          expect(text).toBe(JSON.stringify(without.data));
          expect(kept).toEqual(['Dashboard.parts']);
        }
      }
    });

    test('also of another tenant, whose rows have the same ids', async () => {
      const token = await plain.token(Role.VIEWER, THEIRS.slug);
      for (const selection of SELECTIONS.filter((_, index) => index % 4 === 1)) {
        const without = await plain.send(token, `{ ${selection} }`);
        expect((await ask(selection, THEIRS)).text, selection).toBe(JSON.stringify(without.data));
      }
    });
  });

  describe('who asks for more reads all parts anew, at one moment, and the entry then has all:', () => {
    test('a dashboard, whether its date is given or today', async () => {
      await forgetAll();
      const { data } = await ask('dashboard { date overview { totalAccounts } }');
      await askUntilHit('dashboard { overview { totalAccounts } }');
      const { statements } = await ask(
        `dashboard(date: "${data.dashboard.date}") { overview { activeAccounts } activity(days: 30) { totals { net } } }`,
      );
      expect(statements.map(({ sql }) => sql)).toEqual([expect.stringMatching(/account_totals[\s\S]*daily_totals/)]);
      await askUntilHit('dashboard { activity(days: 12) { series { date flows { net } } } accountsByBank { key } }');
      expect((await ask('dashboard { activity(days: 31) { totals { net } } }')).kept).toEqual(['Dashboard.parts']);
      await askUntilHit('dashboard { activity(days: 31) { totals { net } } overview { totalAccounts } }');
      expect((await ask('dashboard { topAccounts(limit: 3) { id } }')).kept).toEqual(['Dashboard.parts']);
      expect((await ask('dashboard { topAccounts { balance } }')).kept).toEqual(['Dashboard.parts']);
      expect((await ask('dashboard { recentTransactions { account { id } } }')).kept).toEqual(['Dashboard.parts']);
      await askUntilHit(
        `dashboard { activity { series { date } } overview { totalAccounts } topAccounts(limit: 4) { balance }
          recentTransactions { account { id } } }`,
      );
    });

    test('statistics', async () => {
      await forgetAll();
      await askUntilHit('statistics { totals { net } }');
      const { statements } = await ask('statistics { totals { net } byCategory { category } }');
      expect(statements.map(({ sql }) => sql)).toEqual([expect.stringMatching(/'category'[\s\S]*'total'/)]);
      expect(statements[0]?.sql).not.toContain("'bucket'");
      await askUntilHit('statistics { byCategory { category flows { net } } totals { inflow } generatedAt }');
      expect((await ask('statistics { buckets { start } }')).kept).toEqual(['Statistics.sums']);
    });

    test('lists of accounts, whose count is one for all pages and whose pages are for all columns', async () => {
      await forgetAll();
      await askUntilHit('accounts(first: 3) { totalCount nodes { balance } }');
      expect((await ask('accounts(first: 4) { totalCount nodes { balance } }')).kept).toEqual(['BankAccount.page']);
      expect((await ask('accountList { count results { id } }')).kept).toEqual(['BankAccount.numberedPage']);
      expect((await ask('accounts(first: 3) { nodes { status } }')).kept).toEqual(['BankAccount.page']);
      await askUntilHit('accounts(first: 3) { nodes { balance status } pageInfo { endCursor } totalCount }');
      const filters = ['{ status: ACTIVE }', '{ isActive: true }', '{ isActive: true, bankName: null }'];
      await askUntilHit(`accounts(filter: ${filters[0]}) { nodes { id } }`);
      for (const filter of filters)
        expect((await ask(`accounts(filter: ${filter}) { nodes { id } }`)).kept).toEqual([]);
    });

    test('what was computed at one time for several', async () => {
      await forgetAll();
      const parts = ['overview { totalAccounts }', 'activity(days: 5) { totals { net } }', 'accountsByType { key }'];
      await Promise.all(
        parts.map((part) => service.send(tokens.get(OWN) ?? null, `{ dashboard(date: "2025-05-05") { ${part} } }`)),
      );
      await askUntilHit(`dashboard(date: "2025-05-05") { ${parts.join(' ')} }`);
    });
  });

  test('say when they were computed, not when they were found', async () => {
    await forgetAll();
    for (const root of ['dashboard', 'statistics(from: "2025-01-01", to: "2025-01-31")']) {
      const part = root === 'dashboard' ? 'overview { totalAccounts }' : 'totals { net }';
      const found = await askUntilHit(`${root} { generatedAt ${part} }`);
      const again = await ask(`${root} { ${part} generatedAt }`);
      expect(Object.values(again.data)).toMatchObject(Object.values(found.data));
    }
  });

  test('do not outlive a write, made by the API or past it', async () => {
    const selections = [
      'accounts(first: 100) { nodes { bankName version } }',
      'dashboard { topAccounts(limit: 100) { id bankName } accountsByBank { key count } }',
    ];
    const id = twinAccountId(0);
    const rename = {
      api: (name: string) =>
        service.send(
          tokens.get(OWN) ?? null,
          `mutation { updateAccount(input: { id: "${id}", bankName: "${name}" }) { account { bankName } } }`,
        ),
      past: async (name: string) => {
        await sql.query('UPDATE bank_accounts SET bank_name = $3 WHERE tenant_id = $1 AND id = $2', [OWN.id, id, name]);
        await service.untilCaughtUp();
      },
    };
    for (const [round, way] of (['api', 'past', 'api'] as const).entries()) {
      for (const selection of selections) await askUntilHit(selection);
      await rename[way](`Bank ${round}`);
      for (const selection of selections) expect((await ask(selection)).text, way).toContain(`Bank ${round}`);
    }
  });

  test('are replaced by a refresh, for every selection', async () => {
    const before = await askUntilHit('dashboard { generatedAt overview { totalAccounts } }');
    const { data } = await ask('dashboard(refresh: true) { generatedAt overview { totalAccounts } }');
    expect(data.dashboard.generatedAt > before.data.dashboard.generatedAt).toBe(true);
    const after = await ask('dashboard { overview { activeAccounts } generatedAt }');
    expect(after.data.dashboard.generatedAt >= data.dashboard.generatedAt).toBe(true);
  });

  test('that were loaded before an invalidation serve nobody after it', async () => {
    await forgetAll();
    const blocker = new pg.Client({ connectionString: database.url });
    await blocker.connect();
    await blocker.query('BEGIN; LOCK TABLE daily_totals IN ACCESS EXCLUSIVE MODE');
    const early = ask('statistics(from: "2025-02-01", to: "2025-02-28") { totals { net } }');
    await untilWaitedFor(sql);
    await forgetAll();
    await blocker.query('COMMIT');
    await blocker.end();
    await early;
    const { kept } = await ask('statistics(from: "2025-02-01", to: "2025-02-28") { totals { inflow } }');
    expect(kept).toEqual(['Statistics.sums']);
  });

  test('are loaded once for any number of different operations at once', async () => {
    await forgetAll();
    service.statements.splice(0);
    const token = tokens.get(OWN) ?? null;
    const send = (name: number) =>
      service.send(
        token,
        `query Many${name} { statistics(period: YEARLY, from: "2020-01-01", to: "2025-12-31") { totals { net } } }`,
      );
    const answers = await Promise.all(Array.from({ length: 20 }, (_, name) => send(name)));
    expect(new Set(answers.map(({ data }) => JSON.stringify(data))).size).toBe(1);
    expect(service.statements.map(({ action }) => action)).toEqual(['sums']);
  });

  describe('with maxStalenessSeconds', () => {
    const dashboard = (seconds: number | null) =>
      `dashboard(date: "2025-04-04", maxStalenessSeconds: ${seconds}) { generatedAt overview { totalAccounts } topAccounts { id version } }`;
    const statistics = (seconds: number | null) =>
      `statistics(from: "2025-04-04", to: "2025-04-05", maxStalenessSeconds: ${seconds}) { generatedAt totals { net } }`;

    test.each([
      ['dashboard', dashboard],
      ['statistics', statistics],
    ])('an old %s is served to those who accept it, and to nobody else', async (_, ask_) => {
      const { seen } = await askUntilHit(ask_(0));
      await forgetAll();
      const accepted = await ask(ask_(3600));
      expect(accepted.kept).toEqual([]);
      expect(seen).toContain(accepted.text);
      expect(seen).not.toContain((await ask(ask_(3600), THEIRS)).text);
      for (const strict of [0, null]) expect(seen).not.toContain((await ask(ask_(strict))).text);
    });

    test('what was answered so is kept no longer than it is accepted', async () => {
      await askUntilHit(statistics(0));
      await forgetAll();
      const query = `{ ${statistics(1)} }`;
      const token = tokens.get(OWN) ?? null;
      const old = await service.send(token, query);
      expect((await service.send(token, query)).data).toEqual(old.data);
      const isOver = Date.parse(old.data.statistics.generatedAt) + 1_000;
      for (;;) {
        const askedAtMs = Date.now();
        const { data } = await service.send(token, query);
        if (askedAtMs > isOver) {
          expect(data.statistics.generatedAt).not.toBe(old.data.statistics.generatedAt);
          break;
        }
        await wait(POLL_MS);
      }
    });

    test('a refresh goes before', async () => {
      const before = await askUntilHit(dashboard(0));
      const { text } = await ask(dashboard(3600).replace('(', '(refresh: true, '));
      expect(text).not.toBe(before.text);
    });

    test.each([-1, 3601])('%i seconds are refused', async (seconds) => {
      for (const query of [dashboard(seconds), statistics(seconds)]) {
        const { errors } = await service.send(tokens.get(OWN) ?? null, `{ ${query} }`);
        expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', argument: 'maxStalenessSeconds' });
        expect(errors?.[0]?.message).toContain('between 0 and 3600');
      }
    });
  });
}

describeWithRedis('data entries in Redis', () => {
  let redis: TestRedis;
  let client: Redis;
  let here: TestService;
  let there: TestService;
  let token: string;
  beforeAll(async () => {
    redis = await startRedis();
    client = new Redis(redis.url);
    [here, there] = await Promise.all([
      startService({ database, env: { REDIS_URL: redis.url } }),
      startService({ database, env: { REDIS_URL: redis.url } }),
    ]);
    token = await here.token(Role.ADMIN, OWN.slug);
    await Promise.all([here.untilCaughtUp(), there.untilCaughtUp()]);
    await untilTrusted(here, token);
    await untilTrusted(there, token);
  });
  afterAll(async () => {
    client.disconnect();
    await Promise.all([here.close(), there.close()]);
    await redis.stop();
  });

  const kept = (pattern: string) => client.keys(`tenant:{${OWN.id}}:${pattern}`);

  test('lie under the keys of their hierarchy, and end with their kind’s time or the tenant’s day', async () => {
    const { data } = await here.send(token, '{ dashboard { date overview { totalAccounts } topAccounts { id } } }');
    await here.send(token, '{ statistics(period: WEEKLY, from: "2025-01-01", to: "2025-02-01") { totals { net } } }');
    await here.send(token, '{ accounts(filter: { isActive: true }) { nodes { id } } }');
    const { date } = data.dashboard;
    for (const [pattern, ttlSeconds] of [
      [`dashboard:${date}`, 1_800],
      ['statistics:weekly:2025-01-01:2025-02-01', 3_600],
      ['accounts:list:*', 300],
      ['tenant:day', 3_600],
    ] as const) {
      let keys: string[] = [];
      while (keys.length === 0) {
        await wait(POLL_MS);
        keys = await kept(pattern);
      }
      expect(keys).toHaveLength(1);
      const leftMs = await client.pttl(keys[0] as string);
      expect(leftMs).toBeGreaterThan(0);
      expect(leftMs).toBeLessThanOrEqual(ttlSeconds * 1_000);
    }
    const { rows } = await sql.query(
      `SELECT extract(epoch FROM ((now() AT TIME ZONE time_zone)::date + 1)::timestamp AT TIME ZONE time_zone - now()) * 1000 AS left FROM tenants WHERE id = $1`,
      [OWN.id],
    );
    expect(await client.pttl(`tenant:{${OWN.id}}:tenant:day`)).toBeLessThanOrEqual(Number(rows[0].left) + 1_000);
  });

  test('have the form that their layout stands for: what changes this test raises REVISION in layout.ts', async () => {
    const groups = 'key count balances { currency amount }';
    await here.send(
      token,
      `{ dashboard(date: "2025-06-01") { accountsByBank { ${groups} } activity { totals { net } }
        topAccounts { id version } recentTransactions { id account { id } } } }`,
    );
    await here.send(
      token,
      '{ statistics(from: "2025-06-01", to: "2025-06-02") { totals { net } byCategory { category } buckets { start } } }',
    );
    await here.send(token, '{ accountList(pageSize: 3) { count results { balance } } }');
    const flow = { currency: 'string', count: 'number', inflow: 'string', outflow: 'string' };
    const sum = { ...flow, part: 'string', bucket: 'string or null', category: 'string or null' };
    const { parts, value } = (await keptValue('dashboard:2025-06-01')) as WithParts<DashboardParts, DashboardValue>;
    const list = { limit: 'number', columns: ['string'] };
    expect(form(parts)).toEqual({
      accounts: 'boolean',
      banks: 'boolean',
      days: 'number',
      topAccounts: list,
      recentTransactions: list,
    });
    expect(form(value)).toEqual({
      accounts: [['string']],
      flows: 'string',
      topAccounts: [{ id: 'string', version: 'number' }],
      recentTransactions: [{ id: 'string', accountId: 'string', account: { id: 'string' } }],
      moment: 'number',
    });
    const accountTypes = ['string', 'string', 'string', 'string', 'number', 'string'];
    expect(value.accounts.map((account) => account.map((part) => typeof part))).toContainEqual(accountTypes);
    expect(value.flows).toMatch(/^(\d+ [A-Z]{3} \d+ \d+\.\d{4} \d+\.\d{4}(,|$))+$/);
    expect(await formOf('statistics:daily:2025-06-01:2025-06-02')).toEqual({
      parts: ['string'],
      value: { moment: 'number', sums: { bucket: [sum], category: [sum], total: [sum] } },
    });
    expect(await formOf('tenant:day')).toEqual({ today: 'string', dayEndsAtMs: 'number' });
  });

  async function formOf(name: string): Promise<unknown> {
    return form(await keptValue(name));
  }

  async function keptValue(name: string): Promise<unknown> {
    const key = `tenant:{${OWN.id}}:${name}`;
    let bytes: Buffer | null = null;
    while (!bytes) bytes = await client.getBuffer(key);
    const { payload } = unframe(key, bytes) ?? {};
    return JSON.parse(String(payload));
  }

  test('are shared by processes, and cost no reading of versions beside the response’s own', async () => {
    const part = 'activity(days: 3) { totals { net } }';
    await here.send(token, `query Here { dashboard(date: "2024-04-04") { ${part} } }`);
    while ((await kept('dashboard:2024-04-04')).length === 0);
    const watch = await watchRedis(redis.url);
    there.statements.splice(0);
    const { errors } = await there.send(token, `query There { dashboard(date: "2024-04-04") { ${part} } }`);
    expect(errors).toBeUndefined();
    expect(there.statements).toEqual([]);
    await watch.untilNow();
    const versions = `tenant:{${OWN.id}}:versions`;
    const readings = watch.commands.filter(([name = '', ...keys]) => /^m?get$/i.test(name) && keys.includes(versions));
    expect(readings).toHaveLength(1);
    watch.close();
  });

  test.each([
    ['cut short', (bytes: Buffer) => bytes.subarray(0, -1)],
    ['changed', (bytes: Buffer) => Buffer.from(bytes).fill('0', bytes.length - 3)],
    ['something else', () => Buffer.from('something else')],
  ])('are not there when they are %s, and are replaced', async (name, broken) => {
    const query = (part: string) => `query Broken { dashboard(date: "2024-05-05") { ${part} } }`;
    const key = `tenant:{${OWN.id}}:dashboard:2024-05-05`;
    await here.send(token, INVALIDATE);
    await here.send(token, query(`activity(days: 4) { totals { ${'net '.repeat(name.length)} } }`));
    let bytes: Buffer | null = null;
    while (!bytes) bytes = await client.getBuffer(key);
    const damaged = broken(bytes);
    await client.set(key, damaged);
    there.statements.splice(0);
    expect((await there.send(token, query('activity(days: 4) { totals { inflow } }'))).errors).toBeUndefined();
    expect(there.statements.map(({ action }) => action)).toEqual(['parts']);
    while ((await client.getBuffer(key))?.equals(damaged));
  });
});

/**
 * A value with the types of its texts and numbers in their place; lists by their first item, nulls
 * in sums for either.
 */
function form(value: unknown, name = ''): unknown {
  if (name === 'bucket' && !Array.isArray(value)) return 'string or null';
  if (name === 'category' && !Array.isArray(value)) return 'string or null';
  if (Array.isArray(value)) return value.slice(0, 1).map((item) => form(item));
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, form(each, name)]));
}

async function untilWaitedFor(client: pg.Client): Promise<void> {
  for (;;) {
    const { rows } = await client.query(
      'SELECT 1 FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())',
    );
    if (rows.length > 0) return;
  }
}

async function untilTrusted(service: TestService, token: string): Promise<void> {
  for (;;) {
    const { headers } = await service.send(token, '{ tenant { name } }');
    if (headers.get('cache-status')?.startsWith('tenantry; hit')) return;
  }
}
