import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { Prisma } from '../../src/generated/prisma/client.ts';
import { LatencyHistogram } from '../../src/latency-histogram.ts';
import type { SlowQuery } from '../../src/monitoring/slow-queries.ts';
import { insertAccounts, insertTenant } from '../support/fixtures.ts';
import { startService, type TestService } from '../support/service.ts';

const ACCOUNTS = 'query Accounts($first: Int!) { accounts(first: $first) { nodes { id tenant { slug } } } }';
const CREATE = `mutation { createAccount(input: {
  bankName: "Timed Bank", accountNumber: "1", accountType: CHECKING, currency: "EUR"
}) { userErrors { code } } }`;
const OPERATIONS = '{ performance { operations { name latency { count max } errors cacheHits } } }';
const EVERYTHING = `{ performance {
  since operations { name latency { count } statements databaseMs }
  resolvers { coordinate latency { count p50 p95 p99 } errors }
  queries { model action latency { count } rows }
  slowQueries { sql durationMs rows model action operation plan advice at }
  cache { namespace hits misses hitRate invalidations errors get { count } set { count } }
  indexes { model index definition sizeBytes scans tuplesRead verdict }
  tables { model rows deadRows sizeBytes indexBytes sequentialScans indexScans lastVacuum lastAnalyze }
  resources { rssBytes heapUsedBytes cpuPercent eventLoopDelayMs cacheMemoryBytes redisMemoryBytes databaseConnections }
} }`;

const WAIT = { timeout: 10_000, interval: 50 };

let service: TestService;
let tokens: { north: string; south: string; analyst: string; viewer: string; operator: string };

beforeAll(async () => {
  service = await startService({ env: { CACHE: 'off', SLOW_QUERY_MS: '0' } });
  for (const slug of ['north', 'south']) {
    const tenantId = await insertTenant(service.databaseUrl, { slug });
    await insertAccounts(service.databaseUrl, tenantId, [
      { accountNumber: `${slug}-1` },
      { accountNumber: `${slug}-2` },
    ]);
  }
  tokens = {
    north: await service.token(Role.ADMIN, 'north'),
    south: await service.token(Role.ADMIN, 'south'),
    analyst: await service.token(Role.ANALYST, 'north'),
    viewer: await service.token(Role.VIEWER, 'north'),
    operator: await service.token(Role.OPERATOR),
  };
  await service.send(tokens.north, ACCOUNTS, { first: 10 });
  await service.send(tokens.north, ACCOUNTS, { first: 0 });
  await service.send(tokens.south, ACCOUNTS.replace('Accounts', 'SouthernSecret'), { first: 10 });
});
afterAll(() => service?.close());

async function performance(token: string, query: string) {
  const { data, errors } = await service.send(token, query);
  if (errors) throw new Error(JSON.stringify(errors));
  return data.performance;
}

