import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import pg from 'pg';
import type { Logger } from 'pino';
import { buildApp } from '../app.ts';
import type { Config } from '../config.ts';
import { createTokenIssuer } from '../context/token-issuer.ts';
import { OperatorError } from '../errors.ts';
import { seedDemo } from '../seed/demo.ts';
import { TenantDatabase } from '../tenancy/tenant-database.ts';
import type { TenantEntry } from '../tenancy/tenant-directory.ts';
import { banner } from './banner.ts';
import { pendingMigrations } from './database-state.ts';
import { type OpenedDatabase, openDatabase } from './open-database.ts';

export interface RunningService {
  /** For example http://127.0.0.1:4000. */
  readonly url: string;
  /** Finishes the requests under way, then closes what was opened, in reverse order. */
  close(): Promise<void>;
}

/** Brings everything up and listens. What was opened before a failure is closed again. */
export async function serve(config: Config, logger: Logger, say: (line: string) => void): Promise<RunningService> {
  const opened = await openDatabase(config, say);
  try {
    const tenant = opened.embedded ? await demoTenant(opened.url, say) : undefined;
    const database = connect(config, opened, logger);
    try {
      return await listen(config, logger, say, opened, database, tenant);
    } catch (error) {
      await database.close();
      throw error;
    }
  } catch (error) {
    await opened.release();
    throw error;
  }
}

async function listen(
  config: Config,
  logger: Logger,
  say: (line: string) => void,
  opened: OpenedDatabase,
  database: TenantDatabase,
  tenant: TenantEntry | undefined,
): Promise<RunningService> {
  const tokens =
    tenant && !config.auth.jwksUrl
      ? await createTokenIssuer(config.auth, config.production).sampleTokens(tenant)
      : undefined;
  const app = await buildApp({
    config,
    logger,
    database,
    health: {
      database: () => database.directory('SELECT 1', []),
      migrations: async () => {
        const pending = await database.withConnection((client) => pendingMigrations(client));
        if (pending.length) throw new Error(`not applied: ${pending.join(', ')}`);
      },
    },
    sampleToken: tokens?.[0]?.token,
  });
  await bind(app, config);
  const url = urlOf(app);
  say(
    banner({
      url,
      database: opened.embedded ? 'embedded PostgreSQL, data under .tenantry/' : describeDatabase(opened.url),
      cache: 'off',
      explorer: config.explorer,
      ...(tenant && tokens && { demo: { tenant: tenant.slug, tokens } }),
    }),
  );
  return {
    url,
    async close() {
      await app.close();
      await database.close();
      await opened.release();
    },
  };
}

function connect(config: Config, { url, takeServiceRole }: OpenedDatabase, logger: Logger): TenantDatabase {
  const { poolSize, statementTimeoutMs } = config.database;
  return new TenantDatabase({
    url,
    poolSize,
    statementTimeoutMs,
    takeServiceRole,
    onConnectionError: (error) => logger.warn({ err: error }, 'a database connection was lost'),
  });
}

/** The tenant that the sample tokens are for: the largest of the generated ones, made when there are none yet. */
async function demoTenant(url: string, say: (line: string) => void): Promise<TenantEntry | undefined> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const first = () =>
      client.query<TenantEntry>('SELECT id, slug FROM tenants ORDER BY id LIMIT 1').then(({ rows }) => rows[0]);
    const known = await first();
    if (known) return known;
    say('filling the embedded database with demo tenants');
    await seedDemo(client);
    return await first();
  } finally {
    await client.end();
  }
}

async function bind(app: FastifyInstance, { host, port }: Config): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (cause) {
    await app.close();
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE')
      throw new OperatorError(
        `Port ${port} on ${host} is taken by another program.`,
        `Stop that program, or choose another port: PORT=${port + 1} npm start`,
        { cause },
      );
    if (code === 'EACCES')
      throw new OperatorError(
        `Port ${port} may not be used by this user.`,
        'Choose one above 1023: PORT=4000 npm start',
        { cause },
      );
    throw new OperatorError(`The service cannot listen on ${host}:${port}: ${message}`, 'Check HOST and PORT.', {
      cause,
    });
  }
}

function urlOf(app: FastifyInstance): string {
  const { address, port, family } = app.server.address() as AddressInfo;
  const host = address === '0.0.0.0' || address === '::' ? 'localhost' : family === 'IPv6' ? `[${address}]` : address;
  return `http://${host}:${port}`;
}

function describeDatabase(url: string): string {
  const { host, pathname } = new URL(url);
  return `PostgreSQL at ${host}${pathname}`;
}
