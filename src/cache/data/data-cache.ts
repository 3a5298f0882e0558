import { exactJson, parseExact } from '../../exact-json.ts';
import { errorCodeOf } from '../../graphql/format-error.ts';
import type { CacheEvent, MissReason } from '../../monitoring/cache-statistics.ts';
import type { Monitor } from '../../monitoring/monitor.ts';
import { isOwn } from '../../monitoring/request-timing.ts';
import type { TenantScope } from '../../tenancy/tenant-scope.ts';
import type { ChangeFeed } from '../change-feed/change-feed.ts';
import { type CacheDependency, derivedDependencies } from '../dependencies/dependencies.ts';
import type { LoadLocks } from '../store/load-lock.ts';
import { FailedLoads, SingleFlight } from '../store/single-flight.ts';
import { dataKey, loadKey } from '../versions/cache-key.ts';
import { isCurrent, type Versions, versionsOf } from '../versions/versions.ts';
import type { Data, Found } from './data.ts';
import type { DataEntry, DataStore } from './data-store.ts';
import { OldValues } from './old-values.ts';
import { RequestVersions } from './request-versions.ts';

/** What a search came to, and why it is a miss, if it is one: the entry may lack a part. */
interface Finding<Value> {
  readonly found?: Found<Value>;
  readonly reason: MissReason;
}

/** A read, with the versions that it is judged by. */
interface Reading<Value> extends Data<Value> {
  readonly scope: TenantScope;
  readonly fullKey: string;
  readonly versions: Versions;
  readonly beganAtMs: number;
}

/** What a request reads by, and what is told of it. */
export interface RequestReads {
  readonly versions: RequestVersions;
  /** What the answer depends on, beside what its own statements read. */
  dependsOn(...dependencies: readonly CacheDependency[]): void;
}

export interface DataCacheOptions {
  readonly enabled: boolean;
  readonly changeFeed: ChangeFeed;
  readonly store: DataStore;
  /** For loads of which one is enough for all processes; absent without Redis. */
  readonly locks?: LoadLocks | undefined;
  readonly monitor: Monitor;
}

/**
 * Values that answers are made of, for operations that select different parts of the same. As for
 * whole answers, the versions are read before the database is, and an entry is used only while they
 * are current. One entry holds what one load read: it is replaced, and never added to.
 */
export class DataCache {
  readonly #loads = new SingleFlight<Found<unknown>>();
  readonly #ofRequests = new WeakMap<object, RequestReads>();
  readonly #old: OldValues;

  constructor(private readonly options: DataCacheOptions) {
    this.#old = new OldValues(options.changeFeed.trust);
  }

  /**
   * From now on what is read for a request is judged by its versions, and told to it. Outside of
   * requests every read asks for versions of its own.
   * @param request as the tenant scopes of its reads carry it
   */
  judgeBy(request: object, reads: RequestReads): void {
    this.#ofRequests.set(request, reads);
  }

  /**
   * A scope of which all reads are judged by the same versions: for values that are read together,
   * and kept one after another. That of a request that is judged is one already.
   */
  inOneMoment(scope: TenantScope): TenantScope {
    if (scope.snapshot || this.#ofRequest(scope)) return scope;
    const request = scope.request ?? {};
    this.judgeBy(request, { versions: new RequestVersions(), dependsOn() {} });
    return scope.forRequest(request);
  }

  /** What is kept of the value; undefined when it is absent or old. Nothing is loaded. */
  async find<Value>(scope: TenantScope, data: Data<Value>): Promise<Found<Value> | undefined> {
    const reading = await this.#reading(scope, data);
    return reading ? whole(reading, await this.#find(reading)) : undefined;
  }

  /** The value with the parts that are asked for: from the cache, or from `load`. */
  async read<Value>(scope: TenantScope, data: Data<Value>): Promise<Found<Value>> {
    const reading = await this.#reading(scope, data);
    if (!reading) return this.#loadUnkept(scope, data);
    const finding = await this.#find(reading);
    return whole(reading, finding) ?? this.#joinOrLoad(reading, finding);
  }

  /**
   * The same from `load`, whatever is kept: for a load that reads more than the value, from the
   * same snapshot.
   */
  async readAnew<Value>(scope: TenantScope, data: Data<Value>): Promise<Found<Value>> {
    const reading = await this.#reading(scope, { ...data, covers: () => false });
    return reading ? this.#loadAndKeep(reading, await this.#find(reading)) : this.#loadUnkept(scope, data);
  }

  /**
   * Null when the cache is off, or cannot be trusted at this moment, and for a scope of a snapshot:
   * that may be older than the versions.
   */
  async #reading<Value>(scope: TenantScope, data: Data<Value>): Promise<Reading<Value> | null> {
    const dependencies = [...derivedDependencies(data.tables, new Set(data.dependencies))];
    const ofRequest = this.#ofRequest(scope);
    // Also where another request's load is joined, whose statements are not this one's.
    ofRequest?.dependsOn(...dependencies);
    const versions = scope.snapshot ? null : await this.#versions(scope, ofRequest?.versions);
    this.#old.lookAtTrust();
    const beganAtMs = data.beganAtMs ?? Date.now();
    return versions && { ...data, dependencies, scope, fullKey: dataKey(scope, ...data.key), versions, beganAtMs };
  }

  #ofRequest({ request }: TenantScope): RequestReads | undefined {
    return request && this.#ofRequests.get(request);
  }

