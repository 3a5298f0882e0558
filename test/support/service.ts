import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import pino, { type DestinationStream } from 'pino';
import { buildApp } from '../../src/app/app.ts';
import { createRuntime } from '../../src/app/runtime.ts';
import { Role } from '../../src/auth/caller.ts';
import { createTokenIssuer } from '../../src/auth/token-issuer.ts';
import type { ChangeFeed } from '../../src/cache/change-feed/change-feed.ts';
import { readConfig } from '../../src/config/config.ts';
import type { Services } from '../../src/context/services.ts';
import { examineService } from '../../src/doctor/doctor.ts';
import { Draining } from '../../src/http/draining.ts';
import type { Examine } from '../../src/performance/findings.ts';
import { databaseChecks } from '../../src/startup/health-checks.ts';
import type { StatementEvent } from '../../src/tenancy/statement-event.ts';
import { startPgbouncer } from './pgbouncer.ts';
import { postJson } from './post.ts';
import { createTestDatabase, type TestDatabase, withKeptClient } from './postgres.ts';

const SECRET = 'a secret for tests only, of more than 32 bytes';

export interface ServiceOptions {
  /** Called before it listens, to add hooks and plugins. */
  readonly extend?: (app: FastifyInstance) => void;
  /** Settings over the defaults, as environment variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where errors are logged to; nowhere when absent. */
  readonly log?: DestinationStream;
  /** A database to share with another service; without it one is made, and dropped at the end. */
  readonly database?: TestDatabase;
  /** Another way to the database, by which the outbox is read. */
  readonly directUrl?: string;
  /**
   * Whether statements go through PgBouncer in transaction mode, all but those that read the
   * outbox. Those of every test do when THROUGH_PGBOUNCER is set.
   */
  readonly throughPgbouncer?: boolean;
  /** As of `openChangeFeed`. */
  readonly leasesVersions?: boolean;
  /** Whether readiness asks the database, as in production; otherwise all is well. */
  readonly checksHealth?: boolean;
  /** What `performance` finds wrong; nothing when absent. */
  readonly examine?: Examine;
}

/** The service as it runs in production, on a free port and a database of its own. */
export interface TestService {
  readonly url: string;
  readonly databaseUrl: string;
  /** Every SQL statement sent on behalf of a tenant since the last `statements.splice(0)`. */
  readonly statements: StatementEvent[];
  /** A token; the tenant is given by its slug and must exist. Its id is looked up once. */
  token(role: Role, slug?: string): Promise<string>;
  /** Sends one operation over HTTP. */
  send(token: string | null, query: string, variables?: object): Promise<GraphqlAnswer>;
  /** What it answers with, for code in the same process. */
  readonly services: Services;
  /** How this service learns of writes past it. */
  readonly changeFeed: ChangeFeed;
  /** What it told of that fails: of Redis, and of reading the outbox. */
  readonly told: readonly Error[];
  /** Resolves when the service shows what was written past it before the call. */
  untilCaughtUp(): Promise<void>;
  /** Begins to stop, and serves on. */
  beginDraining(): void;
  close(): Promise<void>;
}

export interface GraphqlAnswer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: answers of untyped operations; typed ones go through the generated documents
  readonly data: any;
  readonly errors?: readonly { message: string; path?: unknown[]; extensions: { code: string; argument?: string } }[];
}

