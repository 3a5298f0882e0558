import { createSecretKey } from 'node:crypto';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSchema } from '../../src/app/schema.ts';
import { Role } from '../../src/auth/caller.ts';
import type { Model } from '../../src/models/define-model.ts';
import { REGISTERED_MODELS } from '../../src/registered-models.ts';
import { TenantDocument, ViewerDocument } from '../generated/graphql.ts';
import { request } from '../support/client.ts';
import { withClient } from '../support/postgres.ts';
import { type GraphqlAnswer, startService, type TestService } from '../support/service.ts';
import { insertTwins, TWINS, type Twin, twinAccountId } from '../support/twin-tenants.ts';

const [PRAGUE, NEW_YORK] = TWINS as [Twin, Twin];
const SECRET = 'a secret for this test only, of 32 bytes or more';
const WORDING = 'A valid bearer token is needed: send "Authorization: Bearer <token>".';

/** One operation for each query that shows a tenant's data. */
const BUSINESS: Readonly<Record<string, string>> = {
  tenant: '{ tenant { id } }',
  account: `{ account(id: "${twinAccountId(0)}") { id } }`,
  accountByNumber: '{ accountByNumber(accountNumber: "0001") { id } }',
  accounts: '{ accounts(first: 1) { totalCount nodes { id tenant { id } recentTransactions { id } } } }',
  accountList: '{ accountList { count } }',
  transactions: '{ transactions(first: 1) { nodes { id account { id } } } }',
  dashboard: '{ dashboard { date overview { totalAccounts } topAccounts { id } recentTransactions { id } } }',
  statistics: '{ statistics(from: "2025-01-01", to: "2025-01-02") { from totals { net } } }',
  ...Object.fromEntries(
    Object.values<Model>(REGISTERED_MODELS).map(({ list }) => [list, `{ ${list} { nodes { id } } }`]),
  ),
};
/** The other queries, and what they show to whom is tested with them. */
const ABOUT_THE_CALLER_OR_THE_SERVICE = ['auditLog', 'performance', 'rateLimit', 'viewer'];

let service: TestService;
beforeAll(async () => {
  service = await startService({ env: { AUTH_SECRET: SECRET } });
  await insertTwins(service.databaseUrl);
  await service.untilCaughtUp();
});
afterAll(() => service.close());

function code({ errors }: GraphqlAnswer): string | undefined {
  return errors?.[0]?.extensions.code;
}

/** A token that the service did not issue, with the claims of a good one unless said otherwise. */
function forge(claims: Readonly<Record<string, unknown>> = {}, secret = SECRET): Promise<string> {
  const nowSeconds = Math.floor(Date.now() / 1000);
  const good = { sub: 'ann', name: 'Ann', role: 'ADMIN', tenant: PRAGUE.id, iat: nowSeconds, exp: nowSeconds + 600 };
  return new SignJWT({ ...good, ...claims }).setProtectedHeader({ alg: 'HS256' }).sign(createSecretKey(secret, 'utf8'));
}