  async #versions(scope: TenantScope, ofRequest: RequestVersions | undefined): Promise<Versions | null> {
    if (!this.options.enabled) return null;
    return ofRequest ? ofRequest.get(() => this.#readVersions(scope)) : this.#readVersions(scope);
  }

  async #readVersions(scope: TenantScope): Promise<Versions | null> {
    const { changeFeed, monitor } = this.options;
    if (!(changeFeed.trust.isValid || (await changeFeed.regainTrust()))) return null;
    try {
      return await changeFeed.versions.read(scope);
    } catch {
      monitor.recordCache({ namespace: 'versions', kind: 'error' }); // FastRedis has logged it
      return null;
    }
  }

  /** What is kept is not to be shown after it. */
  async #loadUnkept<Value>(scope: TenantScope, data: Data<Value>): Promise<Found<Value>> {
    const createdAtMs = data.beganAtMs ?? Date.now();
    const value = await data.load(undefined);
    const { isShown = true } = this.#ofRequest(scope)?.versions ?? {};
    if (data.ageing && this.options.enabled && isShown) {
      await this.options.store.drop(namespaceOf(data), dataKey(scope, ...data.key), scope.request);
      this.#old.mayHaveBeenOvertaken();
    }
    return { value, createdAtMs, isOld: false };
  }

  /** @param count what a finding with all that is asked for is counted as */
  async #find<Value>(reading: Reading<Value>, count: 'hit' | 'joined' = 'hit'): Promise<Finding<Value>> {
    const namespace = namespaceOf(reading);
    const { versions, ageing } = reading;
    const wanted = {
      isCurrent: (entry: DataEntry) => isCurrent(entry.versions, versions) && entry.expiresAtMs > Date.now(),
      servesOld: (entry: DataEntry) => ageing !== undefined && this.#old.serves(entry, versions, ageing.maxStalenessMs),
    };
    const sought = await this.options.store.find(namespace, reading.fullKey, wanted, reading.scope.request);
    if (!sought.entry) return { reason: sought.reason };
    const { entry, tier, isOld } = sought;
    const found = { ...foundIn<Value>(entry), isOld };
    if (reading.covers(found.value)) this.#recordLookup(reading, { namespace, kind: count, tier });
    return { found, reason: isOld ? 'old' : 'absent' };
  }

  async #joinOrLoad<Value>(reading: Reading<Value>, finding: Finding<Value>): Promise<Found<Value>> {
    const namespace = namespaceOf(reading);
    const key = sharedKey(reading);
    const versions = versionsOf(reading.versions, reading.dependencies);
    let isFirst = true;
    const failed = new FailedLoads();
    // Of those who waited for a load that failed, one loads, and the others wait for that one.
    for (let running = this.#loads.under(key, versions); running; running = this.#loads.under(key, versions)) {
      isFirst = false;
      const joined = await running.result.catch((error: unknown) => {
        if (failed.isOwn(errorCodeOf(error))) throw error;
        return undefined; // its own caller is told
      });
      if (!joined) continue;
      this.#recordLookup(reading, { namespace, kind: 'joined' });
      return joined as Found<Value>;
    }
    // It may have ended while Redis was asked. Nothing is awaited from here to the new load's
    // begin, so that of several requests only one finds neither.
    const since = isFirst ? this.#keptSince(reading) : undefined;
    if (since && reading.covers(since.value)) return since;
    const load = () => this.#loadInTurn(reading, versions, finding);
    return this.#loads.run(key, versions, load) as Promise<Found<Value>>;
  }

  /** Of all processes that share the Redis one loads; the others wait for what it stores. */
  async #loadInTurn<Value>(
    reading: Reading<Value>,
    versions: Versions,
    finding: Finding<Value>,
  ): Promise<Found<Value>> {
    const { locks } = this.options;
    if (!locks) return this.#loadAndKeep(reading, finding);
    const { looked, end } = await locks.turn(
      loadKey(reading.scope, sharedKey(reading), versions),
      // Whoever joins this load may accept less than its reader.
      () => this.#find({ ...reading, ageing: undefined }, 'joined'),
      (looked) => whole(reading, looked) !== undefined,
      reading.scope.request,
    );
    return whole(reading, looked) ?? this.#loadAndKeep(reading, { ...finding, ...looked }, end);
  }

  /** @param end called when the value is stored, or is not to be */
  async #loadAndKeep<Value>(
    reading: Reading<Value>,
    { found, reason }: Finding<Value>,
    end = async () => {},
  ): Promise<Found<Value>> {
    this.#recordLookup(reading, { namespace: namespaceOf(reading), kind: 'miss', reason });
    let stored: Promise<unknown> = Promise.resolve();
    try {
      // Of what a write has invalidated nobody need have all parts: those who do will ask for them.
      const value = await reading.load(found?.isOld ? undefined : found?.value);
      const loaded = { value, createdAtMs: reading.beganAtMs, isOld: false };
      if (reading.ageing) return await this.#keepLatest(reading, loaded, reading.ageing.momentOf(value));
      const entry = entryOf(reading, loaded);
      stored = this.options.store.keep(namespaceOf(reading), reading.fullKey, entry, reading.scope.request);
      return loaded;
    } finally {
      void stored.then(end); // not waited for: the reader need not wait until others may have the value too
    }
  }

  /** Shown when it is kept, so that nobody is shown an earlier one afterwards. */
  async #keepLatest<Value>(reading: Reading<Value>, loaded: Found<Value>, moment: number): Promise<Found<Value>> {
    const entry = { ...entryOf(reading, loaded), moment };
    const { store } = this.options;
    const { fullKey, scope } = reading;
    const createdAtMs = await store.keepLatest(namespaceOf(reading), fullKey, entry, scope.request);
    if (createdAtMs === undefined) this.#old.mayHaveBeenOvertaken();
    return { ...loaded, createdAtMs: createdAtMs ?? loaded.createdAtMs };
  }

  /** What the service looks for by itself says nothing of how well clients are served. */
  #recordLookup({ scope }: Pick<Reading<unknown>, 'scope'>, event: CacheEvent): void {
    if (!isOwn(scope.request)) this.options.monitor.recordCache(event);
  }

  #keptSince<Value>({ fullKey, versions }: Reading<Value>): Found<Value> | undefined {
    const entry = this.options.store.inMemory(fullKey);
    if (!entry || !isCurrent(entry.versions, versions) || entry.expiresAtMs <= Date.now()) return undefined;
    return foundIn(entry);
  }
}

