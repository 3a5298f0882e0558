import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { Role } from '../../src/auth/caller.ts';
import { createTokenIssuer } from '../../src/auth/token-issuer.ts';
import { insertAccounts, insertTenant } from '../support/fixtures.ts';
import { postJson } from '../support/post.ts';
import { createTestDatabase, type TestDatabase, withKeptClient } from '../support/postgres.ts';
import { describeWithOwnRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { startService, type TestService } from '../support/service.ts';
import { until } from '../support/until.ts';
import { bySse, byWebSocket, listen } from './live-clients.ts';

const DASHBOARD =
  'subscription Live($after: String) { dashboardChanged(after: $after) { overview { totalAccounts balances { amount } } } }';
const ACCOUNT = 'subscription One($id: ID!, $after: String) { accountChanged(id: $id, after: $after) { id balance } }';
const CHANGES =
  'subscription All($namespaces: [CacheNamespace!], $after: String) { changes(namespaces: $namespaces, after: $after) { namespaces cursor at } }';
const OPEN = `mutation Open($input: CreateAccountInput!) { createAccount(input: $input) { account { id } userErrors { message } } }`;

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
      };
      const { errors, data } = await service.send(await service.token(Role.ADMIN, 'one'), OPEN, { input });
      expect(errors ?? data.createAccount.userErrors).toEqual([]);
      await dashboard.after(1);
      expect(dashboard.results[1].data.dashboardChanged.overview.totalAccounts).toBe(totalAccounts + 1);
      expect(told.results).toHaveLength(2);
      way.dispose();
    });

    test('go on where they were, and tell nothing when nothing has changed', async () => {
      const way = by(service.url, await service.token(Role.VIEWER, 'one'));
      let cursor: string | undefined;
      // A process that trusts no versions at the moment gives none.
      while (cursor === undefined) {
        const first = listen(way, ACCOUNT, { id: accounts.get('one') });
        cursor = (await first.after(0)).extensions?.cursor;
        first.leave();
      }
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

  test('are ended with the token, and begin again with another', async () => {
    const tenantId = ids.get('one') ?? '';
    const issuer = createTokenIssuer(service.services.config.auth, false);
    const caller = { subject: 'brief', role: Role.VIEWER, tenantId };
    const brief = await issuer.issue({ ...caller, lifetimeSeconds: -3 });
    const lasting = await issuer.issue({ ...caller, lifetimeSeconds: 600 });
    const tokens = [brief, lasting];
    const codes: number[] = [];
    const socket = byWebSocket(service.url, () => tokens.shift() ?? '', {
      retryAttempts: 1,
      on: { closed: (event) => void codes.push((event as CloseEvent).code) },
    });
    const stream = bySse(service.url, brief);
    const [bySocket, byStream] = [
      listen(socket, ACCOUNT, { id: accounts.get('one') }),
      listen(stream, ACCOUNT, { id: accounts.get('one') }),
    ];
    await Promise.all([bySocket.after(0), byStream.after(0)]);
    await until(() => byStream.isComplete() && bySocket.results.length === 2, 'both tokens ended', 20_000);
    expect(byStream.results.at(-1).errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
    expect(codes).toEqual([4403]);
    socket.dispose();
  });

  test('come at most ten times a second, and the last state always comes', async () => {
    const way = bySse(service.url, await service.token(Role.VIEWER, 'one'));
    const told = listen(way, ACCOUNT, { id: accounts.get('one') });
    await told.after(0);
    const began = performance.now();
    let balance = '';
    for (let write = 0; write < 30; write++) balance = await writePast('one');
    await until(() => told.results.at(-1).data.accountChanged.balance === balance, 'the last state');
    const seconds = (performance.now() - began) / 1_000;
    expect(told.results.length - 1).toBeLessThanOrEqual(Math.ceil(seconds * 10) + 1);
    expect(told.results.length).toBeGreaterThan(1);
    way.dispose();
  });

  test('tell a tenant nothing of another one, whatever cursor it brings', async () => {
    const [one, other] = [
      bySse(service.url, await service.token(Role.VIEWER, 'one')),
      byWebSocket(service.url, await service.token(Role.VIEWER, 'other')),
    ];
    const own = listen(one, CHANGES);
    const { cursor } = (await own.after(0)).data.changes;
    const foreign = listen(other, CHANGES, { after: cursor });
    // Another tenant's versions are taken for unknown ones.
    expect((await foreign.after(0)).data.changes.namespaces).toHaveLength(4);
    const account = listen(other, ACCOUNT, { id: accounts.get('one') });
    expect((await account.after(0)).data.accountChanged).toBeNull();
    await writePast('one');
    await own.after(1);
    await writePast('other');
    await foreign.after(1);
    expect([own.results.length, foreign.results.length, account.results.length]).toEqual([2, 2, 1]);
    one.dispose();
    other.dispose();
  });

  test.each([
    ['a field that there is not', 'subscription { nothing }', 400, 'GRAPHQL_VALIDATION_FAILED'],
    ['two fields', 'subscription { a: changes { at } b: changes { at } }', 400, 'GRAPHQL_VALIDATION_FAILED'],
    ['a directive around its field', 'subscription { changes @skip(if: false) { at } }', 400, 'BAD_REQUEST'],
    ['no namespace', 'subscription { changes(namespaces: []) { at } }', 400, 'BAD_USER_INPUT'],
    ['a namespace that there is not', 'subscription { changes(namespaces: [ALL]) { at } }', 400, 'BAD_USER_INPUT'],
    ['what is no cursor', 'subscription { changes(after: "x") { at } }', 400, 'BAD_USER_INPUT'],
    ['an argument that is missing', 'subscription { accountChanged { id } }', 400, 'GRAPHQL_VALIDATION_FAILED'],
  ])('are refused with %s, alike on both ways', async (_what, query, status, code) => {
    const token = await service.token(Role.VIEWER, 'one');
    const refused = await postJson(
      `${service.url}/graphql`,
      { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
      JSON.stringify({ query }),
    );
    const { message } = JSON.parse(refused.body).errors[0];
    expect([refused.status, JSON.parse(refused.body).errors[0].extensions.code]).toEqual([status, code]);
    const way = byWebSocket(service.url, token);
    const told = listen(way, query);
    await until(() => told.failure() !== undefined);
    expect(told.failure()).toMatchObject([{ message, extensions: { code } }]);
    way.dispose();
  });

  test('of what only the resolver can tell to be wrong end with its error', async () => {
    const token = await service.token(Role.VIEWER, 'one');
    const [stream, socket] = [bySse(service.url, token), byWebSocket(service.url, token)];
    const [byStream, bySocket] = [listen(stream, ACCOUNT, { id: 'x' }), listen(socket, ACCOUNT, { id: 'x' })];
    await until(() => byStream.isComplete() && bySocket.failure() !== undefined);
    expect(byStream.results[0].errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    expect(bySocket.failure()).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    socket.dispose();
  });

  test('without events as an answer are told the two ways', async () => {
    const { status, errors } = await service.send(await service.token(Role.VIEWER, 'one'), CHANGES);
    expect([status, errors?.[0]?.extensions.code]).toEqual([400, 'BAD_REQUEST']);
    expect(errors?.[0]?.message).toMatch(/text\/event-stream.*graphql-transport-ws/);
  });

  test('are of no use to an operator, and queries and mutations do not come by WebSocket', async () => {
    const operator = byWebSocket(service.url, await service.token(Role.OPERATOR));
    const refused = listen(operator, CHANGES);
    const admin = byWebSocket(service.url, await service.token(Role.ADMIN, 'one'));
    const query = listen(admin, '{ viewer { name } }');
    const stranger = byWebSocket(service.url, 'no token');
    const unknown = listen(stranger, CHANGES);
    await until(() => [refused, query, unknown].every(({ failure }) => failure() !== undefined));
    expect(refused.failure()).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    expect(query.failure()).toMatchObject([{ extensions: { code: 'BAD_REQUEST' } }]);
    expect(unknown.failure()).toMatchObject({ code: 4401 });
    operator.dispose();
    admin.dispose();
  });

  test('are told once more when Redis was away, whatever was written meanwhile', async () => {
    const way = byWebSocket(service.url, await service.token(Role.VIEWER, 'one'));
    const [told, changes] = [listen(way, ACCOUNT, { id: accounts.get('one') }), listen(way, CHANGES)];
    await Promise.all([told.after(0), changes.after(0)]);
    await redis.kill();
    const balance = await writePast('one');
    await redis.restart();
    await until(() => told.results.at(-1).data.accountChanged.balance === balance, 'what was written meanwhile');
    expect((await changes.after(1)).data.changes.namespaces).toContain('ACCOUNTS');
    way.dispose();
  });

  test('leave other requests for an upgrade to HTTP as they are', async () => {
    const port = Number(new URL(service.url).port);
    const socket = connect(port, '127.0.0.1');
    const body = JSON.stringify({ query: '{ __typename }' });
    const token = await service.token(Role.VIEWER, 'one');
    socket.write(
      `POST /graphql HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1.1 200/);
    // The connection goes on.
    socket.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1.1 /);
    socket.destroy();
  });

  test.each([
    ['no JSON', 'x', 4400],
    ['a message of no kind', '{"type":"x"}', 4400],
    [
      'a subscription ahead of the token',
      '{"type":"subscribe","id":"1","payload":{"query":"subscription{changes{at}}"}}',
      4401,
    ],
    ['a message of a megabyte', 'x'.repeat(1024 * 1024), 1009],
  ])('end a connection that sends %s', async (_what, message, code) => {
    const socket = new WebSocket(`${service.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    socket.on('error', () => {});
    await once(socket, 'open');
    socket.send(message);
    expect((await once(socket, 'close'))[0]).toBe(code);
  });

  test.each([
    ['another address', '/other', {}, 'graphql-transport-ws', 404],
    ['another protocol', '/graphql', {}, 'graphql-ws', 400],
  ])('refuse to connect to %s', async (_what, path, headers, protocol, status) => {
    const socket = new WebSocket(service.url.replace('http', 'ws') + path, protocol, { headers });
    const [error] = await once(socket, 'error').catch((thrown) => [thrown]);
    expect(String(error)).toContain(String(status));
  });

  describe('of a service with small limits', () => {
    let small: TestService;
    beforeAll(async () => {
      const env = {
        LIMIT_TENANT_SUBSCRIPTIONS: '1',
        LIMIT_SUBSCRIPTIONS: '2',
        SUBSCRIPTION_HEARTBEAT_MS: '100',
        CORS_ORIGINS: 'https://app.example',
        HTTP_REQUEST_TIMEOUT_MS: '500',
      };
      small = await startService({ database, env: { REDIS_URL: redis.url, ...env } });
    });

    test('are bounded for each tenant and for the process', async () => {
      const ways = ['one', 'other'].map(async (slug) => bySse(small.url, await small.token(Role.VIEWER, slug)));
      const [one, other] = await Promise.all(
        ways as [Promise<ReturnType<typeof bySse>>, Promise<ReturnType<typeof bySse>>],
      );
      const first = listen(one, CHANGES);
      await first.after(0);
      const second = listen(one, CHANGES);
      await until(() => second.failure() !== undefined);
      expect(await (second.failure() as { response: Response }).response.json()).toMatchObject({
        errors: [{ extensions: { code: 'TOO_MANY_SUBSCRIPTIONS', of: 'tenant', limit: 1 } }],
      });
      first.leave();
      const others = listen(other, CHANGES);
      await others.after(0);
      await until(async () => {
        const again = listen(one, CHANGES);
        await until(() => again.results.length > 0 || again.failure() !== undefined);
        return again.results.length > 0;
      }, 'a place that was left is given to the next');
      one.dispose();
      other.dispose();
    });

    test('come to pages of trusted origins alone', async () => {
      const codes = ['https://app.example', 'https://evil.example'].map(async (origin) => {
        const socket = new WebSocket(`${small.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
          headers: { origin },
        });
        const outcome = await Promise.race([
          once(socket, 'open').then(() => 'open'),
          once(socket, 'error').then(([error]) => String(error)),
        ]).catch(String);
        socket.close();
        return outcome;
      });
      expect(await Promise.all(codes)).toEqual(['open', expect.stringContaining('403')]);
    });

    test('of a client that does not read are not gathered, and are cut off', async () => {
      const token = await small.token(Role.VIEWER, 'one');
      const query = `subscription { dashboardChanged { generatedAt ${Array.from({ length: 25 }, (_, n) => `a${n}: activity(days: 366) { series { date } }`).join(' ')} } }`;
      const body = JSON.stringify({ query });
      const socket = connect(Number(new URL(small.url).port), '127.0.0.1');
      socket.pause();
      socket.write(
        `POST /graphql HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      let hasEnded = false;
      socket.once('close', () => {
        hasEnded = true;
      });
      socket.on('error', () => {});
      const isOpen = async () =>
        (await (await fetch(`${small.url}/metrics`)).text()).includes('tenantry_subscriptions{transport="sse"} 1');
      await until(isOpen, 'it is open');
      // Nobody reads: what the system takes is bounded, and so is what waits.
      while (await isOpen()) await writePast('one');
      socket.resume();
      await until(() => hasEnded, 'the connection is over');
    });

    test('are ended for clients to connect again when the service stops', async () => {
      const codes: number[] = [];
      const socket = byWebSocket(small.url, await small.token(Role.VIEWER, 'one'), {
        on: { closed: (event) => void codes.push((event as CloseEvent).code) },
      });
      const stream = bySse(small.url, await small.token(Role.VIEWER, 'other'));
      const [bySocket, byStream] = [listen(socket, CHANGES), listen(stream, CHANGES)];
      await Promise.all([bySocket.after(0), byStream.after(0)]);
      await small.close();
      await until(() => byStream.failure() !== undefined && codes.length > 0);
      expect(codes).toEqual([1001]);
      expect(byStream.isComplete()).toBe(false); // complete would keep the client from connecting again
    });
  });
});

test('subscriptions work without Redis, and are refused without a cache', async () => {
  const alone = await startService({ database });
  const way = bySse(alone.url, await alone.token(Role.VIEWER, 'one'));
  const told = listen(way, ACCOUNT, { id: accounts.get('one') });
  await told.after(0);
  const balance = await writePast('one');
  expect((await told.after(1)).data.accountChanged.balance).toBe(balance);
  way.dispose();
  await alone.close();
  const off = await startService({ database, env: { CACHE: 'off' } });
  const refused = await postJson(
    `${off.url}/graphql`,
    { authorization: `Bearer ${await off.token(Role.VIEWER, 'one')}`, accept: 'text/event-stream' },
    JSON.stringify({ query: CHANGES }),
  );
  expect([refused.status, refused.body]).toEqual([501, expect.stringContaining('CACHE=on')]);
  await off.close();
});
