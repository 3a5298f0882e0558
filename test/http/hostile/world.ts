import { SignJWT } from 'jose';
import { Role } from '../../../src/auth/caller.ts';
import { fixtureId, insertAccounts, insertTransactions } from '../../support/fixtures.ts';
import { createTestDatabase, withClient } from '../../support/postgres.ts';
import { startRedis } from '../../support/redis.ts';
import { startService, type TestService } from '../../support/service.ts';
import { insertTwins, TWINS, type Twin } from '../../support/twin-tenants.ts';

export const SECRET = 'the secret of the hostile suite, longer than 32 bytes';
/** A connection loses its place after this long without the rest of its request. */
export const REQUEST_TIMEOUT_MS = 1_500;

/** Stands in texts of the other tenants and nowhere else. */
export const MARK = 'zzmark';

/** The one who attacks, and one of those attacked. */
export const [OWN, THEIRS] = TWINS as [Twin, Twin];

const OWN_SPENT = fixtureId('account', 'Spent', 'spent');

/** What the attackers know and have. */
export interface World {
  readonly url: string;
  readonly tokens: Readonly<Record<Role, string>>;
  /** Of an administrator of the other tenant. */
  readonly theirToken: string;
  /** Ids of accounts and transactions that only the other tenant has. */
  readonly theirIds: readonly string[];
  /** Cursors that lists gave, by whose lists they are. */
  readonly cursors: Readonly<Record<'own' | 'theirs', readonly string[]>>;
  /** An account whose version is the last one that there is. */
  readonly lastVersionId: string;
  sign(claims: object, header?: object, secret?: string): Promise<string>;
}

export interface HostileService extends World {
  readonly service: TestService;
  /** Lines of the log at the level of errors. */
  readonly logged: string[];
  /** Names of tables, columns, constraints, indexes and functions that no answer may show. */
  readonly catalogue: readonly string[];
  close(): Promise<void>;
}

/** The service as in production, on PostgreSQL and Redis, with three tenants. */
export async function startHostileService(): Promise<HostileService> {
  const [database, redis] = await Promise.all([createTestDatabase(), startRedis()]);
  await insertTwins(database.url);
  const theirIds = await markTheirs(database.url);
  const [lastVersionId] = await insertAccounts(database.url, OWN.id, [
    { id: OWN_SPENT, bankName: 'Spent', accountNumber: 'spent', balance: '100', version: 2_147_483_647 },
  ]);
  const logged: string[] = [];
  const service = await startService({
    database,
    checksHealth: true,
    log: { write: (line: string) => void logged.push(line) },
    env: {
      NODE_ENV: 'production',
      DATABASE_URL: 'postgresql://db/not-used',
      REDIS_URL: redis.url,
      AUTH_SECRET: SECRET,
      HTTP_REQUEST_TIMEOUT_MS: String(REQUEST_TIMEOUT_MS),
    },
  });
  await service.untilCaughtUp();
  const roles = Object.values(Role);
  const issued = await Promise.all(roles.map((role) => service.token(role, OWN.slug)));
  const tokens = Object.fromEntries(roles.map((role, at) => [role, issued[at]])) as Record<Role, string>;
  const theirToken = await service.token(Role.ADMIN, THEIRS.slug);
  const [own, theirs] = await Promise.all([cursorsOf(service, tokens.ADMIN), cursorsOf(service, theirToken)]);
  return {
    ...{ service, url: service.url, tokens, theirToken, theirIds, cursors: { own, theirs }, logged },
    lastVersionId: lastVersionId as string,
    catalogue: await namesIn(database.url),
    sign,
    async close() {
      await service.close();
      await Promise.all([database.drop(), redis.stop()]);
    },
  };
}

/** A token of an administrator of the own tenant, but for what is given. */
function sign(claims: object, header: object = {}, secret = SECRET): Promise<string> {
  const exp = Math.floor(Date.now() / 1000) + 3600;
  return new SignJWT({ sub: 'eve', tenant: OWN.slug, role: 'ADMIN', exp, ...claims })
    .setProtectedHeader({ alg: 'HS256', ...header })
    .sign(Buffer.from(secret));
}

async function markTheirs(url: string): Promise<string[]> {
  const accounts = await insertAccounts(
    url,
    THEIRS.id,
    Array.from({ length: 3 }, (_, n) => ({ bankName: `${MARK} bank`, accountNumber: `${MARK}-${n}`, balance: '77' })),
  );
  const fields = { bookedAt: '2025-03-30T12:00:00Z', category: `${MARK} rent`, description: `${MARK} text` };
  const transactions = await insertTransactions(
    url,
    THEIRS.id,
    accounts.map((accountId) => ({ accountId, ...fields })),
  );
  return [...accounts, ...transactions];
}

async function cursorsOf(service: TestService, token: string): Promise<string[]> {
  const orders = ['CREATED_AT', 'BALANCE', 'BANK_NAME'].flatMap((field) =>
    ['ASC', 'DESC'].map(
      (direction) =>
        `${field}_${direction}: accounts(first: 3, orderBy: { field: ${field}, direction: ${direction} }) { edges { cursor } }`,
    ),
  );
  const { data } = await service.send(
    token,
    `{ ${orders.join(' ')} transactions(first: 3) { edges { cursor } } auditLog(first: 3) { edges { cursor } } }`,
  );
  return Object.values(data as Record<string, { edges: { cursor: string }[] }>).flatMap(({ edges }) =>
    edges.map(({ cursor }) => cursor),
  );
}

/**
 * Words that the API has as well, such as transactions, are left out: those with an underscore are
 * the database's own.
 */
async function namesIn(url: string): Promise<string[]> {
  const { rows } = await withClient(url, (client) =>
    client.query<{ name: string }>(`
      WITH own AS (SELECT oid FROM pg_namespace WHERE nspname = 'public')
      SELECT relname AS name FROM pg_class WHERE relnamespace IN (TABLE own)
      UNION SELECT conname FROM pg_constraint WHERE connamespace IN (TABLE own)
      UNION SELECT proname FROM pg_proc WHERE pronamespace IN (TABLE own)
      UNION SELECT tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid WHERE relnamespace IN (TABLE own)
      UNION SELECT attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace IN (TABLE own)
      UNION SELECT rolname FROM pg_roles WHERE rolname LIKE 'tenantry%'`),
  );
  return rows.map(({ name }) => name).filter((name) => name.includes('_') && !name.startsWith('.'));
}
