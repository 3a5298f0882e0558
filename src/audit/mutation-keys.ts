import { invalidationOf } from '../cache/dependencies/patterns.ts';
import { LIMITS } from '../limits.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

type Input = Readonly<Record<string, unknown>>;

/**
 * What a mutation's audit line has for a key; of what is none, such as a text in place of an id,
 * nothing is kept.
 */
const KEY_OF: Readonly<Record<string, (input: Input) => string | null>> = {
  /** The new account's id, once there is one. */
  createAccount: () => null,
  updateAccount: accountId,
  changeAccountStatus: accountId,
  recordTransactions: idempotencyKey,
  transfer: idempotencyKey,
  invalidateCache: ({ namespaces, pattern }) => {
    if (Array.isArray(namespaces)) return namespaces.map(String).join(',').toLowerCase();
    return typeof pattern === 'string' ? knownPattern(pattern) : '*';
  },
};

/** Every mutation of the schema. */
export const AUDITED_MUTATIONS: readonly string[] = Object.keys(KEY_OF);

/** @throws Error for a mutation that has no key here: a new one is to say what its line has */
export function keyOfMutation(name: string): (input: Input) => string | null {
  const keyOf = KEY_OF[name];
  if (!keyOf) throw new Error(`mutation ${name} has no key for the audit log: add it to src/audit/mutation-keys.ts`);
  return keyOf;
}

function accountId({ id }: Input): string | null {
  return typeof id === 'string' && UUID.test(id) ? id.toLowerCase() : null;
}

function idempotencyKey({ idempotencyKey }: Input): string | null {
  const isKey = typeof idempotencyKey === 'string' && idempotencyKey.length <= LIMITS.idempotency_keys.key.maxLength;
  return isKey ? idempotencyKey : null;
}

function knownPattern(pattern: string): string | null {
  return invalidationOf(pattern) ? pattern : null;
}
