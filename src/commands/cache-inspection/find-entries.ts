import type { OperatorRedis } from '../../cache/redis/operator-redis.ts';
import { tenantPrefix } from '../../cache/versions/cache-key.ts';
import type { Versions } from '../../cache/versions/versions.ts';
import type { TenantScope } from '../../tenancy/tenant-scope.ts';
import { type KeptEntry, keptEntry } from './kept-entry.ts';

/** Keys that Redis walks for one SCAN: well below a millisecond of its time. */
const PAGE = 1_000;
/**
 * Holds nearly every header; the few longer ones, of operations with long names, are read whole.
 */
const HEADER_BYTES = 4 * 1024;
/** What lies beside the entries. */
const NO_ENTRIES = /^(?:versions$|written:|load:|budget:)/;

/** Some entries. */
export interface Page {
  readonly entries: readonly KeptEntry[];
  /** Whether all keys have been walked now. */
  readonly isLast: boolean;
}

/**
 * The entries of a tenant, a page at a time. Redis has no list of them: it walks the keys of all
 * tenants, without holding up others for longer than a page takes.
 * @param maxKeys after so many keys the search ends, with the rest unseen
 */
export async function* findEntries(
  { client, keyPrefix }: OperatorRedis,
  scope: TenantScope,
  now: Versions | null,
  maxKeys: number,
): AsyncGenerator<Page> {
  const prefix = tenantPrefix(scope);
  let cursor = '0';
  for (let walked = 0; walked < maxKeys; walked += PAGE) {
    const [next, found] = await client.scan(cursor, 'MATCH', `${keyPrefix}${prefix}*`, 'COUNT', PAGE);
    const keys = found.map((key) => key.slice(keyPrefix.length));
    const own = keys.filter((key) => !NO_ENTRIES.test(key.slice(prefix.length)));
    const entries = await Promise.all(own.map((key) => readEntry(client, prefix, key, now)));
    const isLast = next === '0';
    yield { entries: entries.filter((entry) => entry !== undefined), isLast };
    if (isLast) return;
    cursor = next;
  }
}

/** Undefined when it is gone meanwhile. */
async function readEntry(
  client: OperatorRedis['client'],
  prefix: string,
  key: string,
  now: Versions | null,
): Promise<KeptEntry | undefined> {
  const name = key.slice(prefix.length);
  try {
    const [start, bytes] = await Promise.all([client.getrangeBuffer(key, 0, HEADER_BYTES - 1), client.strlen(key)]);
    if (bytes === 0 && (await client.exists(key)) === 0) return undefined;
    const entry = keptEntry(name, start, bytes, now);
    if (entry.state !== 'broken' || bytes <= HEADER_BYTES) return entry;
    return keptEntry(name, (await client.getBuffer(key)) ?? start, bytes, now);
  } catch (error) {
    if (!/^WRONGTYPE/.test((error as Error).message)) throw error;
    return keptEntry(name, Buffer.alloc(0), 0, now); // nothing of ours
  }
}
