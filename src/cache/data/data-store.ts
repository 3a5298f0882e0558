import type { CacheTier, MissReason } from '../../monitoring/cache-statistics.ts';
import type { Monitor } from '../../monitoring/monitor.ts';
import { compressed } from '../compression.ts';
import { countedAccess } from '../counted-access.ts';
import type { MemoryEntries } from '../entry-store.ts';
import type { FastRedis } from '../redis.ts';
import { readStored, storedBytes } from '../stored-body.ts';
import type { Versions } from '../versions.ts';

/** A value as it is kept. */
export interface DataEntry {
  /** What the value depends on, as it was before the database was read. */
  readonly versions: Versions;
  /** Milliseconds since 1970. */
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  /** The value, in exact JSON. */
  readonly body: Buffer;
}

/** What stands before the value in Redis. */
interface Header extends Omit<DataEntry, 'body'> {
  readonly layout: string;
}

/** What a search came to: an entry, or why there is none that serves. */
export type Sought =
  | { readonly entry: DataEntry; readonly tier: CacheTier }
  | { readonly entry?: undefined; readonly reason: MissReason };

export interface DataStoreOptions {
  /** Holds the response entries too: the bound and the fairness are those of both together. */
  readonly memory: MemoryEntries;
  /** The tier behind the process. */
  readonly redis?: FastRedis | undefined;
  /** Larger values are compressed in Redis. */
  readonly compressAboveBytes: number;
  readonly monitor: Monitor;
  /** Tells this deployment's values from those of others, which may be made otherwise. */
  readonly layout: string;
}

/** The entries of values, in two tiers. A tier that fails has nothing: the failure shows in the metrics alone. */
export class DataStore {
  constructor(private readonly options: DataStoreOptions) {}

  /**
   * The first entry that serves, or why there is none.
   * @param namespace for the metrics
   */
  async find(namespace: string, key: string, serves: (entry: DataEntry) => boolean): Promise<Sought> {
    const { memory, redis } = this.options;
    const near = this.inMemory(key);
    if (near && serves(near)) return { entry: near, tier: 'memory' };
    if (!redis) return { reason: whyNot(near) };
    const asked = redis.run((client) => client.getBuffer(key));
    const bytes = await this.#counted('get', namespace, asked);
    const far = bytes && this.#read(key, bytes);
    if (!far || !serves(far)) return { reason: bytes && !far ? 'broken' : whyNot(far) };
    memory.set(key, far);
    return { entry: far, tier: 'redis' };
  }

  inMemory(key: string): DataEntry | undefined {
    return this.options.memory.get<DataEntry>(key);
  }

  /** Resolves when Redis has it too, which nobody who asked for the value need wait for. Never throws. */
  async keep(namespace: string, key: string, entry: DataEntry): Promise<void> {
    const { memory, redis, monitor } = this.options;
    const bytes = entry.body.length;
    if (memory.set(key, entry)) monitor.recordCache({ namespace, kind: 'fill', tier: 'memory', bytes });
    const ttlMs = Math.ceil(entry.expiresAtMs - Date.now());
    if (!redis || ttlMs <= 0) return;
    const stored = await this.#stored(key, entry);
    const sent = redis.run((client) => client.set(key, stored, 'PX', ttlMs), 'fill');
    if (await this.#counted('set', namespace, sent))
      monitor.recordCache({ namespace, kind: 'fill', tier: 'redis', bytes: stored.length });
  }

  async #stored(key: string, { body, ...rest }: DataEntry): Promise<Buffer> {
    const { layout, compressAboveBytes } = this.options;
    const header: Header = { ...rest, layout };
    return storedBytes(key, header, body, body.length > compressAboveBytes ? await compressed(body) : undefined);
  }

  /** Undefined for what is broken, lies under another key, or is of another layout. */
  #read(key: string, bytes: Buffer): DataEntry | undefined {
    const stored = readStored<Header>(key, bytes);
    if (!stored) return undefined;
    const { layout, ...header } = stored.header;
    return layout === this.options.layout ? { ...header, body: stored.body } : undefined;
  }

  #counted<Result>(kind: 'get' | 'set', namespace: string, access: Promise<Result>): Promise<Result | undefined> {
    return countedAccess(this.options.monitor, kind, namespace, access);
  }
}

function whyNot(entry: DataEntry | null | undefined): MissReason {
  if (!entry) return 'absent';
  return entry.expiresAtMs <= Date.now() ? 'expired' : 'old';
}
