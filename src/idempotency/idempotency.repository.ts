import { Prisma } from '../generated/prisma/client.ts';
import { BrokenRules, idempotencyKeyReused } from '../graphql/user-error.type.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { TenantTransaction } from '../tenancy/tenant-transaction.ts';

const { sql } = Prisma;

/** A request that is to be carried out once, however often it is sent. */
export interface KeyedRequest {
  /** The client's name for the request, unique within the tenant. */
  readonly key: string;
  /** Of `requestHash`. */
  readonly hash: string;
}

interface Claim {
  readonly isSame: boolean;
  readonly transactionIds: readonly string[];
}

/**
 * Takes the key for this transaction; while another one has it, waits for its end. The key is kept
 * with what the transaction writes: rolled back or lost in a crash, it is free again.
 * @returns null when the request is to be carried out now, else the ids of the transactions that
 *   its first one recorded
 * @throws BrokenRules when the key belongs to another request
 */
export async function claimKey(
  transaction: TenantTransaction,
  scope: TenantScope,
  { key, hash }: KeyedRequest,
): Promise<readonly string[] | null> {
  // The update changes nothing: DO NOTHING would not give the row that is there.
  const query = sql`
    INSERT INTO idempotency_keys AS kept (tenant_id, key, request_hash, transaction_ids)
    VALUES (${scope.tenantId}::uuid, ${key}, decode(${hash}, 'hex'), '{}')
    ON CONFLICT (tenant_id, key) DO UPDATE SET created_at = kept.created_at
    RETURNING request_hash = decode(${hash}, 'hex') AS "isSame", transaction_ids AS "transactionIds"`;
  const [claim] = await transaction.select<Claim>({ model: 'IdempotencyKey', action: 'claimKey', query });
  if (!claim?.isSame) throw new BrokenRules([idempotencyKeyReused(['input', 'idempotencyKey'])]);
  return claim.transactionIds.length ? claim.transactionIds : null;
}

/**
 * The statement that keeps what a claimed request recorded; part of the statement that records it.
 */
export function rememberResult(scope: TenantScope, key: string, transactionIds: Prisma.Sql): Prisma.Sql {
  return sql`UPDATE idempotency_keys SET transaction_ids = ${transactionIds}
    WHERE tenant_id = ${scope.tenantId}::uuid AND key = ${key}`;
}
