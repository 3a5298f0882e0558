import type { Monitor } from '../../monitoring/monitor.ts';
import type { CacheTier } from '../../monitoring/statistics.ts';
import type { TenantScope } from '../../tenancy/tenant-scope.ts';
import { dataKey } from '../cache-key.ts';
import { Flights } from '../flights.ts';
import type { CacheDependency } from '../namespaces.ts';
import type { Following } from '../outbox/following.ts';
import { isCurrent, type Versions, versionsOf } from '../versions.ts';
import type { DataEntry, DataStore } from './data-store.ts';
import { exactJson, parseExact } from './exact-json.ts';

/** What is kept under a key, and how it is come by. */
export interface Data<Value> {
  /** Behind the tenant's prefix; the first part is the namespace. */
  readonly key: readonly string[];
  /** What the value depends on: the same for all that is ever kept under the key. */
  readonly dependencies: readonly CacheDependency[];
  readonly ttlSeconds: number;
  /** Text that is equal for equal parts of the value: those who ask for the same share a load. */
  readonly asked: string;
  /** Whether the value has the parts that are asked for. */
  covers(value: Value): boolean;
  /** Reads the parts that are asked for and that `known` lacks. @returns them together with those of `known` */
  load(known: Value | undefined): Promise<Value>;
  /** Puts together what was loaded at the same time for two who asked for different parts. */
  merge(one: Value, other: Value): Value;
  /** When the value is another, whatever is written: milliseconds since 1970. */
  endsAtMs?(value: Value): number;
  /** When the load began, where that was before the call. */
  readonly beganAtMs?: number | undefined;
  /** How old a value may be that a write has made old; 0 when absent. */
  readonly maxStalenessMs?: number | undefined;
}

/** A value as it was computed or found. */
export interface Found<Value> {
  readonly value: Value;
  /** Before the database was read for it; of parts that were read one after another, the first. Milliseconds since 1970. */
  readonly createdAtMs: number;
  /** Until when it may be shown: without end, unless it is older than the last write. */
  readonly holdsUntilMs: number;
}

/** What was found of a value, under the versions that are asked for. */
type Known<Value> = Found<Value> & { readonly entry: DataEntry };

/** A read, with the versions that it is judged by. */
interface Reading<Value> extends Data<Value> {
  readonly fullKey: string;
  readonly versions: Versions;
  readonly beganAtMs: number;
}

export interface DataCacheOptions {
  readonly enabled: boolean;
  readonly following: Following;
  readonly store: DataStore;
  readonly monitor: Monitor;
}

/**
 * Values that answers are made of, for operations that select different parts of the same. As for whole answers, the
 * versions are read before the database is, and an entry is used only while they are current.
 */
export class DataCache {
  readonly #flights = new Flights<Found<unknown>>();

  constructor(private readonly options: DataCacheOptions) {}

  /** The value with the parts that are asked for: from the cache, or from `load` as far as they are not there. */
  async read<Value>(scope: TenantScope, data: Data<Value>): Promise<Found<Value>> {
    const beganAtMs = data.beganAtMs ?? Date.now();
    const versions = await this.#versions(scope);
    if (!versions) return lasting(await data.load(undefined), beganAtMs);
    const reading = { ...data, fullKey: dataKey(scope, ...data.key), versions, beganAtMs };
    const known = await this.#find(reading);
    if (known && data.covers(known.value)) return known;
    // What a write has made old is not put together with what is read now.
    return this.#joinOrLoad(reading, known && isCurrent(known.entry.versions, versions) ? known : undefined);
  }

  /** Null when the cache is off, or cannot be trusted at this moment. */
  async #versions(scope: TenantScope): Promise<Versions | null> {
    if (!this.options.enabled) return null;
    return scope.versions ? scope.versions.get(() => this.#readVersions(scope)) : this.#readVersions(scope);
  }

