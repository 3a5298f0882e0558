import type { CacheEvent, CacheTier, MissReason } from '../../monitoring/cache-statistics.ts';
import type { Monitor } from '../../monitoring/monitor.ts';
import { isOwn } from '../../monitoring/request-timing.ts';
import type { FastRedis } from '../redis/redis.ts';
import { DEL_ENTRY, GET_ENTRY, KEEP_LATEST, SET_ENTRY } from '../redis/redis-span.ts';
import { compressed } from '../store/compression.ts';
import { countedAccess } from '../store/counted-access.ts';
import type { MemoryEntries } from '../store/entry-store.ts';
import { readStored, storedBytes } from '../store/stored-body.ts';
import { tenantOf } from '../versions/cache-key.ts';
import type { Versions } from '../versions/versions.ts';

/** A value as it is kept. */
export interface DataEntry {
  /** What the value depends on, as it was before the database was read. */
  readonly versions: Versions;
  /** Milliseconds since 1970. */
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  /**
   * The `momentOf` the snapshot that it was read from; absent of values that are never shown when
   * old.
   */
  readonly moment?: number | undefined;
  /** The value, in exact JSON. */
  readonly body: Buffer;
}

/** What stands before the value in Redis. */
interface Header extends Omit<DataEntry, 'body'> {
  readonly layout: string;
}

/** Which entries serve a reader. */
export interface Wanted {
  readonly isCurrent: (entry: DataEntry) => boolean;
  /** Whether it serves though a write has made it old. */
  readonly servesOld: (entry: DataEntry) => boolean;
}

/** What a search came to: an entry, or why there is none that serves. */
export type Sought =
  | { readonly entry: DataEntry; readonly isOld: boolean; readonly tier: CacheTier }
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

/**
 * The entries of values, in two tiers. A tier that fails has nothing: the failure shows in the
 * metrics alone.
 */
export class DataStore {
  constructor(private readonly options: DataStoreOptions) {}

  /**
   * The first entry that serves, or why there is none. An old one comes from the last tier alone:
   * another process may have shown a later one since this one kept it.
   * @param namespace for the metrics
   * @param request for which, here and below, for the spans
   */
  async find(namespace: string, key: string, wanted: Wanted, request?: object): Promise<Sought> {
    const { isCurrent, servesOld } = wanted;
    const { memory, redis } = this.options;
    const near = this.inMemory(key);
    if (near && isCurrent(near)) return { entry: near, isOld: false, tier: 'memory' };
    if (!redis)
      return near && servesOld(near) ? { entry: near, isOld: true, tier: 'memory' } : { reason: whyNot(near) };
    const asked = redis.run((client) => client.getBuffer(key), 'read', GET_ENTRY, request);
    const bytes = await this.#counted('get', namespace, asked);
    const far = bytes && this.#read(key, bytes);
    if (far && isCurrent(far)) {
      memory.set(key, far);
      return { entry: far, isOld: false, tier: 'redis' };
    }
    if (far && servesOld(far)) return { entry: far, isOld: true, tier: 'redis' };
    return { reason: bytes && !far ? 'broken' : whyNot(far) };
  }

  inMemory(key: string): DataEntry | undefined {
    return this.options.memory.get<DataEntry>(key);
  }

  /**
   * Resolves when Redis has it too, which nobody who asked for the value need wait for. Never
   * throws.
   */
  async keep(namespace: string, key: string, entry: DataEntry, request?: object): Promise<void> {
    const { redis } = this.options;
    this.#keepInMemory(namespace, key, entry, request);
    const ttlMs = leftMs(entry);
    if (!redis || ttlMs <= 0) return;
    const stored = await this.#stored(key, entry);
    const sent = redis.run((client) => client.set(key, stored, 'PX', ttlMs), 'fill', SET_ENTRY, request);
    if (await this.#counted('set', namespace, sent)) this.#recordFill(namespace, key, stored, request);
  }

  /**
   * Keeps an entry with a moment, unless a later one is kept already. Its reader waits for it: what
   * was shown once is then kept, or nothing is that could be shown after it. Never throws.
   * @returns when it was created, which is never before what it takes the place of; undefined when
   *   an earlier one may be kept yet
   */
  async keepLatest(namespace: string, key: string, entry: DataEntry, request?: object): Promise<number | undefined> {
    const { redis } = this.options;
    if (!redis) return this.#keepLatestInMemory(namespace, key, entry, request);
    const { moment = 0, versions } = entry;
    for (let createdAtMs = entry.createdAtMs; ; ) {
      const dated = { ...entry, createdAtMs };
      const stored = await this.#stored(key, dated);
      const ttlMs = Math.max(1, leftMs(entry));
      const sent = redis.run(
        (client) => client.keepLatest(key, stored, ttlMs, versions.epoch, moment, createdAtMs, this.options.layout),
        'fill',
        KEEP_LATEST,
        request,
      );
      const laterMs = await this.#counted('set', namespace, sent);
      if (laterMs === undefined) return (await this.drop(namespace, key, request)) ? createdAtMs : undefined;
      if (laterMs === null) return createdAtMs; // what is there was read later
      if (Number(laterMs) <= createdAtMs) {
        this.#recordFill(namespace, key, stored, request);
        this.#keepInMemory(namespace, key, dated, request);
        return createdAtMs;
      }
      createdAtMs = Number(laterMs);
    }
  }

  #keepLatestInMemory(namespace: string, key: string, entry: DataEntry, request?: object): number {
    const there = this.inMemory(key);
    const isComparable = there?.versions.epoch === entry.versions.epoch;
    if (isComparable && (there.moment ?? 0) > (entry.moment ?? 0)) return entry.createdAtMs;
    const createdAtMs = isComparable ? Math.max(entry.createdAtMs, there.createdAtMs) : entry.createdAtMs;
    this.#keepInMemory(namespace, key, { ...entry, createdAtMs }, request);
    return createdAtMs;
  }

  /**
   * Redis may take no writes, as when its memory is full, and forget all the same. Never throws.
   * @returns whether it has
   */
  async drop(namespace: string, key: string, request?: object): Promise<boolean> {
    const dropped = this.options.redis?.run((client) => client.del(key), 'bump', DEL_ENTRY, request);
    return dropped !== undefined && (await this.#counted('set', namespace, dropped)) !== undefined;
  }

  #keepInMemory(namespace: string, key: string, entry: DataEntry, request: object | undefined): void {
    const { memory, monitor } = this.options;
    if (memory.set(key, entry)) monitor.recordCache(fill(namespace, key, 'memory', entry.body, request));
  }

  #recordFill(namespace: string, key: string, stored: Buffer, request: object | undefined): void {
    this.options.monitor.recordCache(fill(namespace, key, 'redis', stored, request));
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

/** Of the tenant's cost, unless the service keeps it by itself. */
function fill(
  namespace: string,
  key: string,
  tier: CacheTier,
  { length: bytes }: Buffer,
  request: object | undefined,
): CacheEvent {
  return { namespace, kind: 'fill', tier, bytes, ...(!isOwn(request) && { tenantId: tenantOf(key) }) };
}

function leftMs({ expiresAtMs }: DataEntry): number {
  return Math.ceil(expiresAtMs - Date.now());
}

function whyNot(entry: DataEntry | null | undefined): MissReason {
  if (!entry) return 'absent';
  return entry.expiresAtMs <= Date.now() ? 'expired' : 'old';
}
