import { performance } from 'node:perf_hooks';
import type { CacheConfig } from '../../config/config.ts';
import type { BypassReason } from '../../monitoring/cache-statistics.ts';
import type { Monitor } from '../../monitoring/monitor.ts';
import type { TenantScope } from '../../tenancy/tenant-scope.ts';
import type { ChangeFeed } from '../change-feed/change-feed.ts';
import type { UnconfirmedInvalidations } from '../change-feed/unconfirmed-invalidations.ts';
import type { CacheDependency } from '../dependencies/dependencies.ts';
import { countedAccess } from '../store/counted-access.ts';
import { etagOf, type ResponseEntry } from '../store/entry.ts';
import type { MemoryEntries, RedisEntries } from '../store/entry-store.ts';
import { FailedLoads, SingleFlight } from '../store/single-flight.ts';
import { loadKey, tenantOf } from '../versions/cache-key.ts';
import { isCurrent, type Versions, versionsOf } from '../versions/versions.ts';
import { type Answer, type Bypass, type Hit, type LoadedAnswer, type Miss, whyMissed } from './answer.ts';

export interface ResponseCacheOptions {
  readonly config: CacheConfig;
  /** The versions, and how this process learns of what was written past it. */
  readonly changeFeed: ChangeFeed;
  readonly memory: MemoryEntries;
  /** The tier behind the process; absent without Redis. */
  readonly shared?: RedisEntries;
  readonly monitor: Monitor;
}

/** What a look into the cache found, and the versions that were current then. */
interface Lookup {
  readonly versions: Versions;
  readonly hit: Hit | undefined;
  /** Why there is no hit, where that is known already. */
  readonly miss?: Miss;
}

/**
 * Computes an answer. @param versions those that the answer is kept under, which what it is made of
 * is judged by too; null when they cannot be read or trusted
 */
export type Load = (versions: Versions | null) => Promise<LoadedAnswer>;

/** A lookup without a hit. */
type Missed = Required<Pick<Lookup, 'versions' | 'miss'>>;

/** `changed` also when the versions cannot be read or trusted. */
export type EntryState = 'current' | 'expired' | 'changed';

const BROKEN: Miss = { reason: 'broken' };

/** A namespace for the metrics of lookups whose answer is not known yet. */
const UNKNOWN_NAMESPACE = 'unknown';

/**
 * Whole answers, found again while nothing they depend on was changed. An entry carries the
 * versions that were current before the database was read for it, and is served only while they
 * still are; nothing is ever deleted to invalidate.
 */
export class ResponseCache {
  readonly #loads = new SingleFlight<Answer>();

  constructor(private readonly options: ResponseCacheOptions) {}

