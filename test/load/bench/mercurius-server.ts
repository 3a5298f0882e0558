// The fastest peer: Mercurius with its compiler and its loaders over `pg`; with the argument
// "cached" also its cache, over Redis. At its best: no token is verified, the statements are
// hand-written.
import type { AddressInfo } from 'node:net';

import Fastify from 'fastify';
import { Redis } from 'ioredis';
import mercurius, { type MercuriusContext } from 'mercurius';
import mercuriusCache from 'mercurius-cache';
import pg from 'pg';

import type { PeerReady, PeerSettings } from './peer.ts';
import { PeerData, SDL } from './peer-data.ts';

declare module 'mercurius' {
  interface MercuriusContext {
    readonly tenantId: string;
  }
}

/** What a loader is asked for, once for each account. */
interface Asked<Params> {
  readonly obj: { readonly id: string };
  readonly params: Params;
}

const TTL_SECONDS = 1_800;
/** Requests that are executed before their query is compiled. */
const JIT_AFTER = 1;
/** Each account comes once in a list: to remember it for the request costs more than it spares. */
const NO_REQUEST_CACHE = { cache: false };

process.once('message', async ({ tenants, databaseUrl, redisUrl, poolSize }: PeerSettings) => {
  const data = new PeerData(new pg.Pool({ connectionString: databaseUrl, max: poolSize }));
  const ids = new Map(tenants.map(({ id, token }) => [`Bearer ${token}`, id]));
  const app = Fastify();
  await app.register(mercurius, {
    schema: SDL,
    resolvers: {
      Query: {
        dashboard: (_root, { date }, { tenantId }) => data.dashboard(tenantId, date),
        accounts: (_root, { first }, { tenantId }) => data.accounts(tenantId, first),
      },
    },
    loaders: {
      BankAccount: {
        tenant: {
          async loader(asked: Asked<unknown>[], { tenantId }) {
            const [tenant] = await data.tenants([tenantId]);
            return asked.map(() => tenant);
          },
          opts: NO_REQUEST_CACHE,
        },
        recentTransactions: {
          loader: async (asked: Asked<{ limit: number }>[], { tenantId }) =>
            data.recent(tenantId, idsOf(asked), asked[0]?.params.limit ?? 0),
          opts: NO_REQUEST_CACHE,
        },
      },
    },
    context: ({ headers }) => ({ tenantId: ids.get(headers.authorization ?? '') ?? '' }),
    jit: JIT_AFTER,
  });
  if (process.argv[2] === 'cached') {
    const ofTenant = { extendKey: (_self: unknown, _args: unknown, { tenantId }: MercuriusContext) => tenantId };
    await app.register(mercuriusCache.default, {
      ttl: TTL_SECONDS,
      storage: { type: 'redis', options: { client: new Redis(redisUrl ?? '') } },
      // Not its other fields: a GET for each of a list's accounts costs more than their statements.
      policy: { Query: { dashboard: ofTenant, accounts: ofTenant } },
    });
  }
  await app.listen({ host: '127.0.0.1', port: 0 });
  process.send?.({ port: (app.server.address() as AddressInfo).port } satisfies PeerReady);
});
process.on('disconnect', () => process.exit(0));

function idsOf(asked: readonly Asked<unknown>[]): string[] {
  return asked.map(({ obj }) => obj.id);
}