describe('performance', () => {
  it.each(['north', 'analyst'] as const)("shows %s the own tenant's operations only", async (who) => {
    const { operations } = await performance(tokens[who], OPERATIONS);
    const names = operations.map(({ name }: { name: string }) => name);
    expect(names).toContain('Accounts');
    expect(names).not.toContain('SouthernSecret');
    expect(operations.find(({ name }: { name: string }) => name === 'Accounts')).toMatchObject({
      latency: { count: 2 },
      errors: 1,
      cacheHits: 0,
    });
  });

  it("shows nothing of another tenant's operations under the same name", async () => {
    const { operations } = await performance(tokens.south, OPERATIONS);
    expect(operations.map(({ name }: { name: string }) => name)).not.toContain('Accounts');
  });

  it('shows an operator what Prisma Client did, by model and operation', async () => {
    const input = { bankName: 'B', accountNumber: 'by Prisma', accountType: 'LOAN', currency: 'EUR' };
    const create = `mutation ($input: CreateAccountInput!) { createAccount(input: $input) { account { id } } }`;
    const { id } = (await service.send(tokens.north, create, { input })).data.createAccount.account;
    const rename = `mutation ($id: ID!) { updateAccount(input: { id: $id, bankName: "C" }) { account { id } } }`;
    await service.send(tokens.north, rename, { id });
    await service.send(tokens.north, '{ tenant { name } accountByNumber(accountNumber: "by Prisma") { id } }');
    await service.send(tokens.north, 'query ($id: ID!) { account(id: $id) { id } }', { id });
    const { queries } = await performance(tokens.operator, EVERYTHING);
    const shown = queries.map(({ model, action }: Record<string, unknown>) => `${model}.${action}`);
    expect(shown).toEqual(
      expect.arrayContaining([
        ...['BankAccount.create', 'BankAccount.update', 'BankAccount.findFirst'],
        ...['BankAccount.lockAccounts', 'Tenant.findFirst'],
      ]),
    );
  });

  it('shows a tenant empty lists of what tells of all tenants together, and the resources', async () => {
    const { since, operations, resources, ...others } = await performance(tokens.north, EVERYTHING);
    expect(others).toEqual({ resolvers: [], queries: [], slowQueries: [], cache: [], indexes: [], tables: [] });
    expect(Date.parse(since)).toBeLessThanOrEqual(Date.now());
    expect(operations).not.toEqual([]);
    expect(resources).toMatchObject({ redisMemoryBytes: null, databaseConnections: expect.any(Number) });
  });

  it('shows an OPERATOR everything', async () => {
    const report = await performance(tokens.operator, EVERYTHING);
    expect(report.operations).toContainEqual({
      ...{ name: 'SouthernSecret', latency: { count: 1 } },
      ...{ statements: expect.any(Number), databaseMs: expect.any(Number) },
    });
    expect(report.resolvers).toContainEqual(expect.objectContaining({ coordinate: 'Query.accounts', errors: 1 }));
    expect(report.queries).toContainEqual(expect.objectContaining({ model: 'BankAccount', rows: 4 }));
    expect(report.queries).toContainEqual(expect.objectContaining({ model: 'Tenant', action: 'directory' }));
    expect(report.resources.rssBytes).toBeGreaterThan(1e6);
  });

  it('shows slow statements with the operation that sent them, and with placeholders instead of values', async () => {
    const { slowQueries } = await performance(tokens.operator, EVERYTHING);
    const ofSouth = slowQueries.filter(({ operation }: { operation: string }) => operation === 'SouthernSecret');
    expect(ofSouth).toContainEqual(expect.objectContaining({ model: 'BankAccount', rows: 2 }));
    for (const { sql } of ofSouth) {
      expect(sql).toContain('$1');
      expect(sql).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}/);
    }
  });

  it('shows the plan of a slow statement, which nobody waited for, without the values of its tenant', async () => {
    const filtered = ACCOUNTS.replace('first: $first', 'first: $first, filter: { bankName: "Secret Bank" }');
    // Sent again when the plan was dropped: another one was under way.
    const { plan, advice } = await vi.waitFor(async () => {
      await service.send(tokens.south, filtered.replace('Accounts', 'Planned'), { first: 10 });
      const { slowQueries } = await performance(
        tokens.operator,
        '{ performance { slowQueries { operation plan advice } } }',
      );
      const planned = slowQueries.find(({ operation, plan }: SlowQuery) => operation === 'Planned' && plan);
      return planned ?? Promise.reject(new Error('no plan yet'));
    }, WAIT);
    expect(plan).toMatch(/ on bank_accounts/);
    expect(plan).toContain('bank_name = ?');
    expect(advice).toMatch(/bank_accounts/);
    expect(plan + advice).not.toMatch(/Secret|[0-9a-f]{8}-[0-9a-f]{4}/);
  });

  it('puts together for an OPERATOR only the lists that are selected, each once', async () => {
    const summed = vi.spyOn(LatencyHistogram.prototype, 'latency');
    const ask = async (fields: string): Promise<unknown[]> => {
      summed.mockClear();
      return Object.values<unknown[]>(await performance(tokens.operator, `{ performance { ${fields} } }`))[0] ?? [];
    };
    try {
      // The first time by graphql-js, then compiled.
      for (let time = 0; time < 3; time++) {
        await ask('slowQueries { action } since tenants { slug } resources { rssBytes }');
        expect(summed).not.toHaveBeenCalled();
        for (const list of ['operations { name }', 'resolvers { coordinate }', 'queries { action }'])
          expect((await ask(list)).length).toBe(summed.mock.calls.length);
        await ask('... on PerformanceReport { all: queries { action } }');
        expect(summed).toHaveBeenCalled();
      }
    } finally {
      summed.mockRestore();
    }
  });

  it.each([
    ['since operations { name } resolvers { errors } queries { rows } slowQueries { sql } cache { hits }', []],
    ['tenants { slug }', ['tenant_usage_top']],
    ['indexes { index }', ['pg_stat_user_indexes']],
    ['tables { rows }', ['pg_stat_user_tables']],
  ])('sends the statements of what is selected: %s', async (fields, expected) => {
    const sent = vi.spyOn(pg.Client.prototype, 'query');
    try {
      await performance(tokens.operator, `{ performance { ${fields} } }`);
      const texts = sent.mock.calls.map(([query]: unknown[]) => (query as { text?: string }).text ?? String(query));
      // The plan of a statement of before may be read meanwhile.
      const asked = texts.filter((text) => !/EXPLAIN|PREPARE/.test(text));
      const read = asked.flatMap((text) => /tenant_usage_top|pg_stat_user_(?:indexes|tables)/.exec(text)?.[0] ?? []);
      expect(read).toEqual(expected);
    } finally {
      sent.mockRestore();
    }
  });

  it('is refused to a VIEWER, and without a token', async () => {
    const viewer = await service.send(tokens.viewer, OPERATIONS);
    const nobody = await service.send(null, OPERATIONS);
    expect(viewer.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    expect(nobody.errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
  });
});

