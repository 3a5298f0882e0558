import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { invalidationOf, PATTERN_FORMS } from '../../src/cache/dependencies/patterns.ts';
import { type OperatorRedis, openOperatorRedis } from '../../src/cache/redis/operator-redis.ts';
import { findEntries } from '../../src/commands/cache-inspection/find-entries.ts';
import type { KeptEntry } from '../../src/commands/cache-inspection/kept-entry.ts';
import { readTenantState } from '../../src/commands/cache-inspection/tenant-state.ts';
import { TenantScope } from '../../src/tenancy/tenant-scope.ts';
import { withClient } from '../support/postgres.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { startService, type TestService } from '../support/service.ts';
import { insertTwins, TWINS, type Twin } from '../support/twin-tenants.ts';
import { SELECTIONS } from './data/selections.ts';

const SETTINGS = { seed: 20261129, endOnFailure: true };
/** A write to Redis, which no answer waits for. */
const WRITE_MS = 5;
const OWN = TWINS[0] as Twin;
const INVALIDATE = 'mutation ($input: InvalidateCacheInput!) { invalidateCache(input: $input) { namespaces } }';

/** Some of each kind of data entry. */
const QUERIES = [
  '{ dashboard(date: "2026-11-01") { overview { totalAccounts } topAccounts { id } recentTransactions(limit: 7) { id } } }',
  '{ dashboard(date: "2026-10-31") { activity(days: 3) { totals { net } } } }',
  ...['DAILY', 'WEEKLY', 'YEARLY'].map(
    (period) => `{ statistics(period: ${period}, from: "2026-01-01", to: "2026-01-31") { totals { net } } }`,
  ),
  '{ statistics(from: "2026-01-02", to: "2026-01-31") { totals { net } } }',
  '{ accounts(filter: { isActive: true }) { nodes { id } totalCount } }',
];

/**
 * Keys that those make, and with them the key of a list, whose hash is unknown here, and of reads
 * by the Prisma client.
 */
const FILLED = [
  ...['dashboard:2026-11-01', 'dashboard:2026-10-31'],
  ...['daily', 'weekly', 'yearly'].map((period) => `statistics:${period}:2026-01-01:2026-01-31`),
  'statistics:daily:2026-01-02:2026-01-31',
];
const KEYS = [
  ...[...FILLED, `accounts:list:${'a-_0'.repeat(10)}xyz`],
  ...['transactions:Transaction.findMany:all%3A1', `accounts:BankAccount.count:${'B'.repeat(43)}`],
];

/** Patterns near keys: parts left out, replaced, cut, and followed by asterisks. */
const pattern = fc.constantFrom('*', 'tenant:day', ...KEYS).chain((key) =>
  fc
    .tuple(
      ...key.split(':').map((part) =>
        fc.oneof(
          { weight: 6, arbitrary: fc.constant(part) },
          { weight: 1, arbitrary: fc.constant('*') },
          { weight: 1, arbitrary: fc.nat(part.length).map((end) => `${part.slice(0, end)}*`) },
          {
            weight: 1,
            arbitrary: fc.constantFrom('', 'x', 'daily', 'list', '2026-02-30', `*${part.slice(-2)}`, '**'),
          },
        ),
      ),
    )
    .chain((parts) => fc.nat(parts.length - 1).map((cut) => parts.slice(0, parts.length - cut)))
    .chain((parts) => fc.constantFrom(parts, [...parts, '*']))
    .map((parts) => parts.join(':')),
);

/** As Redis matches keys: an asterisk is any text. And as the beginning of a key, part by part. */
function matches(pattern: string, key: string): boolean {
  const [glob, beginning] = ['.*', '[^:]*'].map((any) =>
    pattern
      .split('*')
      .map((text) => text.replace(/[^\w]/g, '\\$&'))
      .join(any),
  );
  return new RegExp(`^${glob}$`).test(key) || new RegExp(`^${beginning}(:|$)`).test(key);
}

/**
 * Those that may be refused though a key matches: asterisks elsewhere than at the end of parts, or
 * in the namespace.
 */
function isBeyondForms(pattern: string): boolean {
  return pattern.split(':').some((part, place) => /\*./.test(part) || (place === 0 && part.includes('*')));
}