  /**
   * The answer from the cache under a `responseKey`, or from `load`. Requests for the same answer
   * under the same versions share one load. A hit is counted by who sends it, since the budget may
   * refuse it. What lies in the process is answered without a promise: each costs as much as the
   * search. A cache that fails is gone without: `load` is called, and nothing of the failure is
   * seen but in the metrics.
   * @param whenJoined called when another request begins to wait for this one's load
   */
  answer(scope: TenantScope, key: string, load: Load, whenJoined: () => void = () => {}): Answer | Promise<Answer> {
    const lookup = this.#lookUp(scope, key);
    return lookup instanceof Promise
      ? lookup.then((found) => found?.hit ?? this.#miss(found, scope, key, load, whenJoined))
      : (lookup?.hit ?? this.#miss(lookup, scope, key, load, whenJoined));
  }

  /** An answer that is not looked for in the cache. */
  async bypass(reason: BypassReason, load: () => Promise<LoadedAnswer>): Promise<Bypass> {
    this.options.monitor.recordBypass(reason);
    return { outcome: 'bypass', reason, loaded: await load() };
  }

  /**
   * The answer that lies in the process and is known to be current without asking anybody;
   * undefined otherwise.
   */
  hitInMemory(scope: TenantScope, key: string): Hit | undefined {
    const { config, changeFeed } = this.options;
    if (!config.enabled || !changeFeed.trust.isValid) return undefined;
    const now = changeFeed.versions.leased(scope);
    return now && this.#findInMemory(key, now);
  }

  async #miss(
    lookup: Lookup | undefined,
    scope: TenantScope,
    key: string,
    load: Load,
    whenJoined: () => void,
  ): Promise<Answer> {
    if (!lookup) return this.bypass(this.#whyBypassed(), () => load(null));
    const { versions, miss = whyMissed(this.options.memory.get(key), versions) } = lookup;
    let isFirst = true;
    const failed = new FailedLoads();
    for (let running = this.#loads.under(key, versions); running; running = this.#loads.under(key, versions)) {
      isFirst = false;
      running.whenJoined();
      const joined = await running.result.catch(() => undefined); // its own caller is told
      if (joined && 'entry' in joined) {
        this.options.monitor.recordCache({ namespace: joined.entry.namespace, kind: 'joined' });
        return { outcome: 'miss', miss, entry: joined.entry, isJoined: true };
      }
      // What may not be kept is not shared, and comes to each at once. An error, such as a spent
      // budget, is its own caller's: of those who waited for it one loads, and the others wait for
      // that one.
      if (joined && joined.loaded.errorCode === undefined) break;
      if (joined && failed.isOwn(joined.loaded.errorCode)) return { outcome: 'miss', miss, loaded: joined.loaded };
    }
    if (isFirst) {
      // It may have ended while Redis was asked. Nothing is awaited from here to the new
      // load's begin, so that of several requests only one finds neither.
      const since = this.#findInMemory(key, versions);
      if (since) return since;
    }
    return this.#loads.run(key, versions, () => this.#loadInTurn(scope, key, { versions, miss }, load), whenJoined);
  }

  /**
   * Invalidates what depends on a mutation's write. Called after its transaction and before it is
   * acknowledged; resolves when no process can answer with less any more. Never throws.
   * @param isCommitted false when nobody knows: it may yet be
   */
  async written(
    scope: TenantScope,
    dependencies: readonly CacheDependency[],
    writeId: string,
    isCommitted: boolean,
  ): Promise<void> {
    // A write that may yet commit is not marked: the outbox relay bumps when it does.
    await this.#bump(scope, dependencies, isCommitted ? writeId : undefined);
  }

  /**
   * Invalidates what depends on these, without a write. @throws when neither Redis nor PostgreSQL
   * can be told
   */
  async invalidate(scope: TenantScope, dependencies: readonly CacheDependency[]): Promise<void> {
    await this.#bump(scope, dependencies, undefined, (unconfirmed) => unconfirmed.leaveToRelay(scope, dependencies));
  }

  async #bump(
    scope: TenantScope,
    dependencies: readonly CacheDependency[],
    writeId?: string,
    onFailure?: (unconfirmed: UnconfirmedInvalidations) => Promise<void>,
  ): Promise<void> {
    const { versions, unconfirmed } = this.options.changeFeed;
    for (const namespace of dependencies) this.options.monitor.recordCache({ namespace, kind: 'invalidation' });
    const bump = () => versions.bump(scope, dependencies, writeId);
    try {
      await bump();
    } catch (error) {
      if (!unconfirmed) throw error;
      await onFailure?.(unconfirmed);
      await unconfirmed.untilHarmless(performance.now(), bump);
    }
  }

  /**
   * Whether an entry may be served now.
   * @param afterWrites waits until every write before the call is in the versions
   * @throws when that takes too long, or the versions cannot be read
   */
  async stateOf(scope: TenantScope, entry: ResponseEntry, afterWrites: boolean): Promise<EntryState> {
    const { changeFeed } = this.options;
    if (afterWrites) await changeFeed.untilCaughtUp();
    if (!changeFeed.trust.isValid) return 'changed';
    if (!isCurrent(entry.versions, await changeFeed.versions.read(scope))) return 'changed';
    return Date.now() < entry.expiresAtMs ? 'current' : 'expired';
  }

  get memoryBytes(): number {
    return this.options.memory.bytes;
  }

  /**
   * Undefined when the cache cannot be trusted at this moment. With Redis it costs one round trip,
   * hit or miss.
   */
  #lookUp(scope: TenantScope, key: string): Lookup | undefined | Promise<Lookup | undefined> {
    const { config, changeFeed } = this.options;
    if (!config.enabled) return undefined;
    if (changeFeed.trust.isValid) return this.#lookUpTrusted(scope, key);
    return changeFeed.regainTrust().then((isTrusted) => (isTrusted ? this.#lookUpTrusted(scope, key) : undefined));
  }

  #lookUpTrusted(scope: TenantScope, key: string): Lookup | undefined | Promise<Lookup | undefined> {
    const { changeFeed, memory, shared } = this.options;
    const { versions } = changeFeed;
    if (shared && !memory.has(key)) return this.#findShared(shared, scope, key);
    const now = versions.read(scope);
    if (!(now instanceof Promise)) return this.#lookUpUnder(now, scope, key);
    return this.#counted('get', 'versions', now).then((now) => now && this.#lookUpUnder(now, scope, key));
  }

  #lookUpUnder(versions: Versions, scope: TenantScope, key: string): Lookup | Promise<Lookup | undefined> {
    const hit = this.#findInMemory(key, versions);
    const { shared } = this.options;
    // What is kept here may be old; another process may have filled Redis since.
    return !hit && shared ? this.#findShared(shared, scope, key) : { versions, hit };
  }