describe('indexes and tables of performance', () => {
  const of = (field: string) => `{ performance { ${field} } }`;

  it('cover every table of the product', async () => {
    const { tables, indexes } = await performance(tokens.operator, EVERYTHING);
    const models = Object.values(Prisma.ModelName).sort();
    expect(tables.map(({ model }: { model: string }) => model).sort()).toEqual(models);
    expect([...new Set(indexes.map(({ model }: { model: string }) => model))].sort()).toEqual(models);
  });

  it('can be asked for one model, by its name', async () => {
    const query = of('indexes(model: "Tenant") { model index definition verdict }  tables(model: "Tenant") { model }');
    const { indexes, tables } = await performance(tokens.operator, query);
    expect(tables).toEqual([{ model: 'Tenant' }]);
    expect(indexes).toContainEqual({
      model: 'Tenant',
      index: 'tenants_pkey',
      definition: expect.stringMatching(/^CREATE UNIQUE INDEX tenants_pkey ON .*tenants USING btree \(id\)$/),
      verdict: expect.stringMatching(/^used$|^unused since .*, kept: the primary key/),
    });
  });

  it('call an index unused that was never scanned, and say what keeps it when it is unique', async () => {
    const { indexes } = await performance(tokens.operator, of('indexes { index scans definition verdict }'));
    const unscanned = indexes.filter(({ scans }: { scans: number }) => scans === 0);
    expect(unscanned.length).toBeGreaterThan(0);
    for (const { definition, verdict } of unscanned) {
      expect(verdict).toMatch(/^unused since \d{4}-\d\d-\d\d/);
      if (definition.startsWith('CREATE UNIQUE')) expect(verdict).toContain(', kept: ');
    }
  });

  it('refuse an unknown model by name, also to those who would see nothing', async () => {
    for (const token of [tokens.operator, tokens.north]) {
      const { errors } = await service.send(token, of('tables(model: "tenants") { model }'));
      expect(errors?.[0]).toMatchObject({
        message: expect.stringMatching(/^model must be one of Tenant, .* but got: "tenants"\.$/),
        extensions: { code: 'BAD_USER_INPUT', argument: 'model' },
      });
    }
  });
});

describe('the Server-Timing header', () => {
  const statementsOf = (headers: Headers) =>
    /desc="(\d+) statements?"/.exec(headers.get('server-timing') ?? '')?.[1] ?? '0';

  it('tells how many statements the request took', async () => {
    service.statements.splice(0);
    const { headers } = await service.send(tokens.north, ACCOUNTS, { first: 10 });
    expect(headers.get('server-timing')).toMatch(/^total;dur=[\d.]+, db;dur=[\d.]+;desc=".*", cache;desc=bypass$/);
    expect(statementsOf(headers)).toBe(String(service.statements.length));
    const { operations } = await performance(
      tokens.north,
      '{ performance { operations { name statements databaseMs } } }',
    );
    const [accounts] = operations.filter(({ name }: { name: string }) => name === 'Accounts');
    expect(accounts.statements).toBeGreaterThanOrEqual(service.statements.length);
    expect(accounts.databaseMs).toBeGreaterThan(0);
  });

  it('counts the statements of a transaction too', async () => {
    service.statements.splice(0);
    const { data, headers } = await service.send(tokens.north, CREATE);
    expect(data.createAccount.userErrors).toEqual([]);
    expect(service.statements.map(({ action }) => action)).toEqual(['create', 'commit']);
    expect(statementsOf(headers)).toBe(String(service.statements.length));
  });

  it('counts for each of many requests at once its own statements only', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        index % 2
          ? service.send(tokens.north, ACCOUNTS, { first: 10 })
          : service.send(tokens.south, '{ viewer { id } }'),
      ),
    );
    const counts = answers.map(({ headers }) => statementsOf(headers));
    expect(new Set(counts.filter((_, index) => index % 2 === 0))).toEqual(new Set(['0']));
    expect(new Set(counts.filter((_, index) => index % 2 === 1)).size).toBe(1);
    expect(Number(counts[1])).toBeGreaterThan(0);
  });
});
