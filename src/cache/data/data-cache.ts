import type { MissReason } from '../../monitoring/cache-statistics.ts';
import type { Monitor } from '../../monitoring/monitor.ts';
import type { TenantScope } from '../../tenancy/tenant-scope.ts';
import { dataKey, loadKey } from '../cache-key.ts';
import { Flights } from '../flights.ts';
import type { LoadLocks } from '../load-lock.ts';
import type { Following } from '../outbox/following.ts';
import { isCurrent, type Versions, versionsOf } from '../versions.ts';
import type { Data, Found } from './data.ts';
import type { DataEntry, DataStore } from './data-store.ts';
import { exactJson, parseExact } from './exact-json.ts';
import type { RequestVersions } from './request-versions.ts';

/** What was found of a value, under the versions that are asked for. */
type Known<Value> = Found<Value> & { readonly entry: DataEntry };

/** What a search came to, and why it is a miss, if it is one: the entry may lack a part. */
interface Finding<Value> {
  readonly known?: Known<Value>;
  readonly reason: MissReason;
}

/** A read, with the versions that it is judged by. */
interface Reading<Value> extends Data<Value> {
  readonly scope: TenantScope;
  readonly fullKey: string;
  readonly versions: Versions;
  readonly beganAtMs: number;
}

export interface DataCacheOptions {
  readonly enabled: boolean;
  readonly following: Following;
  readonly store: DataStore;
  /** For loads of which one is enough for all processes; absent without Redis. */
  readonly locks?: LoadLocks | undefined;
  readonly monitor: Monitor;
}

/**
 * Values that answers are made of, for operations that select different parts of the same. As for whole answers, the
 * versions are read before the database is, and an entry is used only while they are current.
 */
export class DataCache {
  readonly #flights = new Flights<Found<unknown>>();
  readonly #ofRequests = new WeakMap<object, RequestVersions>();

  constructor(private readonly options: DataCacheOptions) {}

  /**
   * From now on what is read for a request is judged by these versions. Without them, as outside of requests, every read
   * asks for its own.
   * @param request as the tenant scopes of its reads carry it
   */
  judgeBy(request: object, versions: RequestVersions): void {
    this.#ofRequests.set(request, versions);
  }

  /** The value with the parts that are asked for: from the cache, or from `load` as far as they are not there. */
  async read<Value>(scope: TenantScope, data: Data<Value>): Promise<Found<Value>> {
    const beganAtMs = data.beganAtMs ?? Date.now();
    const versions = await this.#versions(scope);
    if (!versions) return lasting(await data.load(undefined), beganAtMs);
    const reading = { ...data, scope, fullKey: dataKey(scope, ...data.key), versions, beganAtMs };
    const found = await this.#find(reading);
    return whole(reading, found) ?? this.#joinOrLoad(reading, found);
  }

  /** Null when the cache is off, or cannot be trusted at this moment. */
  async #versions(scope: TenantScope): Promise<Versions | null> {
    if (!this.options.enabled) return null;
    const ofRequest = scope.request && this.#ofRequests.get(scope.request);
    return ofRequest ? ofRequest.get(() => this.#readVersions(scope)) : this.#readVersions(scope);
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

  /** @param count what a finding with all that is asked for is counted as */
  async #find<Value>(reading: Reading<Value>, count: 'hit' | 'joined' = 'hit'): Promise<Finding<Value>> {
    const namespace = namespaceOf(reading);
    const serves = (entry: DataEntry) => servesUntilMs(entry, reading) > Date.now();
    const sought = await this.options.store.find(namespace, reading.fullKey, serves);
    if (!sought.entry) return { reason: sought.reason };
    const { entry, tier } = sought;
    const value = lasting(valueIn<Value>(entry), entry.createdAtMs);
    const isNow = isCurrent(entry.versions, reading.versions);
    const known = { ...value, entry, ...(!isNow && { holdsUntilMs: servesUntilMs(entry, reading) }) };
    if (reading.covers(known.value)) this.options.monitor.recordCache({ namespace, kind: count, tier });
    return { known, reason: 'absent' };
  }

  async #joinOrLoad<Value>(reading: Reading<Value>, found: Finding<Value>): Promise<Found<Value>> {
    const namespace = namespaceOf(reading);
    const key = flightKey(reading);
    const versions = versionsOf(reading.versions, reading.dependencies);
    const flight = this.#flights.under(key, versions);
    const joined = flight && (await flight.result.catch(() => undefined)); // its own caller is told
    if (joined) {
      this.options.monitor.recordCache({ namespace, kind: 'joined' });
      return joined as Found<Value>;
    }
    // It may have ended while Redis was asked. Nothing is awaited from here to the new flight's begin, so that of
    // several requests only one finds neither.
    const since = flight ? undefined : this.#keptSince(reading, found.known?.entry);
    if (since && reading.covers(since.value)) return since;
    const load = () => this.#loadInTurn(reading, versions, found);
    return this.#flights.run(key, versions, load) as Promise<Found<Value>>;
  }

  /** Of all processes that share the Redis one loads; the others wait for what it stores. */
  async #loadInTurn<Value>(reading: Reading<Value>, versions: Versions, found: Finding<Value>): Promise<Found<Value>> {
    const { locks } = this.options;
    if (!locks) return this.#loadAndKeep(reading, found);
    const { looked, end } = await locks.turn(
      loadKey(reading.scope, flightKey(reading), versions),
      () => this.#find(reading, 'joined'),
      (finding) => whole(reading, finding) !== undefined,
    );
    return whole(reading, looked) ?? this.#loadAndKeep(reading, { ...found, ...looked }, end);
  }

  /** @param end called when the value is stored, or is not to be */
  async #loadAndKeep<Value>(
    reading: Reading<Value>,
    { known: found, reason }: Finding<Value>,
    end = async () => {},
  ): Promise<Found<Value>> {
    this.options.monitor.recordCache({ namespace: namespaceOf(reading), kind: 'miss', reason });
    // What a write has made old is not put together with what is read now.
    const known = found && isCurrent(found.entry.versions, reading.versions) ? found : undefined;
    let stored = Promise.resolve();
    try {
      const createdAtMs = Math.min(reading.beganAtMs, known?.createdAtMs ?? reading.beganAtMs);
      const loaded = lasting(await reading.load(known?.value), createdAtMs);
      stored = this.#keep(reading, this.#withOthers(reading, loaded, known?.entry));
      return loaded;
    } finally {
      void stored.then(end); // not waited for: the reader need not wait until others may have the value too
    }
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

  /** Never rejects. */
  #keep<Value>(reading: Reading<Value>, { value, createdAtMs }: Found<Value>): Promise<void> {
    const endsAtMs = reading.endsAtMs?.(value) ?? Number.POSITIVE_INFINITY;
    return this.options.store.keep(namespaceOf(reading), reading.fullKey, {
      versions: versionsOf(reading.versions, reading.dependencies),
      createdAtMs,
      expiresAtMs: Math.min(createdAtMs + reading.ttlSeconds * 1000, endsAtMs),
      body: Buffer.from(exactJson(value)),
    });
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

/** What was found, if it has all that is asked for. */
function whole<Value>(reading: Reading<Value>, found: Finding<Value> | undefined): Known<Value> | undefined {
  return found?.known && reading.covers(found.known.value) ? found.known : undefined;
}

/** Tells the loads of a value's parts from one another. */
function flightKey({ fullKey, asked }: Pick<Reading<unknown>, 'fullKey' | 'asked'>): string {
  return `${fullKey} ${asked}`;
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
