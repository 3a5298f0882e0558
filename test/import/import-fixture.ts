import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import pg from 'pg';

import type { ImportResult } from '../../src/import/apply-import.ts';
import { importFolder } from '../../src/import/import-folder.ts';
import { withClient } from '../support/postgres.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

export const TENANTS_HEADER = 'slug,name,time_zone';
export const ACCOUNTS_HEADER = 'tenant_slug,bank_name,account_number,account_type,status,currency,balance,created_at';
export const TRANSACTIONS_HEADER =
  'tenant_slug,bank_name,account_number,external_id,booked_at,direction,amount,balance_after,category,counterparty_bank,description';

/** Two tenants that have the same bank, account number and external ids. */
export const TWO_TENANTS = {
  'tenants.csv': csv(TENANTS_HEADER, 'north,North Ltd,Europe/Prague', 'south,South Ltd,America/New_York'),
  'accounts.csv': csv(
    ACCOUNTS_HEADER,
    'north,First Bank,0001,CHECKING,ACTIVE,CZK,100.50,1995-03-24T00:00:00+01:00',
    'south,First Bank,0001,LOAN,CLOSED,USD,-7,2020-01-01T00:00:00Z',
  ),
  'transactions.csv': csv(
    TRANSACTIONS_HEADER,
    'north,First Bank,0001,1,2024-03-31T00:30:00+01:00,CREDIT,100.50,100.50,RENT,Other Bank,first',
    'north,First Bank,0001,2,2024-03-31T23:30:00+02:00,DEBIT,0.0001,,,,',
    'south,First Bank,0001,1,2024-03-31T22:30:00-04:00,DEBIT,7,-7,,,',
  ),
} as const;

/** The account of the tenant north, as the first fields of a transaction. */
export const ACCOUNT = 'north,First Bank,0001';

export type Files = Readonly<Record<string, string | Buffer>>;

/** Lines as a file's content. */
export function csv(...lines: string[]): string {
  return `${lines.join('\n')}\n`;
}

/** A folder with these files, for as long as the running test. */
export function makeFolder(files: Files): string {
  const folder = path.join(makeTempFolder(), 'import');
  mkdirSync(folder);
  for (const [name, content] of Object.entries(files)) writeFileSync(path.join(folder, name), content);
  return folder;
}

/** The content as .gz, cut off in the middle. */
export function cutGzip(content: string): Buffer {
  const whole = gzipSync(content);
  return whole.subarray(0, whole.length / 2);
}

/** The content as .zst, stored in one block: not every supported Node.js can compress it. */
export function zstdFrame(content: string): Buffer {
  const bytes = Buffer.from(content);
  const header = Buffer.from('28b52ffda000000000000000', 'hex');
  header.writeUInt32LE(bytes.length, 5);
  header.writeUIntLE((bytes.length << 3) | 1, 9, 3);
  return Buffer.concat([header, bytes]);
}

/** The rejects file's rows, its header first. */
export function rejectsOf({ rejectsPath = '' }: ImportResult): string[][] {
  return parse(readFileSync(rejectsPath, 'utf8'));
}

/** Why rows were rejected, by file and line. */
export function reasonsOf(result: ImportResult): Record<string, string> {
  const [, ...rejects] = rejectsOf(result);
  return Object.fromEntries(rejects.map(([file, line, reason]) => [`${file}:${line}`, reason ?? '']));
}

/** Imports files as the command does, with a connection of its own. */
export async function importFiles(url: string, files: Files, options: { dryRun?: boolean; role?: string } = {}) {
  const folder = makeFolder(files);
  const rejectsPath = path.join(path.dirname(folder), 'rejects.csv');
  return withClient(url, async (client) => {
    client.on('error', () => {}); // a connection that is cut rejects the statement under way as well
    if (options.role) await client.query(`SET ROLE ${pg.escapeIdentifier(options.role)}`);
    return importFolder({ client, folder, rejectsPath, ...options });
  });
}

/** Everything an import could change, as text that can be compared. */
export async function snapshot(url: string): Promise<Record<string, unknown[]>> {
  const tables = {
    tenants: 'slug',
    bank_accounts: 'tenant_id, bank_name, account_number',
    transactions: 'tenant_id, external_id',
    daily_totals: 'tenant_id, day, currency, category, slot',
    account_totals: 'tenant_id, account_type, status, bank_name, currency, slot',
  };
  return withClient(url, async (client) => {
    const rows: Record<string, unknown[]> = {};
    for (const [table, order] of Object.entries(tables)) {
      const sql = `SELECT to_jsonb(t) || jsonb_build_object('xmin', xmin::text) AS row FROM ${table} t ORDER BY ${order}`;
      rows[table] = (await client.query<{ row: unknown }>(sql)).rows.map(({ row }) => row);
    }
    return rows;
  });
}

/** Runs a query whose single column is called `value`, and gives its values. */
export async function valuesOf(url: string, sql: string, values: unknown[] = []): Promise<unknown[]> {
  return withClient(url, async (client) =>
    (await client.query<{ value: unknown }>(sql, values)).rows.map((row) => row.value),
  );
}
