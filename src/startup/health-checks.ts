import { performance } from 'node:perf_hooks';
import pg from 'pg';
import { pendingMigrations } from '../database/database-state.ts';
import { type DatabaseFault, DatabaseFaultsError, databaseFaults } from '../database/faults.ts';
import type { HealthChecks } from '../http/health.ts';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';

/** Below what readiness waits for, so that a check fails with its own reason. */
const TIMEOUT_MS = 1_500;

/** Reading the catalogues takes long, and anyone may ask for readiness. */
const INTEGRITY_CHECK_MS = 5_000;

/** The database counts as busy for so long after somebody was refused. */
const BUSY_AFTER_REFUSAL_MS = 1_000;

/** The checks of the database, and whatever they hold open. */
export interface DatabaseChecks {
  readonly checks: Required<Pick<HealthChecks, 'database' | 'migrations' | 'integrity' | 'busy'>>;
  close(): Promise<void>;
}

/**
 * Checks the database on a connection of their own: however many wait for one of the service's,
 * these learn whether PostgreSQL can be reached. Whether it is busy is another question, which the
 * service's queue answers.
 * @param faults that the start found, and could go on with
 */
export function databaseChecks(
  url: string,
  database: Pick<TenantDatabase, 'queue' | 'admission'>,
  faults: readonly DatabaseFault[],
): DatabaseChecks {
  const pool = new pg.Pool({
    connectionString: url,
    max: 1,
    application_name: 'tenantry health',
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
    idleTimeoutMillis: 0,
  });
  pool.on('error', () => {}); // the next check opens another one, or says why it cannot
  const checks = {
    database: () => pool.query('SELECT 1'),
    migrations: lastVerdict(async () => {
      const pending = await pendingMigrations(pool);
      return pending.length ? new Error(`not applied: ${pending.join(', ')}`) : null;
    }, null),
    integrity: atMostEvery(
      INTEGRITY_CHECK_MS,
      lastVerdict(async () => verdictOf(await databaseFaults(pool)), verdictOf(faults)),
    ),
    busy: busyNames(database),
  };
  return { checks, close: () => pool.end() };
}

/**
 * A question about the database that it does not answer in time, as while a table is locked, has
 * the answer that it had. Whether the database can be reached at all is a check of its own.
 * @param judge gives what is wrong, or null; rejects when that cannot be told
 * @param atStart the answer that the start had
 */
function lastVerdict(judge: () => Promise<Error | null>, atStart: Error | null): () => Promise<void> {
  let last = atStart;
  return async () => {
    last = await judge().catch(() => last);
    if (last) throw last;
  };
}

function verdictOf(faults: readonly DatabaseFault[]): Error | null {
  return faults.length ? new DatabaseFaultsError(faults) : null;
}

function busyNames(database: Pick<TenantDatabase, 'queue' | 'admission'>): () => readonly string[] {
  let known = 0;
  let refusedAtMs = Number.NEGATIVE_INFINITY;
  return () => {
    const queues = [database.queue, database.admission];
    const length = queues.reduce((sum, queue) => sum + queue.length, 0);
    const refused = queues.reduce((sum, { refusals }) => sum + refusals.length + refusals.time, 0);
    if (refused !== known) refusedAtMs = performance.now();
    known = refused;
    return length > 0 || performance.now() - refusedAtMs < BUSY_AFTER_REFUSAL_MS ? ['database'] : [];
  };
}

/**
 * The check's last result, as long as it is not older. One that could not be told is asked for
 * again.
 */
function atMostEvery(intervalMs: number, check: () => Promise<void>): () => Promise<void> {
  let last: Promise<void> | undefined;
  let atMs = Number.NEGATIVE_INFINITY;
  return () => {
    if (last && performance.now() - atMs < intervalMs) return last;
    atMs = performance.now();
    const asked = check();
    asked.catch((error) => {
      if (last === asked && !(error instanceof DatabaseFaultsError)) last = undefined;
    });
    last = asked;
    return asked;
  };
}
