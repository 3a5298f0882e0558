import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type pg from 'pg';
import { parseSnapshot } from '../monitoring/figures-snapshot.ts';
import type { Snapshot } from '../monitoring/snapshot.ts';
import { isProcessState, type ProcessIdentity, type ProcessState, type ServiceProcess } from './own-process.ts';

/** As `TenantDatabase.withConnection` lends it. */
export type Connection = Pick<pg.ClientBase, 'query'>;

/** Which processes live; each writes its row six times within it. */
const LIVE = `seen_at > clock_timestamp() - interval '1 minute'`;
/** Long gone: their rows are removed. */
const GONE = `seen_at < clock_timestamp() - interval '5 minutes'`;
/** More than a deployment has. */
const MAX_PROCESSES = 200;

/** Of the table's CHECK. */
export const MAX_FIGURES_BYTES = 2 * 1024 * 1024;
/** gzip makes JSON that much smaller at most, unless someone has made it for that. */
const MAX_JSON_BYTES = 32 * 1024 * 1024;

/** What another process wrote of itself. */
export interface WrittenProcess {
  readonly process: ServiceProcess;
  readonly figures: Snapshot;
}

/** The row of a process, as it was found. */
export interface FoundRow {
  readonly id: string;
  /** @throws when the row is damaged; null for one of another release, in another form */
  read(): Promise<WrittenProcess | null>;
}

/**
 * Writes the row of a process, and removes those of processes that are long gone.
 * @param figures gzip of the JSON of what `snapshotOf` gives; null leaves what is written
 * @returns whether figures are there now: a crash of the server empties the table
 */
export async function writeProcess(
  connection: Connection,
  { id, host, pid, version, startedAt }: ProcessIdentity,
  state: ProcessState,
  figures: Buffer | null,
): Promise<boolean> {
  const { rows } = await connection.query<{ isThere: boolean }>(
    `WITH gone AS (DELETE FROM service_processes WHERE id IN (
       SELECT id FROM service_processes WHERE ${GONE} AND id <> $1 FOR UPDATE SKIP LOCKED))
     INSERT INTO service_processes AS kept (id, host, pid, version, started_at, seen_at, state, figures)
     VALUES ($1, $2, $3, $4, $5, clock_timestamp(), $6, $7)
     ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, state = excluded.state,
       figures = coalesce(excluded.figures, kept.figures)
     RETURNING figures IS NOT NULL AS "isThere"`,
    [id, host, pid, version, startedAt, JSON.stringify(state), figures],
  );
  return rows[0]?.isThere ?? false;
}

/** When the process ends. */
export async function removeProcess(connection: Connection, id: string): Promise<void> {
  await connection.query('DELETE FROM service_processes WHERE id = $1', [id]);
}

interface ProcessRow extends Omit<ProcessIdentity, 'startedAt'> {
  readonly started_at: Date;
  readonly seen_at: Date;
  readonly state: unknown;
  readonly figures: Buffer;
}

/**
 * The rows of the processes that live and have written their figures, but for one. One at a time:
 * a row may have megabytes.
 */
export async function* findProcesses(connection: Connection, exceptId: string): AsyncGenerator<FoundRow> {
  const isMeant = `${LIVE} AND figures IS NOT NULL`;
  const found = await connection.query<{ id: string }>(
    `SELECT id FROM service_processes WHERE ${isMeant} AND id <> $1 ORDER BY started_at, id LIMIT ${MAX_PROCESSES}`,
    [exceptId],
  );
  for (const { id } of found.rows) {
    const { rows } = await connection.query<ProcessRow>(
      `SELECT id, host, pid, version, started_at, seen_at, state, figures FROM service_processes
        WHERE ${isMeant} AND id = $1`,
      [id],
    );
    for (const row of rows) yield { id, read: () => readRow(row) };
  }
}

async function readRow({
  started_at,
  seen_at,
  state,
  figures,
  ...identity
}: ProcessRow): Promise<WrittenProcess | null> {
  const json = String(await promisify(gunzip)(figures, { maxOutputLength: MAX_JSON_BYTES }));
  const snapshot = parseSnapshot(json);
  if (!snapshot) return null;
  if (!isProcessState(state)) throw new TypeError('this is no state of a process');
  return { process: { ...identity, ...state, startedAt: started_at, seenAt: seen_at }, figures: snapshot };
}
