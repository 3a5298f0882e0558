import { LRUCache } from 'lru-cache';
import { decodeEntry, encodeEntry, type ResponseEntry } from './entry.ts';
import type { FastRedis } from './redis.ts';

/** What an entry takes in memory beside its body: key, header, bookkeeping. Measured with 100,000 small entries. */
const ENTRY_OVERHEAD_BYTES = 1_000;

/** Entries within the process, bounded in bytes. */
export class MemoryEntries {
  readonly #entries: LRUCache<string, ResponseEntry> | undefined;

  constructor(maxBytes: number) {
    if (maxBytes > 0)
      this.#entries = new LRUCache({
        maxSize: maxBytes,
        sizeCalculation: ({ body }) => body.length + ENTRY_OVERHEAD_BYTES,
      });
  }

  get bytes(): number {
    return this.#entries?.calculatedSize ?? 0;
  }

  get(key: string): ResponseEntry | undefined {
    return this.#entries?.get(key);
  }

  set(key: string, entry: ResponseEntry): void {
    this.#entries?.set(key, entry);
  }
}

/** Entries in Redis, shared by all processes. Bytes that are no whole entry are absent. */
export class RedisEntries {
  constructor(private readonly redis: FastRedis) {}

  async get(key: string): Promise<ResponseEntry | undefined> {
    const bytes = await this.redis.run((client) => client.getBuffer(key));
    return bytes ? decodeEntry(bytes) : undefined;
  }

  async set(key: string, entry: ResponseEntry): Promise<void> {
    const ttlMs = entry.expiresAtMs - Date.now();
    if (ttlMs > 0) await this.redis.run((client) => client.set(key, encodeEntry(entry), 'PX', ttlMs));
  }
}