describe('viewer', () => {
  test.each([Role.VIEWER, Role.ANALYST, Role.ADMIN])(
    'shows a caller with the role %s and their tenant',
    async (role) => {
      const { viewer } = await request(service, await service.token(role, PRAGUE.slug), ViewerDocument);
      const { tenant } = await request(service, await service.token(role, PRAGUE.slug), TenantDocument);
      expect(viewer).toEqual({ id: `test-${role}`, name: `test-${role}`, role, tenant });
      expect(tenant).toEqual({
        id: PRAGUE.id,
        slug: PRAGUE.slug,
        name: PRAGUE.slug,
        timeZone: PRAGUE.timeZone,
        createdAt: '2020-01-01T00:00:00.000Z',
      });
    },
  );

  test('reads the tenant once for whatever is asked with it, until it changes', async () => {
    const token = await service.token(Role.ADMIN, NEW_YORK.slug);
    const id = twinAccountId(0);
    const ask = async (query: string) => {
      service.statements.splice(0);
      const { data } = await service.send(token, query);
      const read = service.statements.filter(({ model }) => model === 'Tenant').map(({ action }) => action);
      return [data.tenant?.name ?? data.viewer?.tenant.name ?? data.account.tenant.name, read];
    };
    const queries = ['tenant { name }', 'tenant { slug name }', 'viewer { tenant { name } }'];
    const others = [`account(id: "${id}") { tenant { name } }`, 'tenant { name timeZone }'];
    await ask(`{ ${queries[0]} }`);
    for (const query of [...queries.slice(1), ...others]) expect(await ask(`{ ${query} }`)).toEqual(['new-york', []]);
    const rename = (name: string) =>
      withClient(service.databaseUrl, (client) =>
        client.query('UPDATE tenants SET name = $2 WHERE id = $1', [NEW_YORK.id, name]),
      );
    await rename('Renamed');
    await service.untilCaughtUp();
    expect(await ask(`{ ${queries[2]} }`)).toEqual(['Renamed', ['findFirst']]);
    await rename('new-york');
    await service.untilCaughtUp();
  });

  test('shows an OPERATOR without a tenant, whatever the token says of one', async () => {
    const { viewer } = await request(service, await forge({ role: 'OPERATOR' }), ViewerDocument);
    expect(viewer).toEqual({ id: 'ann', name: 'Ann', role: 'OPERATOR', tenant: null });
  });

  test('is never answered with another caller’s answer, also of the same subject', async () => {
    const callers = [
      { sub: 'ann', name: 'Ann', role: 'ADMIN' },
      { sub: 'ann', name: 'Anna', role: 'ADMIN' },
      { sub: 'ann', name: 'Ann', role: 'VIEWER' },
      { sub: 'bob', name: 'Ann', role: 'ADMIN' },
    ];
    for (const _ of ['cold', 'hot'])
      for (const claims of callers)
        for (const tenant of [PRAGUE, NEW_YORK]) {
          const { viewer } = await request(service, await forge({ ...claims, tenant: tenant.id }), ViewerDocument);
          const { sub: id, name, role } = claims;
          expect(viewer).toMatchObject({ id, name, role, tenant: { id: tenant.id, slug: tenant.slug } });
        }
  });
});

describe('roles', () => {
  test('every query is either about a tenant’s business, the caller or the service', () => {
    const queries = Object.keys(createSchema().getQueryType()?.getFields() ?? {});
    expect([...Object.keys(BUSINESS), ...ABOUT_THE_CALLER_OR_THE_SERVICE].sort()).toEqual(queries.sort());
  });

  test.each(Object.entries(BUSINESS))(
    'a VIEWER reads %s and an OPERATOR does not, also when it is kept',
    async (_name, query) => {
      const viewer = await service.token(Role.VIEWER, PRAGUE.slug);
      const operator = await service.token(Role.OPERATOR);
      for (const _ of ['cold', 'hot']) {
        const read = await service.send(viewer, query);
        expect([read.status, read.errors]).toEqual([200, undefined]);
        const refused = await service.send(operator, query);
        expect(Object.values(refused.data ?? {}).filter((value) => value !== null)).toEqual([]);
        expect(refused.errors).toMatchObject([
          { message: 'This needs the role VIEWER or ANALYST or ADMIN.', extensions: { code: 'FORBIDDEN' } },
        ]);
      }
    },
  );

  test.each(['dashboard(refresh: true) { date }', 'statistics(refresh: true) { from }'])(
    'a VIEWER may not ask for %s',
    async (selection) => {
      for (const [role, expected] of [
        [Role.VIEWER, 'FORBIDDEN'],
        [Role.ANALYST, undefined],
        [Role.ADMIN, undefined],
      ] as const)
        expect(code(await service.send(await service.token(role, PRAGUE.slug), `{ ${selection} }`))).toBe(expected);
    },
  );

  test('a VIEWER may not see how the service performs', async () => {
    const query = '{ performance { since } }';
    expect(code(await service.send(await service.token(Role.VIEWER, PRAGUE.slug), query))).toBe('FORBIDDEN');
    for (const role of [Role.ANALYST, Role.ADMIN])
      expect(code(await service.send(await service.token(role, PRAGUE.slug), query))).toBeUndefined();
  });
});

