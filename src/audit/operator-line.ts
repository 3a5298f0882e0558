import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import pg from 'pg';
import { ErrorCode, OperatorError } from '../errors.ts';
import { NO_TENANT } from '../tenancy/tenant-scope.ts';
import type { OperatorCommand } from './audit-actions.ts';
import { AuditOutcome, storable } from './audit-line.ts';

/** What an operator's command did. */
export interface OperatorAction {
  /** As in `npm run <action>`. */
  readonly action: OperatorCommand;
  /** Null: of no tenant, or of all. */
  readonly tenantId: string | null;
  readonly key: string | null;
}

/** Both in one statement: the setting ends with it. */
const INSERT_LINE = `WITH tenant AS MATERIALIZED (SELECT set_config('app.tenant_id', $1, true))
  INSERT INTO audit_log (tenant_id, at, id, subject, role, action, key, request_id, outcome, codes, times)
  SELECT $1::uuid, clock_timestamp(), $2, $3, NULL, $4, $5, NULL, $6, $7, 1 FROM tenant`;

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

async function insertLine(
  client: Pick<pg.ClientBase, 'query'>,
  { action, tenantId, key }: OperatorAction,
  outcome: AuditOutcome,
  codes: readonly string[],
): Promise<void> {
  const subject = storable(`operator:${userName()}`);
  const line = [tenantId ?? NO_TENANT.tenantId, randomUUID(), subject, action, storable(key), outcome, codes];
  await client.query(INSERT_LINE, line);
}

export function notRecorded(action: string, reason: string): void {
  process.stderr.write(`No line of ${action} could be written to the audit log: ${reason}\n`);
}

function codeOf(error: unknown): string {
  if (error instanceof pg.DatabaseError) return error.code ?? ErrorCode.Internal;
  return error instanceof OperatorError ? ErrorCode.BadUserInput : ErrorCode.Internal;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'unknown'); // a user without an entry, as in containers
  }
}
