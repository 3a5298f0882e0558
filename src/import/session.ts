import type pg from 'pg';

import type { ImportFile } from './import-files.ts';

/** What the steps of an import share. */
export interface ImportSession {
  /** A connection of the import's own: its staging tables and settings are the session's. */
  readonly client: pg.ClientBase;
  /** In the order in which they were staged: a row's `file` is the position here, from 1. */
  readonly files: readonly ImportFile[];
  /** Told often how far the import is; the line is only asked for when it is going to be shown. */
  readonly update: (line: () => string) => void;
}

/** A tenant that the import has rows of. */
export interface ImportTenant {
  readonly slug: string;
  readonly id: string;
}

/** What became of a table's rows. */
export interface TableResult {
  readonly inserted: number;
  readonly updated: number;
  /** The database had them already, just so; or the files say them twice. */
  readonly unchanged: number;
  readonly rejected: number;
}

/** Sends one statement and gives the number of rows it touched. */
export async function execute({ client }: ImportSession, sql: string, values: unknown[] = []): Promise<number> {
  return (await client.query(sql, values)).rowCount ?? 0;
}

/**
 * From here on the transaction sees and writes this tenant's rows, for a login that is held to the
 * policies.
 */
export async function actAs({ client }: ImportSession, tenant: ImportTenant): Promise<void> {
  await client.query("SELECT set_config('app.tenant_id', $1, true)", [tenant.id]);
}