export async function startService({
  env = {},
  database: given,
  log,
  directUrl,
  leasesVersions = true,
  checksHealth = false,
  throughPgbouncer = Boolean(process.env.THROUGH_PGBOUNCER),
  extend = () => {},
  examine,
}: ServiceOptions = {}): Promise<TestService> {
  const own = given ?? (await createTestDatabase());
  const pooler = throughPgbouncer ? await startPgbouncer(own.url, 'transaction', 200) : undefined;
  const way = pooler?.url ?? own.url;
  const config = readConfig({
    AUTH_SECRET: SECRET,
    LOG_LEVEL: log ? 'error' : 'fatal',
    // Tests share a machine, and ask for more than a person does.
    DATABASE_QUEUE_TIMEOUT_MS: '10000',
    LIMIT_SEARCH_TIMEOUT_MS: '10000',
    WARM_UP: 'off',
    CONSISTENCY_SAMPLE: '0', // its statements would be counted as those of the tests
    LIMIT_POINTS_PER_MINUTE: '2000000000',
    LIMIT_TENANT_POINTS_PER_MINUTE: '2000000000',
    ...env,
  });
  const statements: StatementEvent[] = [];
  const told: Error[] = [];
  const logger = log ? pino({ level: config.logLevel }, log) : pino({ level: config.logLevel });
  const runtime = await createRuntime({
    ...{ config, logger },
    access: { url: way, directUrl: directUrl ?? own.url, takeServiceRole: true },
    onStatement(event) {
      if (event.tenantId && !isBackground(event)) statements.push(event);
    },
    onOutage: (error) => told.push(error),
    leasesVersions,
  });
  const { changeFeed, database, redis } = runtime;
  const up = async () => {};
  const checks = checksHealth ? databaseChecks(way, database, []) : undefined;
  const health = {
    ...(checks?.checks ?? { database: up, integrity: up }),
    migrations: up, // not listed in the databases of tests
    ...(redis && { redis: () => redis.check() }),
  };
  const draining = new Draining();
  const examineOwn = () => examineService({ config, databaseUrl: own.url, isEmbedded: true });
  const { http: app, services } = await buildApp({ ...runtime, health, draining, examine: examine ?? examineOwn });
  extend(app);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  const tenantIds = new Map<string, string>();
  return {
    url,
    databaseUrl: own.url,
    statements,
    services,
    changeFeed,
    told,
    untilCaughtUp: () => changeFeed.untilCaughtUp(),
    beginDraining: () => draining.begin(),
    token: (role, slug) => issueToken(config.auth, own.url, tenantIds, role, slug),
    send: (token, query, variables) => sendTo(url, token, query, variables),
    async close() {
      await app.close();
      await checks?.close();
      await runtime.close();
      await pooler?.stop();
      if (!given) await own.drop();
    },
  };
}

/** What the service sends by itself, off the way of requests, or once in some minutes. */
function isBackground({ model, action }: StatementEvent): boolean {
  return ['AuditLine.insert', 'Tenant.size'].includes(`${model}.${action}`);
}

async function issueToken(
  auth: Parameters<typeof createTokenIssuer>[0],
  url: string,
  known: Map<string, string>,
  role: Role,
  slug?: string,
): Promise<string> {
  const tenantId = slug === undefined ? null : (known.get(slug) ?? (await tenantIdOf(url, slug)));
  if (slug !== undefined && tenantId !== null) known.set(slug, tenantId);
  return createTokenIssuer(auth, false).issue({ subject: `test-${role}`, role, tenantId, lifetimeSeconds: 3600 });
}

async function tenantIdOf(url: string, slug: string): Promise<string> {
  const { rows } = await withKeptClient(url, (client) =>
    client.query<{ id: string }>('SELECT id FROM tenants WHERE slug = $1', [slug]),
  );
  if (!rows[0]) throw new Error(`there is no tenant ${slug}`);
  return rows[0].id;
}

/** Asks the service at an address. */
export async function sendTo(
  url: string,
  token: string | null,
  query: string,
  variables?: object,
): Promise<GraphqlAnswer> {
  const asked = JSON.stringify({ query, variables });
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
  const { body, ...answer } = await postJson(`${url}/graphql`, headers, asked);
  return { ...answer, ...withoutRequestIds(JSON.parse(body), String(answer.headers.get('x-request-id'))) };
}

/**
 * The answer without the id of its request, which differs each time. @throws when an error has
 * another one, or none
 */
export function withoutRequestIds(answer: Told, requestId: string): Told {
  const { errors, ...rest } = answer;
  if (!errors) return rest;
  const told = errors.map(({ extensions: { requestId: shown, ...extensions }, ...error }) => {
    if (shown !== requestId) throw new Error(`an error of the request ${requestId} names ${shown}`);
    return { ...error, extensions };
  });
  return { errors: told, ...rest };
}

interface Told extends Pick<GraphqlAnswer, 'data'> {
  readonly errors?: readonly (NonNullable<GraphqlAnswer['errors']>[number] & {
    readonly extensions: { readonly requestId?: string };
  })[];
}