  async #findShared(shared: RedisEntries, scope: TenantScope, key: string): Promise<Lookup | undefined> {
    const found = await this.#counted('get', UNKNOWN_NAMESPACE, shared.find(scope, key));
    if (!found) return undefined;
    const { entry, versions, isBroken } = found;
    if (entry && this.#isValid(entry, versions)) {
      this.#keepInMemory(key, entry);
      return { versions, hit: { outcome: 'hit', tier: 'redis', entry } };
    }
    const miss = isBroken ? BROKEN : whyMissed(entry ?? this.options.memory.get(key), versions);
    return { versions, hit: undefined, miss };
  }

  #findInMemory(key: string, versions: Versions): Hit | undefined {
    const entry = this.options.memory.get(key);
    return entry && this.#isValid(entry, versions) ? { outcome: 'hit', tier: 'memory', entry } : undefined;
  }

  #isValid(entry: ResponseEntry, versions: Versions): boolean {
    return Date.now() < entry.expiresAtMs && isCurrent(entry.versions, versions);
  }

  #whyBypassed(): BypassReason {
    const { config, changeFeed } = this.options;
    if (!config.enabled) return 'off';
    return changeFeed.trust.isValid ? 'unreachable' : 'untrusted';
  }

  /** Of all processes that share the Redis one loads; the others wait for what it stores. */
  async #loadInTurn(scope: TenantScope, key: string, { versions, miss }: Missed, load: Load): Promise<Answer> {
    const { shared } = this.options;
    if (!shared) return this.#loadAndKeep(scope, key, { versions, miss }, load);
    const { looked, end } = await shared.locks.turn(
      loadKey(scope, key, versions),
      () => this.#findShared(shared, scope, key),
      (found) => found?.hit !== undefined,
      scope.request,
    );
    if (looked?.hit) {
      const { tier, entry } = looked.hit;
      this.options.monitor.recordCache({ namespace: entry.namespace, kind: 'joined', tier });
      return { outcome: 'miss', miss, entry, isJoined: true };
    }
    // Who waited has read newer versions.
    return this.#loadAndKeep(scope, key, { versions: looked?.versions ?? versions, miss }, load, end);
  }

  /** @param end called when the answer is stored, or is not to be */
  async #loadAndKeep(
    { request }: TenantScope,
    key: string,
    { versions, miss }: Missed,
    load: Load,
    end?: () => Promise<void>,
  ): Promise<Answer> {
    let entry: ResponseEntry | undefined;
    try {
      const loaded = await load(versions);
      entry = this.#entryOf(loaded, versions);
      if (!entry) return { outcome: 'miss', miss, loaded };
      this.#keepInMemory(key, entry);
      return { outcome: 'miss', miss, entry, isJoined: false };
    } finally {
      const { namespace = UNKNOWN_NAMESPACE } = entry ?? {};
      this.options.monitor.recordCache({ namespace, kind: 'miss', reason: miss.reason });
      // Not waited for: the client need not wait until others may have the answer too.
      void this.#share(key, entry, request).then(end);
    }
  }

  #keepInMemory(key: string, entry: ResponseEntry): void {
    const { memory, monitor } = this.options;
    const { namespace, body } = entry;
    if (memory.set(key, entry))
      monitor.recordCache({ namespace, kind: 'fill', tier: 'memory', bytes: body.length, tenantId: tenantOf(key) });
  }

  async #share(key: string, entry: ResponseEntry | undefined, request: object | undefined): Promise<void> {
    const { shared, monitor } = this.options;
    if (!shared || !entry) return;
    const { namespace } = entry;
    const bytes = await this.#counted('set', namespace, shared.set(key, entry, request));
    if (bytes) monitor.recordCache({ namespace, kind: 'fill', tier: 'redis', bytes, tenantId: tenantOf(key) });
  }

  #entryOf({ policy, body, headers, operationName }: LoadedAnswer, versions: Versions): ResponseEntry | undefined {
    const [kind, ...others] = policy?.kinds ?? [];
    if (!policy || !kind || policy.dependencies.size === 0) return undefined;
    const createdAtMs = Date.now();
    const { ttlSeconds } = this.options.config;
    const ttlMs = 1000 * Math.min(...[kind, ...others].map((each) => ttlSeconds[each]));
    return {
      versions: versionsOf(versions, policy.dependencies),
      createdAtMs,
      expiresAtMs: Math.min(createdAtMs + ttlMs, policy.expiresAtMs),
      contentType: headers['content-type'] ?? 'application/json; charset=utf-8',
      operationName,
      namespace: kind,
      body,
      etag: etagOf(body),
    };
  }

  #counted<Result>(kind: 'get' | 'set', namespace: string, access: Promise<Result>): Promise<Result | undefined> {
    return countedAccess(this.options.monitor, kind, namespace, access);
  }
}
