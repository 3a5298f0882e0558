import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSchema } from '../../src/app/schema.ts';
import { Role } from '../../src/auth/caller.ts';
import { readConfig } from '../../src/config/config.ts';
import { startService, type TestService } from '../support/service.ts';
import { insertTwins, TWINS, type Twin, twinAccountId } from '../support/twin-tenants.ts';

const TTL = { DASHBOARD: 1_000, STATISTICS: 2_000, ACCOUNTS: 3_000, TRANSACTIONS: 4_000, OTHER: 5_000 };

/**
 * Of each root field: an operation, and the kind that its answers are counted and kept as; null:
 * never kept.
 */
const KINDS: Readonly<Record<string, readonly [string, keyof typeof TTL | null]>> = {
  account: [`account(id: "${twinAccountId(0)}") { id }`, 'OTHER'],
  accountByNumber: ['accountByNumber(accountNumber: "1") { id }', 'OTHER'],
  accountList: ['accountList { page }', 'ACCOUNTS'],
  accounts: ['accounts { nodes { id } }', 'ACCOUNTS'],
  auditLog: ['auditLog { totalCount }', null],
  dashboard: ['dashboard(date: "2026-01-31") { date }', 'DASHBOARD'],
  performance: ['performance { since }', null],
  rateLimit: ['rateLimit { limit }', null],
  statistics: ['statistics(from: "2026-01-01", to: "2026-01-31") { from }', 'STATISTICS'],
  tenant: ['tenant { id }', 'OTHER'],
  transactions: ['transactions { nodes { id } }', 'TRANSACTIONS'],
  viewer: ['viewer { tenant { id } }', 'OTHER'],
};

let service: TestService;
let token: string;
let operator: string;
beforeAll(async () => {
  const ttl = Object.entries(TTL).map(([kind, seconds]) => [`CACHE_TTL_${kind}_SECONDS`, String(seconds)]);
  service = await startService({ env: Object.fromEntries(ttl) });
  await insertTwins(service.databaseUrl);
  token = await service.token(Role.ADMIN, (TWINS[0] as Twin).slug);
  operator = await service.token(Role.OPERATOR);
  await service.untilCaughtUp();
});
afterAll(() => service.close());

describe('every root field says of which kind its answers are', () => {
  it('this table has all of them', () => {
    const fields = Object.keys(createSchema().getQueryType()?.getFields() ?? {});
    expect(fields.sort()).toEqual(Object.keys(KINDS));
  });

  it.each(Object.entries(KINDS))('%s', async (_, [selection, kind]) => {
    await expectKind(`{ ${selection} }`, kind);
  });

  it('what has several kinds is counted as the more telling one, whatever comes first, and kept as the shortest', async () => {
    await expectKind('{ tenant { slug } transactions { totalCount } }', 'TRANSACTIONS');
    await expectKind('{ transactions { totalCount } tenant { slug } }', 'TRANSACTIONS');
    await expectKind('{ tenant { name } dashboard(date: "2026-01-30") { date } }', 'DASHBOARD');
  });
});

describe('CACHE_TTL_TRANSACTIONS_SECONDS', () => {
  it('is that of other data when it is not set', async () => {
    expect(readConfig({ CACHE_TTL_OTHER_SECONDS: '7' }).cache.ttlSeconds.transactions).toBe(7);
    expect(readConfig({ CACHE_TTL_TRANSACTIONS_SECONDS: '8' }).cache.ttlSeconds).toMatchObject({
      transactions: 8,
      other: 3_600,
    });
  });
});

async function expectKind(query: string, kind: keyof typeof TTL | null): Promise<void> {
  const before = kind && (await hitsOf(kind));
  expect((await service.send(token, query)).errors).toBeUndefined();
  const status = (await service.send(token, query)).headers.get('cache-status') ?? '';
  if (kind === null) {
    expect(status).toBe('tenantry; fwd=bypass; detail=momentary');
    return;
  }
  expect(await hitsOf(kind)).toBe((before ?? 0) + 1);
  const ttl = Number(/^tenantry; hit; ttl=(\d+)/.exec(status)?.[1]);
  expect(ttl).toBeGreaterThan(TTL[kind] - 100);
  expect(ttl).toBeLessThanOrEqual(TTL[kind]);
}

async function hitsOf(kind: string): Promise<number> {
  const { data } = await service.send(operator, '{ performance { cache { namespace hits } } }');
  const caches: { namespace: string; hits: number }[] = data.performance.cache;
  return caches.find(({ namespace }) => namespace === kind.toLowerCase())?.hits ?? 0;
}
