import { performance } from 'node:perf_hooks';
import type { CacheConfig } from '../config.ts';
import type { Monitor } from '../monitoring/monitor.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { AnswerPolicy } from './answer-policy.ts';
import { etagOf, type ResponseEntry } from './entry.ts';
import type { MemoryEntries, RedisEntries } from './entry-store.ts';
import { Flights } from './flights.ts';
import type { CacheDependency } from './namespaces.ts';
import type { Following } from './outbox/following.ts';
import type { UnheardBumps } from './outbox/unheard-bumps.ts';
import { isCurrent, type Versions, versionsOf } from './versions.ts';

/** An answer as it was computed. Only those with a policy may be kept. */
export interface LoadedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly operationName: string | null;
  /** Absent for answers that must not be kept: errors, mutations, answers of the moment. */
  readonly policy?: AnswerPolicy;
}

/** `entry` is what was found or kept; a loaded answer that is not kept has none. */
export type Answer =
  | { readonly outcome: 'hit' | 'miss'; readonly entry: ResponseEntry }
  | { readonly outcome: 'miss' | 'bypass'; readonly loaded: LoadedAnswer };

export interface ResponseCacheOptions {
  readonly config: CacheConfig;
  /** The versions, and how this process learns of what was written past it. */
  readonly following: Following;
  readonly memory: MemoryEntries;
  /** The tier behind the process; absent without Redis. */
  readonly shared?: RedisEntries;
  readonly monitor: Monitor;
}

/** What a look into the cache found, and the versions that were current then. */
interface Lookup {
  readonly versions: Versions;
  readonly hit: Answer | undefined;
}

/**
 * Computes an answer. @param versions those that the answer is kept under, which what it is made of is judged by too; null
 * when they cannot be read or trusted
 */
export type Load = (versions: Versions | null) => Promise<LoadedAnswer>;

/** A namespace for the metrics of lookups whose answer is not known yet. */
const UNKNOWN_NAMESPACE = 'unknown';

/**
 * Whole answers, found again while nothing they depend on was changed. An entry carries the versions that were current
 * before the database was read for it, and is served only while they still are; nothing is ever deleted to invalidate.
 */
export class ResponseCache {
  readonly #flights = new Flights<Answer>();

  constructor(private readonly options: ResponseCacheOptions) {}

  /**
   * The answer from the cache under a `responseKey`, or from `load`. Requests for the same answer under the same
   * versions share one load. What lies in the process is answered without a promise: each costs as much as the search.
   * A cache that fails is gone without: `load` is called, and nothing of the failure is seen but in the metrics.
   * @param whenJoined called when another request begins to wait for this one's load
   */
  answer(scope: TenantScope, key: string, load: Load, whenJoined: () => void = () => {}): Answer | Promise<Answer> {
    const lookup = this.#lookUp(scope, key);
    return lookup instanceof Promise
      ? lookup.then((found) => found?.hit ?? this.#miss(found, key, load, whenJoined))
      : (lookup?.hit ?? this.#miss(lookup, key, load, whenJoined));
  }

  async #miss(lookup: Lookup | undefined, key: string, load: Load, whenJoined: () => void): Promise<Answer> {
    if (!lookup) return { outcome: 'bypass', loaded: await load(null) };
    const { versions } = lookup;
    const flight = this.#flights.under(key, versions);
    if (flight) {
      flight.whenJoined();
      const joined = await flight.result.catch(() => undefined); // its own caller is told
      // An error, such as a spent budget, is its own caller's: what may not be kept is not shared.
      if (joined && 'entry' in joined) return joined;
    } else {
      // It may have ended while Redis was asked. Nothing is awaited from here to the new flight's begin, so that of
      // several requests only one finds neither.
      const since = this.#findInMemory(key, versions);
      if (since) return since;
    }
    this.options.monitor.recordCache({ namespace: UNKNOWN_NAMESPACE, kind: 'miss' });
    return this.#flights.run(key, versions, () => this.#loadAndKeep(key, versions, load), whenJoined);
  }

  /** A mutation is about to begin its transaction. @returns the id that the transaction is to carry */
  beginWrite(): string {
    return this.options.following.versions.beginWrite();
  }

  /**
   * Makes old what depends on a mutation's write. Called after its transaction and before it is acknowledged; resolves
   * when no process can answer with less any more. Never throws.
   * @param isCommitted false when nobody knows: it may yet be
   */
  async written(
    scope: TenantScope,
    dependencies: readonly CacheDependency[],
    writeId: string,
    isCommitted: boolean,
  ): Promise<void> {
    const { versions } = this.options.following;
    if (!isCommitted) versions.abandonWrite(writeId);
    await this.#bump(scope, dependencies, isCommitted ? writeId : undefined);
  }

  /** Makes old what depends on these, without a write. @throws when neither Redis nor PostgreSQL can be told */
  async invalidate(scope: TenantScope, dependencies: readonly CacheDependency[]): Promise<void> {
    await this.#bump(scope, dependencies, undefined, (unheard) => unheard.leaveToDrainer(scope, dependencies));
  }

  async #bump(
    scope: TenantScope,
    dependencies: readonly CacheDependency[],
    writeId?: string,
    onFailure?: (unheard: UnheardBumps) => Promise<void>,
  ): Promise<void> {
    const { versions, unheard } = this.options.following;
    for (const namespace of dependencies) this.options.monitor.recordCache({ namespace, kind: 'invalidation' });
    const bump = () => versions.bump(scope, dependencies, writeId);
    try {
      await bump();
    } catch (error) {
      if (!unheard) throw error;
      await onFailure?.(unheard);
      await unheard.untilHarmless(performance.now(), bump);
    }
  }