describe('without a token that holds', () => {
  test.each(Object.entries({ ...BUSINESS, viewer: '{ viewer { id } }', rateLimit: '{ rateLimit { limit } }' }))(
    '%s is UNAUTHENTICATED with status 401',
    async (_name, query) => {
      await service.send(await service.token(Role.VIEWER, PRAGUE.slug), query);
      const { status, data, errors, headers } = await service.send(null, query);
      expect([status, headers.get('www-authenticate'), data ?? null]).toEqual([401, 'Bearer', null]);
      expect(errors).toMatchObject([{ message: WORDING, extensions: { code: 'UNAUTHENTICATED' } }]);
    },
  );

  const unsigned = [{ alg: 'none' }, { sub: 'ann', role: 'ADMIN', tenant: PRAGUE.id, exp: 4_000_000_000 }];
  test.each<readonly [string, () => Promise<string> | string]>([
    ['signed with another secret', () => forge({}, 'another secret, of just as many bytes as the right one')],
    ['expired', () => forge({ exp: Math.floor(Date.now() / 1000) - 3600 })],
    ['without an end', () => forge({ exp: undefined })],
    ['of a tenant that does not exist', () => forge({ tenant: 'no-such-tenant' })],
    ['of a tenant id that does not exist', () => forge({ tenant: twinAccountId(0) })],
    ['without a tenant', () => forge({ tenant: undefined })],
    ['of an unknown role', () => forge({ role: 'OWNER' })],
    ['without a subject', () => forge({ sub: undefined })],
    [
      'that is not signed',
      () => `${unsigned.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`,
    ],
    ['whose claims were changed', async () => changed(await forge({ role: 'VIEWER' }))],
    ['that is no token', () => 'x'],
  ])('one that is %s is refused in the same words, also for introspection', async (_what, makeToken) => {
    const token = await makeToken();
    for (const query of ['{ tenant { id } }', '{ __schema { queryType { name } } }']) {
      const { status, data, errors, headers } = await service.send(token, query);
      expect([status, headers.get('www-authenticate'), data]).toEqual([401, 'Bearer', undefined]);
      expect(errors).toEqual([{ message: WORDING, extensions: { code: 'UNAUTHENTICATED' } }]);
    }
  });

  test.each(['Basic YW5uOng=', 'Bearer', 'Bearer a b', ''])(
    'the header "Authorization: %s" is refused',
    async (authorization) => {
      const response = await fetch(`${service.url}/graphql?query=%7B__typename%7D`, { headers: { authorization } });
      expect(response.status).toBe(401);
    },
  );

  test('a tenant that was deleted takes its tokens with it', async () => {
    const token = await service.token(Role.ADMIN, 'lord-howe');
    expect(code(await service.send(token, '{ tenant { id } }'))).toBeUndefined();
    await withClient(service.databaseUrl, (client) => client.query("DELETE FROM tenants WHERE slug = 'lord-howe'"));
    await service.untilCaughtUp(); // what is kept of the tenant is old then
    const answer = await service.send(token, '{ tenant { id slug } }');
    expect([answer.status, code(answer), answer.data ?? null]).toEqual([401, 'UNAUTHENTICATED', null]);
  });
});

/** The token with the role ADMIN written over its own, under its old signature. */
function changed(token: string): string {
  const [header, payload = '', signature] = token.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
  return [header, Buffer.from(JSON.stringify({ ...claims, role: 'ADMIN' })).toString('base64url'), signature].join('.');
}
