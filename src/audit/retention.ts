import type { RetentionConfig } from '../config/config.ts';
import { Loop } from '../loop.ts';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';
import { cleanUsage } from '../usage/usage.repository.ts';

/** Rows of one piece: some milliseconds of locks. */
const PIECE_ROWS = 1_000;
/** Between two pieces, so that the removal of many leaves room for all else. */
const PIECE_PAUSE_MS = 250;
const IDLE_PAUSE_MS = 10 * 60_000;
const FAILED_PAUSE_MS = 60_000;

const HOUR_MS = 3_600_000;

/**
 * Removes audit lines, idempotency keys and usage that are past their time, in pieces. Every
 * process tries; one works at a time.
 */
export class RetentionCleaner {
  readonly #loop: Loop;

  constructor(
    database: TenantDatabase,
    config: RetentionConfig,
    onError: (error: Error) => void,
    onWorks?: () => void,
  ) {
    this.#loop = new Loop(
      async () => {
        const removed = (await cleanPiece(database, config)) + (await cleanUsage(database));
        return removed > 0 ? PIECE_PAUSE_MS : IDLE_PAUSE_MS;
      },
      (error) => {
        onError(error);
        return FAILED_PAUSE_MS;
      },
      onWorks,
    );
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
  }
}

/** Audit lines and idempotency keys. @returns how many rows were removed; at most a piece of each kind */
export async function cleanPiece(
  database: TenantDatabase,
  { auditDays, idempotencyHours }: RetentionConfig,
  pieceRows = PIECE_ROWS,
): Promise<number> {
  return database.withConnection(async (client) => {
    const { rows } = await client.query<{ removed: string }>(
      `SELECT audit_log_clean($1 * interval '1 millisecond', $3) + idempotency_keys_clean($2 * interval '1 millisecond', $3) AS removed`,
      [auditDays * 24 * HOUR_MS, idempotencyHours * HOUR_MS, pieceRows],
    );
    return Number(rows[0]?.removed ?? 0);
  });
}