  async #readVersions(scope: TenantScope): Promise<Versions | null> {
    const { following, monitor } = this.options;
    if (!(following.trust.isValid || (await following.regainTrust()))) return null;
    try {
      return await following.versions.read(scope);
    } catch {
      monitor.recordCache({ namespace: 'versions', kind: 'error' }); // FastRedis has logged it
      return null;
    }
  }

  async #find<Value>(reading: Reading<Value>): Promise<Known<Value> | undefined> {
    const serves = (entry: DataEntry) => servesUntilMs(entry, reading) > Date.now();
    const found = await this.options.store.find(namespaceOf(reading), reading.fullKey, serves);
    if (!found) return undefined;
    const { entry, tier } = found;
    const known = { ...lasting(valueIn<Value>(entry), entry.createdAtMs), entry };
    if (reading.covers(known.value)) this.#count(reading, 'hit', tier);
    return isCurrent(entry.versions, reading.versions)
      ? known
      : { ...known, holdsUntilMs: servesUntilMs(entry, reading) };
  }

  async #joinOrLoad<Value>(reading: Reading<Value>, known: Known<Value> | undefined): Promise<Found<Value>> {
    const key = `${reading.fullKey} ${reading.asked}`;
    const versions = versionsOf(reading.versions, reading.dependencies);
    const flight = this.#flights.under(key, versions);
    const joined = flight && (await flight.result.catch(() => undefined)); // its own caller is told
    if (joined) return joined as Found<Value>;
    // It may have ended while Redis was asked. Nothing is awaited from here to the new flight's begin, so that of
    // several requests only one finds neither.
    const since = flight ? undefined : this.#keptSince(reading, known?.entry);
    if (since && reading.covers(since.value)) return since;
    this.#count(reading, 'miss');
    return this.#flights.run(key, versions, () => this.#loadAndKeep(reading, known)) as Promise<Found<Value>>;
  }

  async #loadAndKeep<Value>(reading: Reading<Value>, known: Known<Value> | undefined): Promise<Found<Value>> {
    const createdAtMs = Math.min(reading.beganAtMs, known?.createdAtMs ?? reading.beganAtMs);
    const loaded = lasting(await reading.load(known?.value), createdAtMs);
    this.#keep(reading, this.#withOthers(reading, loaded, known?.entry));
    return loaded;
  }

  /** What was loaded, with the parts that somebody else has kept meanwhile. */
  #withOthers<Value>(reading: Reading<Value>, loaded: Found<Value>, known: DataEntry | undefined): Found<Value> {
    const others = this.#keptSince(reading, known);
    if (!others) return loaded;
    const createdAtMs = Math.min(others.createdAtMs, loaded.createdAtMs);
    return lasting(reading.merge(others.value, loaded.value), createdAtMs);
  }

  #keptSince<Value>(reading: Reading<Value>, known: DataEntry | undefined): Found<Value> | undefined {
    const entry = this.options.store.inMemory(reading.fullKey);
    if (!entry || entry === known || !isCurrent(entry.versions, reading.versions)) return undefined;
    return entry.expiresAtMs > Date.now() ? lasting(valueIn<Value>(entry), entry.createdAtMs) : undefined;
  }

  #keep<Value>(reading: Reading<Value>, { value, createdAtMs }: Found<Value>): void {
    const endsAtMs = reading.endsAtMs?.(value) ?? Number.POSITIVE_INFINITY;
    void this.options.store.keep(namespaceOf(reading), reading.fullKey, {
      versions: versionsOf(reading.versions, reading.dependencies),
      createdAtMs,
      expiresAtMs: Math.min(createdAtMs + reading.ttlSeconds * 1000, endsAtMs),
      body: Buffer.from(exactJson(value)),
    });
  }

  #count(reading: { readonly key: readonly string[] }, kind: 'hit' | 'miss', tier?: CacheTier): void {
    this.options.monitor.recordCache({ namespace: namespaceOf(reading), kind, ...(tier && { tier }) });
  }
}

/**
 * Until when an entry serves a reader. One that a write has made old does as long as its reader accepts, but only within
 * its epoch: what was kept before the cache lost its trust may show what was never lasting, as writes that PostgreSQL
 * lost in a failover.
 */
function servesUntilMs<Value>(entry: DataEntry, { versions, maxStalenessMs = 0 }: Reading<Value>): number {
  if (isCurrent(entry.versions, versions)) return entry.expiresAtMs;
  if (entry.versions.epoch !== versions.epoch) return 0;
  return Math.min(entry.expiresAtMs, entry.createdAtMs + maxStalenessMs);
}

function valueIn<Value>({ body }: DataEntry): Value {
  return parseExact(body.toString()) as Value;
}

function lasting<Value>(value: Value, createdAtMs: number): Found<Value> {
  return { value, createdAtMs, holdsUntilMs: Number.POSITIVE_INFINITY };
}

/** For the metrics: apart from the response entries of the namespace. */
function namespaceOf({ key }: { readonly key: readonly string[] }): string {
  return `data:${key[0]}`;
}
