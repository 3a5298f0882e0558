// What the machine can do at most: a bare Fastify that parses the JSON of a request, looks its token up in a Map, and
// sends ready bytes. The argument says where these come from.
import type { AddressInfo } from 'node:net';

import Fastify from 'fastify';
import { Redis } from 'ioredis';
import pg from 'pg';

import { TenantPool } from '../../src/tenancy/tenant-pool.ts';
import { DASHBOARD_BY_AGGREGATING, DASHBOARD_FROM_TOTALS, NESTED_LIST_IN_ONE } from './hand-written.ts';
import type { PeerReady, PeerSettings } from './peer.ts';

type Answer = (authorization: string, request: GraphqlBody) => Promise<Buffer | string | undefined>;

interface GraphqlBody {
  readonly query: string;
  readonly variables: { readonly date?: string };
}

interface Statement {
  readonly name: string;
  readonly text: string;
  readonly values: unknown[];
}

const SOURCES: Record<string, (settings: PeerSettings) => Promise<Answer>> = {
  /** One GET of ioredis for each request. */
  async redis({ tenants, redisUrl }) {
    const redis = new Redis(redisUrl ?? '');
    const keys = new Map(tenants.map(({ id, token }) => [`Bearer ${token}`, `limit:${id}:`]));
    for (const { id, answers } of tenants)
      for (const [name, bytes] of Object.entries(answers)) await redis.set(`limit:${id}:${name}`, bytes);
    return async (authorization, { query }) =>
      (await redis.getBuffer(`${keys.get(authorization)}${nameOf(query)}`)) ?? undefined;
  },

  async map({ tenants }) {
    const answers = new Map(tenants.map((tenant) => [`Bearer ${tenant.token}`, tenant.answers]));
    return async (authorization, { query }) => answers.get(authorization)?.[nameOf(query)];
  },

  'sql-aggregating': (settings) => fromPostgres(settings, DASHBOARD_BY_AGGREGATING),
  'sql-totals': (settings) => fromPostgres(settings, DASHBOARD_FROM_TOTALS),

  /** The same through the service's own pool: with the tenant set for each statement, as a login held to row-level security. */
  'sql-scoped': async ({ scopedUrl, ...settings }) => {
    const pool = new TenantPool({ connectionString: scopedUrl, max: settings.poolSize });
    return answerBySql(settings, DASHBOARD_BY_AGGREGATING, (tenantId, statement) =>
      pool.queryAs<{ body: string }>({ tenantId, action: statement.name }, statement),
    );
  },
};

/** One prepared statement for each request; PostgreSQL's JSON is passed on as it is. */
async function fromPostgres(settings: PeerSettings, dashboard: string): Promise<Answer> {
  const pool = new pg.Pool({ connectionString: settings.databaseUrl, max: settings.poolSize });
  return answerBySql(settings, dashboard, async (_tenantId, statement) => (await pool.query(statement)).rows);
}

function answerBySql(
  { tenants }: Pick<PeerSettings, 'tenants'>,
  dashboard: string,
  select: (tenantId: string, statement: Statement) => Promise<{ body: string }[]>,
): Answer {
  const ids = new Map(tenants.map(({ id, token }) => [`Bearer ${token}`, id]));
  return async (authorization, { query, variables }) => {
    const id = ids.get(authorization) ?? '';
    const statement =
      nameOf(query) === 'Dashboard'
        ? { name: 'dashboard', text: dashboard, values: [id, variables.date] }
        : { name: 'list', text: NESTED_LIST_IN_ONE, values: [id] };
    return (await select(id, statement))[0]?.body;
  };
}

/** Cheaper than any parsing: all operations of the bench begin alike. */
function nameOf(query: string): string {
  return query.startsWith('query Dashboard') ? 'Dashboard' : 'NestedList';
}

process.once('message', async (settings: PeerSettings) => {
  const answer = await SOURCES[process.argv[2] ?? '']?.(settings);
  if (!answer) throw new Error(`no source ${process.argv[2]}: expected one of ${Object.keys(SOURCES).join(', ')}`);
  const app = Fastify();
  app.post<{ Body: GraphqlBody }>('/graphql', async (request, reply) =>
    reply
      .header('content-type', 'application/json; charset=utf-8')
      .send(await answer(request.headers.authorization ?? '', request.body)),
  );
  await app.listen({ host: '127.0.0.1', port: 0 });
  process.send?.({ port: (app.server.address() as AddressInfo).port } satisfies PeerReady);
});
process.on('disconnect', () => process.exit(0));
