import { LRUCache } from 'lru-cache';
import type { CacheConfig } from '../../config/config.ts';
import type { TenantScope } from '../../tenancy/tenant-scope.ts';
import type { FastRedis } from '../redis/redis.ts';
import { SET_ENTRY } from '../redis/redis-span.ts';
import { tenantOf } from '../versions/cache-key.ts';
import type { SharedVersions, Versions } from '../versions/versions.ts';
import { decodeEntry, encodeEntry, gzippedBody, type ResponseEntry } from './entry.ts';
import { LoadLocks } from './load-lock.ts';

/** What an entry takes in memory beside its body: key, header, bookkeeping. */
const ENTRY_OVERHEAD_BYTES = 1_000;

/**
 * A tenant's share of the memory at most: whatever one of them asks for, the others keep three
 * quarters.
 */
const TENANT_SHARE = 1 / 4;

/** What is kept, as far as its place in memory goes. */
export interface Kept {
  readonly body: Buffer;
}

/**
 * Entries within the process, of answers and of values together, bounded in bytes, and fair: a
 * tenant beyond its share loses its own oldest entries.
 */
export class MemoryEntries {
  readonly #entries: LRUCache<string, Kept> | undefined;
  readonly #tenants = new Map<string, { bytes: number; readonly keys: Set<string> }>();
  readonly #maxTenantBytes: number;

  constructor(maxBytes: number) {
    this.#maxTenantBytes = Math.floor(maxBytes * TENANT_SHARE);
    if (maxBytes > 0)
      this.#entries = new LRUCache({
        maxSize: maxBytes,
        maxEntrySize: Math.max(1, this.#maxTenantBytes),
        sizeCalculation: sizeOf,
        dispose: (entry, key) => this.#forget(entry, key),
      });
  }

  get bytes(): number {
    return this.#entries?.calculatedSize ?? 0;
  }

  has(key: string): boolean {
    return this.#entries?.has(key) ?? false;
  }

  /** The key tells what kind of entry lies there. */
  get<Entry extends Kept = ResponseEntry>(key: string): Entry | undefined {
    return this.#entries?.get(key) as Entry | undefined;
  }

  /** @returns whether it is kept */
  set(key: string, entry: Kept): boolean {
    const entries = this.#entries;
    const bytes = sizeOf(entry);
    entries?.delete(key); // also when the new one is not kept: it was to take its place
    if (!entries || bytes > this.#maxTenantBytes) return false;
    const tenant = this.#tenants.get(tenantOf(key)) ?? { bytes: 0, keys: new Set<string>() };
    this.#tenants.set(tenantOf(key), tenant);
    // A set keeps the order of insertion: the first is the oldest.
    for (const oldest of tenant.keys) {
      if (tenant.bytes + bytes <= this.#maxTenantBytes) break;
      entries.delete(oldest);
    }
    tenant.bytes += bytes;
    tenant.keys.add(key);
    this.#tenants.set(tenantOf(key), tenant);
    entries.set(key, entry);
    return true;
  }

  #forget(entry: Kept, key: string): void {
    const tenant = this.#tenants.get(tenantOf(key));
    if (!tenant?.keys.delete(key)) return;
    tenant.bytes -= sizeOf(entry);
    if (tenant.keys.size === 0) this.#tenants.delete(tenantOf(key));
  }
}

/**
 * The compressed body may be added later; counted from the start, as if it were half of the plain
 * one.
 */
function sizeOf({ body }: Kept): number {
  return Math.ceil(body.length * 1.5) + ENTRY_OVERHEAD_BYTES;
}

/** What lies in Redis under a key, and the versions that were current then. */
export interface SharedFinding {
  readonly versions: Versions;
  readonly entry: ResponseEntry | undefined;
  /** There are bytes, but they are no whole entry of the key. */
  readonly isBroken: boolean;
}

interface SharedSettings extends Pick<CacheConfig, 'compressAboveBytes' | 'maxLoadMs'> {
  /** Entries of another one are not found. */
  readonly layout: string;
}

/** Entries in Redis, shared by all processes. */
export class RedisEntries {
  /** For loads of which one is enough. */
  readonly locks: LoadLocks;

  constructor(
    private readonly redis: FastRedis,
    private readonly versions: SharedVersions,
    private readonly settings: SharedSettings,
  ) {
    this.locks = new LoadLocks(redis, settings.maxLoadMs);
  }

  /** The versions and the entry, in one round trip. */
  async find(scope: TenantScope, key: string): Promise<SharedFinding> {
    const { versions, bytes } = await this.versions.readWith(scope, key);
    const found = bytes ? decodeEntry(key, bytes) : undefined;
    const entry = found?.layout === this.settings.layout ? found : undefined;
    return { versions, entry, isBroken: bytes !== null && !found };
  }

  /**
   * @param request for which it was made
   * @returns the bytes that it takes there; 0 when its time is over already
   */
  async set(key: string, entry: ResponseEntry, request?: object): Promise<number> {
    const gzipped = entry.body.length > this.settings.compressAboveBytes ? await gzippedBody(entry) : entry.gzipped;
    const ttlMs = Math.ceil(entry.expiresAtMs - Date.now());
    if (ttlMs <= 0) return 0;
    const bytes = encodeEntry(key, entry, gzipped, this.settings.layout);
    await this.redis.run((client) => client.set(key, bytes, 'PX', ttlMs), 'fill', SET_ENTRY, request);
    return bytes.length;
  }
}
