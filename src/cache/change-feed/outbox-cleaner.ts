import { Loop } from '../../loop.ts';
import type { TenantDatabase } from '../../tenancy/tenant-database.ts';
import { CLEANING_MS, RETENTION_MS } from '../redis/timing.ts';

/**
 * Removes what was visible to all long enough, and relays that said nothing for a minute. Every
 * process tries.
 */
export class OutboxCleaner {
  readonly #loop: Loop;

  constructor(database: TenantDatabase, onError: (error: Error) => void) {
    this.#loop = new Loop(
      async () => {
        await cleanOutbox(database);
        return CLEANING_MS;
      },
      (error) => {
        onError(error);
        return CLEANING_MS;
      },
    );
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
  }
}

/** @returns how many rows were removed */
export async function cleanOutbox(database: TenantDatabase, retentionMs = RETENTION_MS): Promise<number> {
  return database.withConnection(async (client) => {
    await client.query("DELETE FROM cache_trust WHERE renewed_at < now() - interval '1 minute'");
    const { rows } = await client.query<{ removed: string }>(
      "SELECT cache_outbox_clean($1 * interval '1 millisecond') AS removed",
      [retentionMs],
    );
    return Number(rows[0]?.removed ?? 0);
  });
}