  get memoryBytes(): number {
    return this.options.memory.bytes;
  }

  /** Undefined when the cache cannot be trusted at this moment. With Redis it costs one round trip, hit or miss. */
  #lookUp(scope: TenantScope, key: string): Lookup | undefined | Promise<Lookup | undefined> {
    const { config, following } = this.options;
    if (!config.enabled) return undefined;
    if (following.trust.isValid) return this.#lookUpTrusted(scope, key);
    return following.regainTrust().then((isTrusted) => (isTrusted ? this.#lookUpTrusted(scope, key) : undefined));
  }

  #lookUpTrusted(scope: TenantScope, key: string): Lookup | undefined | Promise<Lookup | undefined> {
    const { following, memory, shared } = this.options;
    const { versions } = following;
    if (shared && !memory.has(key)) return this.#findShared(shared, scope, key);
    const now = versions.read(scope);
    if (!(now instanceof Promise)) return { versions: now, hit: this.#findInMemory(key, now) };
    return this.#counted('get', 'versions', now).then((now) => {
      const hit = now && this.#findInMemory(key, now);
      // What is kept here may be old; another process may have filled Redis since.
      return now && !hit && shared ? this.#findShared(shared, scope, key) : now && { versions: now, hit };
    });
  }

  async #findShared(shared: RedisEntries, scope: TenantScope, key: string): Promise<Lookup | undefined> {
    const found = await this.#counted('get', UNKNOWN_NAMESPACE, shared.find(scope, key));
    if (!found) return undefined;
    const { entry, versions } = found;
    if (!entry || !this.#holds(entry, versions)) return { versions, hit: undefined };
    this.options.memory.set(key, entry);
    return { versions, hit: this.#hit('redis', entry) };
  }

  #findInMemory(key: string, versions: Versions): Answer | undefined {
    const entry = this.options.memory.get(key);
    return entry && this.#holds(entry, versions) ? this.#hit('memory', entry) : undefined;
  }

  #holds(entry: ResponseEntry, versions: Versions): boolean {
    return Date.now() < entry.expiresAtMs && isCurrent(entry.versions, versions);
  }

  #hit(tier: 'memory' | 'redis', entry: ResponseEntry): Answer {
    this.options.monitor.recordCache({ namespace: entry.namespace, kind: 'hit', tier });
    return { outcome: 'hit', entry };
  }

  async #loadAndKeep(key: string, versions: Versions, load: Load): Promise<Answer> {
    const loaded = await load(versions);
    const entry = this.#entryOf(loaded, versions);
    if (!entry) return { outcome: 'miss', loaded };
    this.options.memory.set(key, entry);
    const shared = this.options.shared;
    // Not waited for: the client need not wait until others may have the answer too.
    if (shared) void this.#counted('set', entry.namespace, shared.set(key, entry));
    return { outcome: 'miss', entry };
  }

  #entryOf({ policy, body, headers, operationName }: LoadedAnswer, versions: Versions): ResponseEntry | undefined {
    if (!policy || policy.dependencies.size === 0) return undefined;
    const createdAtMs = Date.now();
    const { ttlSeconds } = this.options.config;
    const kinds = policy.kinds.size > 0 ? [...policy.kinds] : (['other'] as const);
    const ttlMs = 1000 * Math.min(...kinds.map((kind) => ttlSeconds[kind]));
    return {
      versions: versionsOf(versions, policy.dependencies),
      createdAtMs,
      expiresAtMs: Math.min(createdAtMs + ttlMs, policy.expiresAtMs),
      contentType: headers['content-type'] ?? 'application/json; charset=utf-8',
      operationName,
      namespace: kinds[0] ?? 'other',
      body,
      etag: etagOf(body),
    };
  }

  /** Counts an access to Redis that is under way. @returns undefined when it failed, which FastRedis has logged */
  #counted<Result>(kind: 'get' | 'set', namespace: string, access: Promise<Result>): Promise<Result | undefined> {
    const { monitor } = this.options;
    const startedAt = performance.now();
    return access.then(
      (result) => {
        monitor.recordCache({ namespace, kind, durationMs: performance.now() - startedAt });
        return result;
      },
      () => {
        monitor.recordCache({ namespace, kind: 'error' });
        return undefined;
      },
    );
  }
}
