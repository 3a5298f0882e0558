// The peer: Apollo Server behind Fastify with its official response cache plugin, whose store is
// Redis through ioredis. Set up as its documentation tells, and at its best: no token is verified,
// the statements are hand-written.
import type { AddressInfo } from 'node:net';

import { ApolloServer } from '@apollo/server';
import responseCache from '@apollo/server-plugin-response-cache';
import { fastifyApolloDrainPlugin, fastifyApolloHandler } from '@as-integrations/fastify';
import Fastify from 'fastify';
import { Redis } from 'ioredis';
import pg from 'pg';

import { type ApolloContext, createApolloContext, createApolloSchema } from './apollo-schema.ts';
import { DASHBOARD_FROM_TOTALS } from './hand-written.ts';
import type { PeerReady, PeerSettings } from './peer.ts';

process.once('message', async ({ tenants, databaseUrl, redisUrl, poolSize }: PeerSettings) => {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: poolSize });
  const ids = new Map(tenants.map(({ id, token }) => [`Bearer ${token}`, id]));
  const app = Fastify();
  const apollo = new ApolloServer<ApolloContext>({
    schema: createApolloSchema(DASHBOARD_FROM_TOTALS),
    cache: cacheOver(new Redis(redisUrl ?? '')),
    introspection: false,
    plugins: [
      fastifyApolloDrainPlugin(app),
      responseCache({ sessionId: async ({ contextValue }) => contextValue.tenantId }),
    ],
  });
  await apollo.start();
  const context = async (request: { headers: { authorization?: string } }) =>
    createApolloContext(pool, ids.get(request.headers.authorization ?? '') ?? '');
  app.post('/graphql', fastifyApolloHandler(apollo, { context }));
  await app.listen({ host: '127.0.0.1', port: 0 });
  process.send?.({ port: (app.server.address() as AddressInfo).port } satisfies PeerReady);
});
process.on('disconnect', () => process.exit(0));

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
