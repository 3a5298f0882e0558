import type { RetentionConfig } from '../config/config.ts';
import { Loop } from '../loop.ts';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';
import { foldTransactions } from '../transactions/transaction.folding.ts';
import { cleanUsage } from '../usage/usage.repository.ts';

/** Rows of one piece: some milliseconds of locks. */
const PIECE_ROWS = 1_000;
/** Between two pieces, so that the removal of many leaves room for all else. */
const PIECE_PAUSE_MS = 250;
const IDLE_PAUSE_MS = 10 * 60_000;
const FAILED_PAUSE_MS = 60_000;

const HOUR_MS = 3_600_000;

/** What came of one piece of each kind. */
export interface CleanedPiece {
  readonly removed: number;
  readonly errors: readonly Error[];
}

/**
 * Removes audit lines, idempotency keys and usage that are past their time, and folds transactions
 * that their tenant keeps no longer, in pieces. Every process tries; one works at a time. A kind that cannot be removed keeps none of the others back.
 */
export class RetentionCleaner {
  readonly #loop: Loop;

  /** @param onWorks called after every round in which nothing failed */
  constructor(database: TenantDatabase, config: RetentionConfig, onError: (error: Error) => void, onWorks = () => {}) {
    this.#loop = new Loop(
      async () => {
        const { removed, errors } = await cleanPiece(database, config);
        for (const error of errors) onError(error);
        if (errors.length === 0) onWorks();
        if (removed > 0) return PIECE_PAUSE_MS;
        return errors.length > 0 ? FAILED_PAUSE_MS : IDLE_PAUSE_MS;
      },
      (error) => {
        onError(error);
        return FAILED_PAUSE_MS;
      },
    );
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
  }
}

/** Each kind by itself, one after another. */
export async function cleanPiece(
  database: TenantDatabase,
  { auditDays, idempotencyHours }: RetentionConfig,
  pieceRows = PIECE_ROWS,
): Promise<CleanedPiece> {
  const cleaners = [
    () => removeOlder(database, 'audit_log', auditDays * 24 * HOUR_MS, pieceRows),
    () => removeOlder(database, 'idempotency_keys', idempotencyHours * HOUR_MS, pieceRows),
    () => cleanUsage(database),
    () => foldTransactions(database, pieceRows),
  ];
  const errors: Error[] = [];
  let removed = 0;
  for (const clean of cleaners) {
    removed += await clean().catch((error: Error) => {
      errors.push(error);
      return 0;
    });
  }
  return { removed, errors };
}

/**
 * Removes rows of all tenants that are older, by the function of the table's owner. @returns how
 * many
 */
export async function removeOlder(
  database: TenantDatabase,
  table: 'audit_log' | 'idempotency_keys',
  olderThanMs: number,
  maxRows: number,
): Promise<number> {
  return database.withConnection(async (client) => {
    const { rows } = await client.query<{ removed: string }>(
      `SELECT ${table}_clean($1 * interval '1 millisecond', $2) AS removed`,
      [olderThanMs, maxRows],
    );
    return Number(rows[0]?.removed ?? 0);
  });
}