function entryOf<Value>(reading: Reading<Value>, { value, createdAtMs }: Found<Value>): DataEntry {
  const endsAtMs = reading.endsAtMs?.(value) ?? Number.POSITIVE_INFINITY;
  return {
    versions: versionsOf(reading.versions, reading.dependencies),
    createdAtMs,
    expiresAtMs: Math.min(createdAtMs + reading.ttlSeconds * 1000, endsAtMs),
    body: Buffer.from(exactJson(value)),
  };
}

/** What was found, if it has all that is asked for. */
function whole<Value>(reading: Reading<Value>, finding: Finding<Value> | undefined): Found<Value> | undefined {
  return finding?.found && reading.covers(finding.found.value) ? finding.found : undefined;
}

/** Tells the loads of a value's parts from one another. */
function sharedKey({ fullKey, asked }: Pick<Reading<unknown>, 'fullKey' | 'asked'>): string {
  return `${fullKey} ${asked}`;
}

function foundIn<Value>({ body, createdAtMs }: DataEntry): Found<Value> {
  return { value: parseExact(body.toString()) as Value, createdAtMs, isOld: false };
}

/** For the metrics: apart from the response entries of the namespace. */
function namespaceOf({ key }: { readonly key: readonly string[] }): string {
  return `data:${key[0]}`;
}
