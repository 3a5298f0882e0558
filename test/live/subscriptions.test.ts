import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { insertAccounts, insertTenant } from '../support/fixtures.ts';
import { createTestDatabase, type TestDatabase, withKeptClient } from '../support/postgres.ts';
import { describeWithOwnRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { startService, type TestService } from '../support/service.ts';
import { bySse, byWebSocket, listen } from './live-clients.ts';

const DASHBOARD =
  'subscription Live($after: String) { dashboardChanged(after: $after) { overview { totalAccounts balances { amount } } } }';
const ACCOUNT = 'subscription One($id: ID!, $after: String) { accountChanged(id: $id, after: $after) { id balance } }';
const CHANGES =
  'subscription All($namespaces: [CacheNamespace!], $after: String) { changes(namespaces: $namespaces, after: $after) { namespaces cursor at } }';
const OPEN = `mutation Open($input: OpenAccountInput!) { openAccount(input: $input) { account { id } userErrors { message } } }`;

const WAYS = { 'server-sent events': bySse, WebSocket: byWebSocket };

let database: TestDatabase;
const ids = new Map<string, string>();
const accounts = new Map<string, string>();
beforeAll(async () => {
  database = await createTestDatabase();
  for (const slug of ['one', 'other']) {
    const id = await insertTenant(database.url, { slug });
    ids.set(slug, id);
    const [first = ''] = await insertAccounts(database.url, id, [
      { accountNumber: slug, balance: '1' },
      { accountNumber: `${slug}-2` },
    ]);
    accounts.set(slug, first);
  }
});
afterAll(() => database.drop());

let last = 1;
/** Writes past the API. @returns the balance that the tenant's first account has then */
async function writePast(slug: string, number = slug): Promise<string> {
  const balance = `${++last}.0000`;
  await withKeptClient(database.url, (client) =>
    client.query('UPDATE bank_accounts SET balance = $1 WHERE tenant_id = $2 AND account_number = $3', [
      balance,
      ids.get(slug),
      number,
    ]),
  );
  return balance;
}

describeWithOwnRedis('subscriptions', () => {
  let redis: TestRedis;
  let service: TestService;
  beforeAll(async () => {
    redis = await startRedis();
    service = await startService({ database, env: { REDIS_URL: redis.url } });
  });
  afterAll(async () => {
    await service.close();
    await redis.stop();
  });

  describe.each(Object.entries(WAYS))('by %s', (_name, by) => {
    test('tell how it is now, and then each change of the own tenant, past the API or by it', async () => {
      const way = by(service.url, await service.token(Role.ADMIN, 'one'));
      const told = listen(way, ACCOUNT, { id: accounts.get('one') });
      await told.after(0);
      const balance = await writePast('one');
      await told.after(1);
      expect(told.results[1].data).toEqual({ accountChanged: { id: accounts.get('one'), balance } });
      // Nothing of it is another: another tenant's account, and another account.
      await writePast('other');
      await writePast('one', 'one-2');
      const dashboard = listen(way, DASHBOARD);
      const { totalAccounts } = (await dashboard.after(0)).data.dashboardChanged.overview;
      const input = {
        bankName: 'B',
        accountNumber: `n-${last++}`,
        accountType: 'CHECKING',
        currency: 'EUR',
        idempotencyKey: crypto.randomUUID(),
      };
      const { errors, data } = await service.send(await service.token(Role.ADMIN, 'one'), OPEN, { input });
      expect(errors ?? data.openAccount.userErrors).toEqual([]);
      await dashboard.after(1);
      expect(dashboard.results[1].data.dashboardChanged.overview.totalAccounts).toBe(totalAccounts + 1);
      expect(told.results).toHaveLength(2);
      way.dispose();
    });

    test('go on where they were, and tell nothing when nothing has changed', async () => {
      const way = by(service.url, await service.token(Role.VIEWER, 'one'));
      const first = listen(way, ACCOUNT, { id: accounts.get('one') });
      await first.after(0);
      const { cursor } = first.results[0].extensions;
      first.leave();
      const idle = listen(way, ACCOUNT, { id: accounts.get('one'), after: cursor });
      const changes = listen(way, CHANGES);
      expect((await changes.after(0)).data.changes.namespaces).toEqual([]);
      const balance = await writePast('one');
      await idle.after(0);
      expect(idle.results.map(({ data }) => data.accountChanged.balance)).toEqual([balance]);
      // What changed while nobody was there is told at once.
      const late = listen(way, ACCOUNT, { id: accounts.get('one'), after: cursor });
      expect((await late.after(0)).data.accountChanged.balance).toBe(balance);
      await changes.after(1);
      expect(changes.results[1].data.changes.namespaces).toEqual(['ACCOUNTS', 'DASHBOARD']);
      const others = listen(way, CHANGES, {
        namespaces: ['STATISTICS'],
        after: changes.results[0].data.changes.cursor,
      });
      const missed = listen(way, CHANGES, { after: changes.results[0].data.changes.cursor });
      expect((await missed.after(0)).data.changes.namespaces).toEqual(['ACCOUNTS', 'DASHBOARD']);
      expect(others.results).toEqual([]);
      way.dispose();
    });
  });
});
