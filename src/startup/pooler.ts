import pg from 'pg';
import type { Logger } from 'pino';
import { OperatorError, StateError } from '../errors.ts';

/** Others may take the session between two statements: only so often in a row by chance. */
const ATTEMPTS = 5;
const TIMEOUT_MS = 5_000;

/** SQLSTATE of a statement that the session does not know. */
const UNKNOWN_STATEMENT = '26000';

/** Beside the pool: health checks, the reader of the outbox, a plan of a slow statement. */
const OWN_CONNECTIONS = 3;

const WHO = { name: 'tenantry_pooler', text: 'SELECT pg_backend_pid() AS pid' };

/**
 * Refuses a pooler that lends a session to one client after another and forgets their prepared
 * statements then, as PgBouncer before 1.21 in transaction mode: statements would fail at random.
 * Tried, not asked for: poolers do not tell their version.
 * @throws OperatorError with the remedy
 */
export async function refuseForgetfulPooler(url: string): Promise<void> {
  const [one, other] = [open(url), open(url)];
  try {
    await one.connect();
    const session = await sessionOf(one);
    if (session === (one as unknown as { readonly processID: number }).processID) return; // nothing lies between
    await other.connect();
    if (!(await takesSession(one, other))) return;
    // The session of the first is the other's for now: its statement must be known to another one,
    // too.
    await sessionOf(one).catch((error: { code?: string }) => {
      if (error.code === UNKNOWN_STATEMENT) throw forgetful(error as Error);
    });
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    // Whoever needs the database says why it cannot be had.
  } finally {
    await Promise.all([one.end(), other.end()].map((ended) => ended.catch(() => {})));
  }
}

/**
 * Whether the way leads to a pooler that lends a session to one client after another. False where
 * nothing can be reached: whoever needs it says why.
 */
export async function sharesSessions(url: string): Promise<boolean> {
  const [one, other] = [open(url), open(url)];
  try {
    await Promise.all([one.connect(), other.connect()]);
    return await takesSession(one, other);
  } catch {
    return false;
  } finally {
    await Promise.all([one.end(), other.end()].map((ended) => ended.catch(() => {})));
  }
}

/**
 * Whether the other one was lent the session of the first, in a transaction that it then still has.
 */
async function takesSession(one: pg.Client, other: pg.Client): Promise<boolean> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { rows } = await one.query<{ pid: number }>(WHO.text);
    await other.query('BEGIN');
    if ((await other.query<{ pid: number }>(WHO.text)).rows[0]?.pid === rows[0]?.pid) return true;
    await other.query('ROLLBACK');
  }
  return false;
}

async function sessionOf(client: pg.Client): Promise<number | undefined> {
  return (await client.query<{ pid: number }>(WHO)).rows[0]?.pid;
}

function open(url: string): pg.Client {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'tenantry',
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
  });
  client.on('error', () => {}); // a lost connection rejects the statement under way as well
  return client;
}

function forgetful(cause: Error): OperatorError {
  return new StateError(
    'DATABASE_URL leads to a pooler that shares sessions and forgets prepared statements, such as PgBouncer before 1.21 in transaction mode.',
    'Use PgBouncer 1.21 or later with max_prepared_statements above 0, or pool_mode = session, or PostgreSQL itself.',
    { cause },
  );
}

/**
 * Says how many connections the service on this machine, all workers together, may want, and how
 * many the server has for logins that are no superusers'; warns when it has less. Never throws:
 * whoever needs the server says why it cannot be had.
 * @param url of a session on the server itself: how many a pooler opens is its own matter
 */
export async function tellConnections(
  url: string,
  { poolSize, workers }: { readonly poolSize: number; readonly workers: number },
  log: Pick<Logger, 'info' | 'warn'>,
): Promise<void> {
  try {
    const sum = await sumOfConnections(url, { poolSize, workers });
    const figures = { ...sum, poolSize, workers };
    const line = connectionsLine(sum);
    if (sum.wanted <= sum.available) log.info(figures, `${line}.`);
    else log.warn(figures, `${line}: ${FEWER_CONNECTIONS}.`);
  } catch (error) {
    log.warn(
      { err: error },
      'It could not be told whether PostgreSQL takes as many connections as the service may open.',
    );
  }
}

/** What helps where the server takes fewer connections than the service may open. */
export const FEWER_CONNECTIONS = 'lower DATABASE_POOL_SIZE or WORKERS, or raise max_connections';

export interface SumOfConnections {
  /** By all workers on this machine together. */
  readonly wanted: number;
  /** For logins that are no superusers'. */
  readonly available: number;
}

export function connectionsLine({ wanted, available }: SumOfConnections): string {
  return `The service may open ${wanted} connections, and PostgreSQL takes ${available}`;
}

/** @throws when the server cannot be asked */
export async function sumOfConnections(
  url: string,
  { poolSize, workers }: { readonly poolSize: number; readonly workers: number },
): Promise<SumOfConnections> {
  const client = open(url);
  try {
    await client.connect();
    const { rows } = await client.query<{ available: number }>(
      `SELECT current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer AS available`,
    );
    const available = rows[0]?.available ?? Number.POSITIVE_INFINITY;
    return { wanted: workers * (poolSize + OWN_CONNECTIONS), available };
  } finally {
    await client.end().catch(() => {}); // it may never have begun
  }
}
