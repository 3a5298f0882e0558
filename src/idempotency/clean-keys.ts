import type { TenantDatabase } from '../tenancy/tenant-database.ts';

/** Removes keys that are older. @returns how many */
export async function cleanIdempotencyKeys(
  database: TenantDatabase,
  olderThanMs: number,
  maxRows: number,
): Promise<number> {
  return database.withConnection(async (client) => {
    const { rows } = await client.query<{ removed: string }>(
      "SELECT idempotency_keys_clean($1 * interval '1 millisecond', $2) AS removed",
      [olderThanMs, maxRows],
    );
    return Number(rows[0]?.removed ?? 0);
  });
}