describe('patterns', () => {
  it('stand for all keys that match, and are refused where none can', () => {
    const outcomes = { refused: 0, known: 0 };
    fc.assert(
      fc.property(pattern, (pattern) => {
        const matching = KEYS.filter((key) => matches(pattern, key));
        const asked = invalidationOf(pattern);
        outcomes[asked ? 'known' : 'refused']++;
        if (!asked) expect(isBeyondForms(pattern) ? [] : matching).toEqual([]);
        for (const key of asked ? matching : [])
          expect(
            asked?.dependencies.some((name) => `${key}:`.startsWith(`${name}:`)),
            key,
          ).toBe(true);
      }),
      { ...SETTINGS, numRuns: 5_000 },
    );
    expect(Math.min(outcomes.known, outcomes.refused)).toBeGreaterThan(500);
  });

  it.each([
    ['*', ['accounts', 'transactions', 'dashboard', 'statistics', 'tenant']],
    ['dashboard', ['dashboard']],
    ['dashboard:*', ['dashboard']],
    ['dashboard:2026-11-01', ['dashboard']],
    ['dashboard:2026-11-*', ['dashboard']],
    ['dashboard:2026-11-3*', ['dashboard']],
    ['statistics:daily', ['statistics:daily']],
    ['statistics:daily:*', ['statistics:daily']],
    ['statistics:daily:2026-01-01:2026-01-31', ['statistics:daily']],
    ['statistics:d*', ['statistics']],
    ['statistics:*:2026-01-01:*', ['statistics']],
    ['accounts:list:*', ['accounts:list']],
    ['accounts:list*', ['accounts']],
    ['transactions:*', ['transactions']],
  ])('%s makes %j old', (pattern, dependencies) => {
    expect(invalidationOf(pattern)?.dependencies).toEqual(dependencies);
  });

  it.each([
    ...['', ':', '**', '*:*', 'dash*', 'dashboard*', 'Dashboard:*', 'dashboard:', 'dashboard:2026-02-30', 'tenant:*'],
    ...['dashboard:2026-02-3*', 'dashboard:yesterday', 'dashboard:2026-11-01:x', 'response:*', 'versions', 'rows:*'],
    ...['statistics:hourly:*', 'statistics:DAILY', 'accounts:list:x', '*:2026-11-01', 'dashboard:*-01', ' dashboard:*'],
  ])('%j is refused', (pattern) => {
    expect(invalidationOf(pattern)).toBeUndefined();
  });
});

