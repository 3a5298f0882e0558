// The peer: Apollo Server behind Fastify with its official response cache plugin, whose store is
// Redis through ioredis. Set up as its documentation tells, and at its best: no token is verified,
// the statements are hand-written.
import type { AddressInfo } from 'node:net';

import { ApolloServer } from '@apollo/server';
import responseCache from '@apollo/server-plugin-response-cache';
import { fastifyApolloDrainPlugin, fastifyApolloHandler } from '@as-integrations/fastify';
import DataLoader from 'dataloader';
import Fastify from 'fastify';
import { Redis } from 'ioredis';
import pg from 'pg';

import type { PeerReady, PeerSettings } from './peer.ts';
import { PeerData, SDL } from './peer-data.ts';

interface Context {
  readonly tenantId: string;
  readonly tenants: DataLoader<string, object>;
  readonly recent: DataLoader<{ id: string; limit: number }, object[]>;
}

process.once('message', async ({ tenants, databaseUrl, redisUrl, poolSize }: PeerSettings) => {
  const data = new PeerData(new pg.Pool({ connectionString: databaseUrl, max: poolSize }));
  const ids = new Map(tenants.map(({ id, token }) => [`Bearer ${token}`, id]));
  const app = Fastify();
  const apollo = new ApolloServer<Context>({
    typeDefs: SDL,
    resolvers: resolversOf(data),
    cache: cacheOver(new Redis(redisUrl ?? '')),
    introspection: false,
    plugins: [
      fastifyApolloDrainPlugin(app),
      responseCache({ sessionId: async ({ contextValue }) => contextValue.tenantId }),
    ],
  });
  await apollo.start();
  const context = async (request: { headers: { authorization?: string } }) =>
    contextOf(data, ids.get(request.headers.authorization ?? '') ?? '');
  app.post('/graphql', fastifyApolloHandler(apollo, { context }));
  await app.listen({ host: '127.0.0.1', port: 0 });
  process.send?.({ port: (app.server.address() as AddressInfo).port } satisfies PeerReady);
});
process.on('disconnect', () => process.exit(0));

function resolversOf(data: PeerData) {
  return {
    Query: {
      dashboard: (_root: unknown, { date }: { date: string }, { tenantId }: Context) => data.dashboard(tenantId, date),
      accounts: (_root: unknown, { first }: { first: number }, { tenantId }: Context) => data.accounts(tenantId, first),
    },
    BankAccount: {
      tenant: (_account: unknown, _args: unknown, { tenants, tenantId }: Context) => tenants.load(tenantId),
      recentTransactions: ({ id }: { id: string }, { limit }: { limit: number }, { recent }: Context) =>
        recent.load({ id, limit }),
    },
  };
}

/** Loaders for one request. */
function contextOf(data: PeerData, tenantId: string): Context {
  return {
    tenantId,
    tenants: new DataLoader((ids) => data.tenants(ids)),
    recent: new DataLoader((keys) => data.recent(tenantId, idsOf(keys), keys[0]?.limit ?? 0), { cache: false }),
  };
}

function idsOf(keys: readonly { readonly id: string }[]): string[] {
  return keys.map(({ id }) => id);
}

/** Apollo Server's interface of caches, without the layers that a general adapter would add. */
function cacheOver(redis: Redis) {
  return {
    get: async (key: string) => (await redis.get(key)) ?? undefined,
    async set(key: string, value: string, options?: { ttl?: number | null }) {
      if (options?.ttl) await redis.set(key, value, 'EX', options.ttl);
      else await redis.set(key, value);
    },
    delete: async (key: string) => (await redis.del(key)) > 0,
  };
}
