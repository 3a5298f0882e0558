import { userInfo } from 'node:os';
import pg from 'pg';
import { isOutOfReach } from '../database/sql-state.ts';
import { ErrorCode, OperatorError, type OperatorErrorCode } from '../errors.ts';
import { operatorLines } from '../tenancy/audit.sql.ts';
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

/** Lines of one statement where each is a transaction: what fails then has lost no more. */
const MAX_LINES = 1_000;

/**
 * Carries out what a command does, and records who did it and what came of it.
 * @param failureOf the code of a result that leaves everything as it was; undefined: it is done
 */
export async function recorded<Result>(
  client: pg.ClientBase,
  action: OperatorAction,
  work: () => Promise<Result>,
  failureOf: (result: Result) => OperatorErrorCode | undefined = () => undefined,
): Promise<Result> {
  try {
    const result = await work();
    const failure = failureOf(result);
    await record(client, action, [tenantIdOf(action)], failure === undefined ? [] : [failure]);
    return result;
  } catch (error) {
    await recordFailure(client, action, error);
    throw error;
  }
}

/** The same in one transaction with its line. The work may not end it. */
export async function recordedTogether<Result>(
  client: pg.ClientBase,
  action: OperatorAction,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    await client.query('BEGIN');
    const result = await work();
    await recordTenants(client, action, [tenantIdOf(action)]);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await recordFailure(client, action, error);
    throw error;
  }
}

async function recordFailure(client: pg.ClientBase, action: OperatorAction, error: unknown): Promise<void> {
  await client.query('ROLLBACK').catch(() => {}); // a transaction that failed would take no line; the error to tell is the first
  // Where no line can be written either, the error says enough: nothing was done that would go
  // unseen.
  await insertLines(client, action, [tenantIdOf(action)], AuditOutcome.FAILED, [codeOf(error)]).catch(() => {});
}

/** A line that cannot be written is said on stderr: what was done is done. */
export function recordAction(client: Pick<pg.ClientBase, 'query'>, action: OperatorAction): Promise<void> {
  return recordActions(client, action, [tenantIdOf(action)]);
}

/** The same of what was done to each of many tenants. */
export function recordActions(
  client: Pick<pg.ClientBase, 'query'>,
  action: Omit<OperatorAction, 'tenantId'>,
  tenantIds: readonly string[],
): Promise<void> {
  return record(client, action, tenantIds, []);
}

/** @param codes why it failed; none: it is done */
async function record(
  client: Pick<pg.ClientBase, 'query'>,
  action: Omit<OperatorAction, 'tenantId'>,
  tenantIds: readonly string[],
  codes: readonly string[],
): Promise<void> {
  const outcome = codes.length ? AuditOutcome.FAILED : AuditOutcome.DONE;
  try {
    for (let from = 0; from < tenantIds.length; from += MAX_LINES)
      await insertLines(client, action, tenantIds.slice(from, from + MAX_LINES), outcome, codes);
  } catch (error) {
    notRecorded(action.action, (error as Error).message);
  }
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

async function insertLines(
  client: Pick<pg.ClientBase, 'query'>,
  { action, key }: Omit<OperatorAction, 'tenantId'>,
  tenantIds: readonly string[],
  outcome: AuditOutcome,
  codes: readonly string[],
): Promise<void> {
  const subject = storable(`operator:${userName()}`);
  const { text, values } = operatorLines({ tenantIds, subject, action, key: storable(key), outcome, codes });
  await client.query(text, values);
}

function tenantIdOf({ tenantId }: OperatorAction): string {
  return tenantId ?? NO_TENANT.tenantId;
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
