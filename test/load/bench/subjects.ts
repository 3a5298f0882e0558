import { randomBytes } from 'node:crypto';

import { Role } from '../../../src/auth/caller.ts';
import { createTokenIssuer } from '../../../src/auth/token-issuer.ts';
import type { Cleanup } from './cleanup.ts';
import type { BenchTenant, DataSet } from './data-set.ts';
import type { BenchDatabase } from './database.ts';
import { openPolicies } from './open-policies.ts';
import { DASHBOARD, graphqlRequest, NESTED_LIST } from './operations.ts';
import { type Server, startPeer, startService } from './servers.ts';

/** The service's own default. */
const POOL_SIZE = 10;
const TOKEN_LIFETIME_SECONDS = 24 * 3600;

/** In the head of the service's answers that came from the cache. */
export const SERVICE_HIT = 'cache-status: tenantry; hit';
/** The same of Apollo Server's plugin. */
const APOLLO_HIT = '\r\nage: ';

export type OperationName = 'Dashboard' | 'NestedList';

/** A tenant with a token that the service accepts. */
export interface KnownTenant extends BenchTenant {
  readonly token: string;
}

/** Where the servers find everything. */
export interface Surroundings {
  readonly database: BenchDatabase;
  readonly dataSet: DataSet;
  readonly tenants: readonly KnownTenant[];
  readonly secret: string;
  /** Null where no case needs Redis. */
  readonly redisUrl: string | null;
  readonly profileFolder: string | undefined;
  readonly cleanup: Cleanup;
}

/** A server of the bench, in one of its forms. */
export interface Subject {
  readonly name: string;
  readonly hitMark?: string;
  start(surroundings: Surroundings, answers: Answers): Promise<Server>;
}

/** The service's own answers by tenant and operation: what the limits send. */
export type Answers = ReadonlyMap<string, Readonly<Record<string, Buffer>>>;

const service = (name: string, env: (surroundings: Surroundings) => Record<string, string>): Subject => ({
  name,
  hitMark: SERVICE_HIT,
  start: (surroundings) =>
    startService(
      { DATABASE_URL: surroundings.database.serviceUrl, AUTH_SECRET: surroundings.secret, ...env(surroundings) },
      surroundings.profileFolder,
      surroundings.cleanup,
    ),
});

const peer = (name: string, program: string, ...args: string[]): Subject => ({
  name,
  start: ({ tenants, database, redisUrl, cleanup }, answers) =>
    startPeer(
      program,
      args,
      {
        tenants: tenants.map(({ id, token }) => ({ id, token, answers: answers.get(id) ?? {} })),
        databaseUrl: database.url,
        scopedUrl: database.serviceUrl,
        redisUrl,
        poolSize: POOL_SIZE,
      },
      cleanup,
    ),
});

export const SUBJECTS = {
  redis: service('service, Redis', ({ redisUrl }) => ({ REDIS_URL: redisUrl ?? '' })),
  memory: service('service, in process', () => ({})),
  cold: service('service, no cache', () => ({ CACHE: 'off' })),
  open: {
    name: 'service, no cache, policies open',
    start: async ({ database, secret, profileFolder, cleanup }) =>
      startService(
        { DATABASE_URL: await openPolicies(database, cleanup), AUTH_SECRET: secret, CACHE: 'off' },
        profileFolder,
        cleanup,
      ),
  },
  limitRedis: peer('bare Fastify, Redis GET', 'limit-server.js', 'redis'),
  limitMap: peer('bare Fastify, Map', 'limit-server.js', 'map'),
  limitRedisWrites: peer('bare Fastify, Redis and SQL', 'limit-server.js', 'redis-writes'),
  limitMapWrites: peer('bare Fastify, Map and SQL', 'limit-server.js', 'map-writes'),
  limitAggregating: peer('bare Fastify, SQL', 'limit-server.js', 'sql-aggregating'),
  limitTotals: peer('bare Fastify, SQL totals', 'limit-server.js', 'sql-totals'),
  limitScoped: peer('bare Fastify, SQL of a tenant', 'limit-server.js', 'sql-scoped'),
  mercurius: peer('Mercurius, pg', 'mercurius-server.js'),
  mercuriusCached: peer('Mercurius, pg, cache', 'mercurius-server.js', 'cached'),
  apollo: { ...peer('Apollo, cache plugin', 'apollo-server.js'), hitMark: APOLLO_HIT },
} as const satisfies Record<string, Subject>;

/** One administrator's token for each tenant, and the secret that the service then has to have. */
export async function issueTokens<Tenant extends BenchTenant>(
  tenants: readonly Tenant[],
): Promise<{ secret: string; tenants: (Tenant & KnownTenant)[] }> {
  const secret = randomBytes(32).toString('base64url');
  const auth = { secret, jwksUrl: undefined, issuer: undefined, audience: undefined };
  const issuer = createTokenIssuer(auth, true);
  const issue = async (tenant: Tenant) => ({
    ...tenant,
    token: await issuer.issue({
      subject: 'bench',
      role: Role.ADMIN,
      tenantId: tenant.id,
      lifetimeSeconds: TOKEN_LIFETIME_SECONDS,
    }),
  });
  return { secret, tenants: await Promise.all(tenants.map(issue)) };
}

/** The request of an operation for one tenant. */
export function requestOf(
  operation: OperationName,
  port: number,
  { token }: KnownTenant,
  { lastDay }: DataSet,
): Buffer {
  return operation === 'Dashboard'
    ? graphqlRequest(port, token, DASHBOARD, { date: lastDay })
    : graphqlRequest(port, token, NESTED_LIST);
}
