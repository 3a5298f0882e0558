// What the machine can do at most: a bare Fastify that parses the JSON of a request, looks its
// token up in a Map, and sends ready bytes. The argument says where these come from.
import type { AddressInfo } from 'node:net';

import Fastify from 'fastify';
import { Redis } from 'ioredis';
import pg from 'pg';

import { TenantPool } from '../../../src/tenancy/tenant-pool.ts';
import {
  DASHBOARD_BY_AGGREGATING,
  DASHBOARD_FROM_TOTALS,
  NESTED_LIST_IN_ONE,
  RECORD_TRANSACTION_IN_ONE,
} from './hand-written.ts';
import type { RecordVariables } from './operations.ts';
import type { PeerReady, PeerSettings } from './peer.ts';

type Answer = (authorization: string, request: GraphqlBody) => Promise<Buffer | string | undefined>;

interface GraphqlBody {
  readonly query: string;
  readonly variables: { readonly date?: string } & Partial<RecordVariables>;
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

  /**
   * With writes: one GET, and for one request in ten a statement and the SET or DEL that goes with
   * it.
   */
  'redis-writes': async (settings) => {
    const redis = new Redis(settings.redisUrl ?? '');
    return keptUntilWritten(settings, {
      get: (id) => redis.getBuffer(`limit:${id}:written`),
      set: (id, body) => redis.set(`limit:${id}:written`, body),
      delete: (id) => redis.del(`limit:${id}:written`),
    });
  },

  'map-writes': async (settings) => {
    const answers = new Map<string, Buffer>();
    return keptUntilWritten(settings, {
      get: async (id) => answers.get(id) ?? null,
      set: async (id, body) => answers.set(id, body),
      delete: async (id) => answers.delete(id),
    });
  },

  'sql-aggregating': (settings) => fromPostgres(settings, DASHBOARD_BY_AGGREGATING),
  'sql-totals': (settings) => fromPostgres(settings, DASHBOARD_FROM_TOTALS),

  /**
   * The same through the service's own pool: with the tenant set for each statement, as a login
   * held to row-level security.
   */
  'sql-scoped': async ({ scopedUrl, ...settings }) => {
    const pool = new TenantPool({ connectionString: scopedUrl, max: settings.poolSize });
    return answerBySql(settings, DASHBOARD_BY_AGGREGATING, (tenantId, statement) =>
      pool.queryAs<{ body: string }>({ tenantId, action: statement.name }, statement),
    );
  },
};

/** The dashboards of tenants, by their ids. */
interface KeptDashboards {
  get(id: string): Promise<Buffer | null>;
  set(id: string, body: Buffer): Promise<unknown>;
  delete(id: string): Promise<unknown>;
}

/**
 * What a person would write who needs no more than it takes to keep answers and to write: a write
 * deletes what is kept of its tenant. A load that began before the write may still put its old
 * answer there: a little is stale, and is counted.
 */
async function keptUntilWritten(
  { tenants, databaseUrl, poolSize }: PeerSettings,
  kept: KeptDashboards,
): Promise<Answer> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: poolSize });
  const ids = new Map(tenants.map(({ id, token }) => [`Bearer ${token}`, id]));
  const bodyOf = async (statement: Statement) => (await pool.query<{ body: string }>(statement)).rows[0]?.body ?? '';
  const write = async (id: string, { idempotencyKey, transactions: [transaction] }: RecordVariables['input']) => {
    const { accountId, amount, bookedAt, category } = transaction;
    const values = [id, accountId, amount, bookedAt, category, idempotencyKey];
    const body = await bodyOf({ name: 'record', text: RECORD_TRANSACTION_IN_ONE, values });
    await kept.delete(id);
    return body;
  };
  return async (authorization, { variables: { date, input } }) => {
    const id = ids.get(authorization) ?? '';
    if (input) return write(id, input);
    const found = await kept.get(id);
    if (found) return found;
    const body = await bodyOf({ name: 'dashboard', text: DASHBOARD_FROM_TOTALS, values: [id, date] });
    await kept.set(id, Buffer.from(body));
    return body;
  };
}

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