describeWithRedis('invalidateCache', () => {
  let redis: TestRedis;
  let operator: OperatorRedis;
  let service: TestService;
  let token: string;
  let identity: string;
  beforeAll(async () => {
    redis = await startRedis();
    operator = await openOperatorRedis({ REDIS_URL: redis.url });
    service = await startService({
      env: { REDIS_URL: redis.url, CACHE_MEMORY_BYTES: '0', LIMIT_POINTS_PER_MINUTE: '2000000000' },
    });
    await insertTwins(service.databaseUrl);
    identity = await databaseOf(service);
    token = await service.token(Role.ADMIN, OWN.slug);
    await service.untilCaughtUp();
  });
  afterAll(async () => {
    await service.close();
    operator.client.disconnect();
    await redis.stop();
  });

  test('invalidates every key that matches, says so, and leaves the other namespaces', {
    timeout: 120_000,
  }, async () => {
    const property = fc.asyncProperty(pattern, async (pattern) => {
      const before = await filled();
      const { data, errors } = await service.send(token, INVALIDATE, { input: { pattern } });
      const after = await dataEntries();
      const old = after.filter(({ key, state }) => state === 'old' && before.includes(key));
      if (errors) {
        expect(errors[0]).toMatchObject({ extensions: { code: 'BAD_USER_INPUT', argument: 'input.pattern' } });
        expect(errors[0]?.message).toContain(`must be one of ${PATTERN_FORMS.join(', ')}, but got: `);
        expect(old).toEqual([]);
        return;
      }
      const { namespaces } = data.invalidateCache;
      expect(namespaces.length).toBeGreaterThan(0);
      const keys = old.map(({ key }) => key);
      expect(before.filter((key) => matches(pattern, key) && !keys.includes(key))).toEqual([]);
      const { dependencies } = invalidationOf(pattern) as { dependencies: readonly string[] };
      for (const entry of old)
        expect(
          entry.dependencies.some((name) => dependencies.includes(name)),
          entry.key,
        ).toBe(true);
      expect(namespaces).toEqual(
        expect.arrayContaining(
          dependencies.filter((name) => name !== 'tenant').map((name) => name.split(':', 1)[0]?.toUpperCase()),
        ),
      );
    });
    await fc.assert(property, { ...SETTINGS, numRuns: 60 });
  });

  test('every data entry there is can be named by its key, but for those of the tenant itself', async () => {
    for (const selection of SELECTIONS) await service.send(token, `{ ${selection} }`);
    const keys = (await dataEntries()).map(({ key }) => key);
    expect(keys.length).toBeGreaterThan(20);
    const unnamed = keys.filter((key) => !invalidationOf(key)).map((key) => key.split(':').slice(0, 2).join(':'));
    expect(unnamed.sort()).toEqual(['tenant:Tenant.findFirst', 'tenant:day']);
  });

  test.each([
    [
      'an empty list of namespaces',
      { namespaces: [] },
      'input.namespaces must be absent for everything, or name at least one of ACCOUNTS, TRANSACTIONS, DASHBOARD, STATISTICS, but got: [].',
    ],
    ['an empty list beside no pattern', { namespaces: [], pattern: null }, 'but got: [].'],
    ['an empty pattern', { pattern: '' }, 'input.pattern must be one of *, accounts:*'],
    ['what shows the tenant alone', { pattern: 'tenant:*' }, 'but got: "tenant:*".'],
    ['both', { namespaces: ['ACCOUNTS'], pattern: '*' }, 'input.pattern must be absent when namespaces are given'],
  ])('refuses %s, and invalidates nothing', async (_, input, message) => {
    const before = await filled();
    const { errors } = await service.send(token, INVALIDATE, { input });
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    expect(errors?.[0]?.message).toContain(message);
    expect(current(await dataEntries())).toEqual(before);
  });

  test.each([
    [{}, ['ACCOUNTS', 'TRANSACTIONS', 'DASHBOARD', 'STATISTICS']],
    [{ namespaces: null, pattern: null }, ['ACCOUNTS', 'TRANSACTIONS', 'DASHBOARD', 'STATISTICS']],
    [{ namespaces: ['STATISTICS', 'ACCOUNTS', 'STATISTICS'] }, ['ACCOUNTS', 'STATISTICS']],
    [{ pattern: 'statistics:daily:2026-01-01:2026-01-31' }, ['STATISTICS']],
  ])('%j says that it invalidated %j', async (input, namespaces) => {
    const { data } = await service.send(token, INVALIDATE, { input });
    expect(data.invalidateCache).toEqual({ namespaces });
  });

  /**
   * Fills the cache until Redis has all of it, which loses a write when it is slow. @returns the
   * data entries that are current
   */
  async function filled(): Promise<string[]> {
    for (;;) {
      const keys = current(await dataEntries());
      const lists = keys.filter((key) => key.startsWith('accounts:list:'));
      if (lists.length >= 2 && FILLED.every((key) => keys.includes(key))) return keys;
      // An answer that is kept fills in none of the values that it is made of.
      const answers = await operator.client.keys(`tenant:{${OWN.id}}:response:*`);
      if (answers.length > 0) await operator.client.unlink(answers);
      for (const query of QUERIES) expect((await service.send(token, query)).errors).toBeUndefined();
      await wait(WRITE_MS);
    }
  }

  function current(entries: readonly KeptEntry[]): string[] {
    const found = entries.filter(({ state }) => state === 'current');
    return found.map(({ key }) => key).sort();
  }

  async function dataEntries(): Promise<KeptEntry[]> {
    const scope = TenantScope.ofOperatorCommand(OWN.id);
    const { versions } = await readTenantState(operator, scope, identity);
    const entries: KeptEntry[] = [];
    for await (const page of findEntries(operator, scope, versions, 1_000_000)) entries.push(...page.entries);
    return entries.filter(({ key }) => !key.startsWith('response:'));
  }
});

async function databaseOf({ databaseUrl }: TestService): Promise<string> {
  const { rows } = await withClient(databaseUrl, (client) =>
    client.query<{ identity: string }>('SELECT cache_database_identity() AS identity'),
  );
  return rows[0]?.identity ?? '';
}
