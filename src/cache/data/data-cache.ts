import type { MissReason } from '../../monitoring/cache-statistics.ts';
import type { Monitor } from '../../monitoring/monitor.ts';
import type { TenantScope } from '../../tenancy/tenant-scope.ts';
import { dataKey } from '../cache-key.ts';
import { Flights } from '../flights.ts';
import type { Following } from '../outbox/following.ts';
import { isCurrent, type Versions, versionsOf } from '../versions.ts';
import type { Data, Found } from './data.ts';
import type { DataEntry, DataStore } from './data-store.ts';
import { exactJson, parseExact } from './exact-json.ts';
import type { RequestVersions } from './request-versions.ts';

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
    const reading = { ...data, fullKey: dataKey(scope, ...data.key), versions, beganAtMs };
    const { known, reason } = await this.#find(reading);
    if (known && data.covers(known.value)) return known;
    // What a write has made old is not put together with what is read now.
    return this.#joinOrLoad(reading, known && isCurrent(known.entry.versions, versions) ? known : undefined, reason);
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

  /** @returns also why it is a miss, if it is one: the entry may lack a part */
  async #find<Value>(reading: Reading<Value>): Promise<{ known?: Known<Value>; reason: MissReason }> {
    const namespace = namespaceOf(reading);
    const serves = (entry: DataEntry) => servesUntilMs(entry, reading) > Date.now();
    const sought = await this.options.store.find(namespace, reading.fullKey, serves);
    if (!sought.entry) return { reason: sought.reason };
    const { entry, tier } = sought;
    const value = lasting(valueIn<Value>(entry), entry.createdAtMs);
    const isNow = isCurrent(entry.versions, reading.versions);
    const known = { ...value, entry, ...(!isNow && { holdsUntilMs: servesUntilMs(entry, reading) }) };
    if (reading.covers(known.value)) this.options.monitor.recordCache({ namespace, kind: 'hit', tier });
    return { known, reason: 'absent' };
  }

  async #joinOrLoad<Value>(
    reading: Reading<Value>,
    known: Known<Value> | undefined,
    reason: MissReason,
  ): Promise<Found<Value>> {
    const namespace = namespaceOf(reading);
    const key = `${reading.fullKey} ${reading.asked}`;
    const versions = versionsOf(reading.versions, reading.dependencies);
    const flight = this.#flights.under(key, versions);
    const joined = flight && (await flight.result.catch(() => undefined)); // its own caller is told
    if (joined) {
      this.options.monitor.recordCache({ namespace, kind: 'joined' });
      return joined as Found<Value>;
    }
    // It may have ended while Redis was asked. Nothing is awaited from here to the new flight's begin, so that of
    // several requests only one finds neither.
    const since = flight ? undefined : this.#keptSince(reading, known?.entry);
    if (since && reading.covers(since.value)) return since;
    this.options.monitor.recordCache({ namespace, kind: 'miss', reason });
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
