import { userInfo } from 'node:os';
import pg from 'pg';
import { isOutOfReach } from '../database/sql-state.ts';
import { ErrorCode, OperatorError } from '../errors.ts';
import { AuditOutcome, storable } from '../tenancy/audit-line.ts';
import { NO_TENANT } from '../tenancy/tenant-scope.ts';
import type { OperatorCommand } from './audit-actions.ts';

/** What an operator's command did. */
export interface OperatorAction {
  /** As in `npm run <action>`. */
  readonly action: OperatorCommand;
  /** Null: of no tenant, or of all. */
  readonly tenantId: string | null;
  readonly key: string | null;
}

/**
 * A line for each tenant of $1. Row-level security checks each row as it is written, and so each
 * row sets its own tenant first.
 */
const INSERT_LINES = `INSERT INTO audit_log (tenant_id, at, id, subject, role, action, key, request_id, outcome, codes, times)
  SELECT set_config('app.tenant_id', tenant::text, true)::uuid, clock_timestamp(), gen_random_uuid(), $2, NULL, $3, $4, NULL, $5, $6, 1
  FROM unnest($1::uuid[]) AS tenant`;

/** Carries out what a command does, and records who did it and what came of it. */
export async function recorded<Result>(
  client: pg.ClientBase,
  action: OperatorAction,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    const result = await work();
    await recordAction(client, action);
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {}); // a transaction that failed would take no line; the error to tell is the first
    // Where no line can be written either, the error says enough: nothing was done that would go
    // unseen.
    await insertLine(client, action, AuditOutcome.FAILED, [codeOf(error)]).catch(() => {});
    throw error;
  }
}

/** A line that cannot be written is said on stderr: what was done is done. */
export async function recordAction(client: Pick<pg.ClientBase, 'query'>, action: OperatorAction): Promise<void> {
  await insertLine(client, action, AuditOutcome.DONE, []).catch(({ message }: Error) =>
    notRecorded(action.action, message),
  );
}

/** Connections of which it was said: a seed of many tenants says it once. */
const told = new WeakSet<object>();

/**
 * A line for each tenant that the transaction under way has changed, written by it. The transaction
 * acts for none of them in particular afterwards. Where the login may write no line, or there is no
 * log yet, that is said on stderr, and the transaction goes on.
 * @throws whatever else keeps a line from being written: nothing is done that goes unseen
 */
export async function recordTenants(
  client: Pick<pg.ClientBase, 'query'>,
  action: Omit<OperatorAction, 'tenantId'>,
  tenantIds: Iterable<string>,
): Promise<void> {
  await client.query('SAVEPOINT audit_lines');
  try {
    await insertLines(client, action, [...tenantIds], AuditOutcome.DONE, []);
  } catch (error) {
    if (!isOutOfReach(error)) throw error;
    await client.query('ROLLBACK TO SAVEPOINT audit_lines');
    if (!told.has(client)) notRecorded(action.action, (error as Error).message);
    told.add(client);
  }
}

function insertLine(
  client: Pick<pg.ClientBase, 'query'>,
  { tenantId, ...action }: OperatorAction,
  outcome: AuditOutcome,
  codes: readonly string[],
): Promise<void> {
  return insertLines(client, action, [tenantId ?? NO_TENANT.tenantId], outcome, codes);
}

async function insertLines(
  client: Pick<pg.ClientBase, 'query'>,
  { action, key }: Omit<OperatorAction, 'tenantId'>,
  tenantIds: readonly string[],
  outcome: AuditOutcome,
  codes: readonly string[],
): Promise<void> {
  const subject = storable(`operator:${userName()}`);
  await client.query(INSERT_LINES, [tenantIds, subject, action, storable(key), outcome, codes]);
}

export function notRecorded(action: string, reason: string): void {
  process.stderr.write(`No line of ${action} could be written to the audit log: ${reason}\n`);
}

function codeOf(error: unknown): string {
  if (error instanceof pg.DatabaseError) return error.code ?? ErrorCode.Internal;
  return error instanceof OperatorError ? error.code : ErrorCode.Internal;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'unknown'); // a user without an entry, as in containers
  }
}
