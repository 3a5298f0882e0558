import { randomUUID } from 'node:crypto';
import { TenantScope } from '../tenancy/tenant-scope.ts';
import { versionsKey, writtenKey } from './cache-key.ts';
import { HeldVersions, type TrustedVersions } from './held-versions.ts';
import type { CacheDependency } from './namespaces.ts';
import { maskOf } from './outbox/dependency-bits.ts';
import type { OutboxChange } from './outbox/outbox-reader.ts';
import { type Moment, now, type Trust } from './outbox/trust.ts';
import { Recalls } from './recalls.ts';
import type { FastRedis } from './redis.ts';
import { freshEpoch, type VersionStore, type Versions } from './versions.ts';

/** Longer than any entry is kept. A tenant at rest for so long begins a new epoch. */
const VERSIONS_TTL_MS = 14 * 24 * 3600 * 1000;

/** How long a bump is remembered for the drainer, which sees the same write a few milliseconds later. */
const WRITTEN_TTL_MS = 60_000;
/** Tenants whose bumps are sent together: what Redis does in a few milliseconds. */
const DRAIN_BATCH = 500;
/** Beyond so many changes at once, as after an outage, the API's own are bumped again instead of looked up. */
const MAX_LOOKED_UP = 2_000;

/** What a script answered, and which server it was. */
interface Answered {
  readonly text: string;
  readonly serverId: string;
}

/** What became of changes that were followed. */
export interface Drained {
  /** Those that are left to the API for now. */
  readonly left: readonly OutboxChange[];
  /** Resolves when no process takes what was before the bumps for current any more; absent when none does. Never rejects. */
  readonly heard?: Promise<void>;
}

/**
 * Versions in Redis: what one process bumps, every process sees. A process that reads them holds them for a moment, and
 * need not ask again until they are bumped.
 */
export class RedisVersions implements VersionStore {
  readonly #held = new HeldVersions();
  readonly #recalls: Recalls;

  constructor(
    private readonly redis: FastRedis,
    private readonly trust: Trust,
  ) {
    this.#recalls = new Recalls(redis, (tenantId) => this.#held.drop(tenantId));
  }

  read(scope: TenantScope): Versions | Promise<Versions> {
    const { tenantId } = scope;
    const known = this.held(scope) ?? this.#held.underWay(tenantId);
    if (known) return known;
    return this.#mayHold && this.#held.isWorthwhile(tenantId) ? this.#ask(scope) : this.#glance(scope);
  }

  held({ tenantId }: TenantScope): Versions | undefined {
    const { term } = this.trust;
    return term && term.serverId === this.redis.serverId ? this.#held.find(tenantId, term) : undefined;
  }

  /** The versions, and the bytes under a key of the same tenant, in one round trip. */
  async readWith(scope: TenantScope, key: string): Promise<{ versions: Versions; bytes: Buffer | null }> {
    const { stored, bytes, serverId } = await this.redis.run(async (client, serverId) => {
      const [versions = null, bytes = null] = await client.mgetBuffer(versionsKey(scope), key);
      return { stored: versions && parseVersions(versions.toString()), bytes, serverId };
    });
    // Without versions nothing that was kept before is current.
    return stored
      ? { versions: this.#trusted(stored, serverId).versions, bytes }
      : { versions: await this.read(scope), bytes: null };
  }

  /** The id that the write's rows in the outbox carry. */
  beginWrite(): string {
    return randomUUID();
  }

  /** Resolves when no process takes what was before it for current. */
  async bump(scope: TenantScope, dependencies: readonly CacheDependency[], writeId?: string): Promise<void> {
    const keys = [versionsKey(scope), ...(writeId === undefined ? [] : [writtenKey(scope, writeId)])];
    const holds = this.#mayHold;
    const { heard } = await this.#recalls.send(scope.tenantId, async (message) => {
      const since = now();
      const bumped = this.redis.run(async (client, serverId) => {
        const rest = [Number(holds), message, maskOf(dependencies), WRITTEN_TTL_MS];
        const [text, recalled] = await client.bumpVersions(keys.length, ...keys, ...this.#common(serverId), ...rest);
        return { text, serverId, recalled };
      }, 'bump');
      // It need not read what it made itself. When that cannot be held, the bump is done all the same.
      this.#hold(scope, holds, since, bumped).catch(() => {});
      return [undefined, (await bumped).recalled];
    });
    await heard;
  }

  /** Nothing to do: only a bump makes the drainer pass over a write. */
  abandonWrite(): void {}

  /**
   * Bumps what the API has not bumped itself.
   * @throws when one of the bumps is not certain to have happened
   * @param serverId the Redis that is meant
   * @param isFinal whether the API's own bumps are not waited for any longer
   */
  async drain(serverId: string, changes: readonly OutboxChange[], isFinal: boolean): Promise<Drained> {
    const isLong = changes.length > MAX_LOOKED_UP;
    const tenants = [...groupedByTenant(isLong ? changes.map((change) => ({ ...change, writeId: null })) : changes)];
    const left: OutboxChange[] = [];
    const heard: Promise<void>[] = [];
    for (let start = 0; start < tenants.length; start += DRAIN_BATCH) {
      const batch = tenants.slice(start, start + DRAIN_BATCH);
      const drained = batch.map(([tenantId, ofTenant]) => this.#drainTenant(serverId, tenantId, ofTenant, isFinal));
      for (const ofTenant of await Promise.all(drained)) {
        left.push(...ofTenant.left);
        if (ofTenant.heard) heard.push(ofTenant.heard);
      }
    }
    return { left, ...(heard.length > 0 && { heard: Promise.all(heard).then(() => {}) }) };
  }

  /** Holds nothing from now on, and tells nobody. */
  close(): void {
    this.#recalls.close();
  }

  async #drainTenant(
    expectedId: string,
    tenantId: string,
    changes: readonly OutboxChange[],
    isFinal: boolean,
  ): Promise<Drained> {
    const scope = TenantScope.ofOutboxRow(tenantId);
    const ofApi = changes.filter(({ writeId }) => writeId !== null);
    const due = changes.reduce((mask, { dependencies, writeId }) => (writeId === null ? mask | dependencies : mask), 0);
    const keys = [versionsKey(scope), ...ofApi.map(({ writeId }) => writtenKey(scope, writeId as string))];
    const masks = ofApi.map(({ dependencies }) => dependencies);
    const { result: left, heard } = await this.#recalls.send(tenantId, async (message) => {
      const [left, recalled] = await this.redis.run(async (client, serverId) => {
        if (serverId !== expectedId) throw new Error('Redis is another one than before');
        const rest = [message, due, isFinal ? '1' : '0', ...masks];
        return client.drainVersions(keys.length, ...keys, ...this.#common(serverId), ...rest);
      }, 'bump');
      // What was asked for before has been answered before: the connection keeps the order.
      if (recalled) this.#held.drop(tenantId);
      return [left, recalled];
    });
    return { left: ofApi.filter((_, index) => left.includes(index)), ...(heard && { heard }) };
  }

  /** What Redis has, for this once: a GET takes a fifth of its time that the script below takes. */
  async #glance(scope: TenantScope): Promise<Versions> {
    this.#held.glance(scope.tenantId, now());
    const { stored, serverId } = await this.redis.run(async (client, serverId) => ({
      stored: parseVersions(await client.get(versionsKey(scope))),
      serverId,
    }));
    return stored ? this.#trusted(stored, serverId).versions : this.#ask(scope);
  }

  #ask(scope: TenantScope): Promise<Versions> {
    const holds = this.#mayHold;
    const since = now();
    const asked = this.redis.run(async (client, serverId) => ({
      text: await client.readVersions(versionsKey(scope), ...this.#common(serverId), Number(holds)),
      serverId,
    }));
    return this.#hold(scope, holds, since, asked);
  }

  /** @param since before it was asked, so that the hold is over here before it is over in Redis */
  async #hold({ tenantId }: TenantScope, holds: boolean, since: Moment, asked: Promise<Answered>): Promise<Versions> {
    const found = asked.then(({ text, serverId }) => this.#trusted(parseVersions(text), serverId));
    if (holds) this.#held.put(tenantId, since, found);
    else this.#held.drop(tenantId);
    return (await found).versions;
  }

  /** What every script is given first. */
  #common(serverId: string) {
    return [freshEpoch(), VERSIONS_TTL_MS, serverId, this.#recalls.processId] as const;
  }

  /** Whether this process may hold what it is about to ask for: not while it would hear of no recall, or trusts nothing. */
  get #mayHold(): boolean {
    return this.#recalls.isListening && this.trust.isValid;
  }

  /**
   * The server's id becomes part of the epoch: a server that came back with old data has versions that it had passed
   * already. So does the generation, which changes when writes may have gone by unseen.
   * @throws when the versions are not trusted
   */
  #trusted(stored: Versions | undefined, serverId: string): TrustedVersions {
    const { term } = this.trust;
    if (!stored || term?.serverId !== serverId) throw new Error('the versions in Redis are not trusted at the moment');
    return { versions: versionsOn(serverId, term.generation, stored), term };
  }
}

function groupedByTenant(changes: readonly OutboxChange[]): Map<string, OutboxChange[]> {
  const groups = new Map<string, OutboxChange[]>();
  for (const change of changes) {
    const group = groups.get(change.tenantId);
    if (group) group.push(change);
    else groups.set(change.tenantId, [change]);
  }
  return groups;
}

/** Versions as entries are compared with them: of one server, and of one generation. */
export function versionsOn(serverId: string, generation: string, stored: Versions): Versions {
  return { ...stored, epoch: `${serverId}.${generation}.${stored.epoch}` };
}

/** The versions as Redis has them, without who holds them. Undefined for what is absent, or not of this layout. */
export function parseVersions(text: string | null): Versions | undefined {
  if (text === null) return undefined;
  try {
    const stored = JSON.parse(text) as (Versions & { held?: unknown }) | null;
    if (typeof stored?.epoch !== 'string') return undefined;
    const { held: _, ...versions } = stored;
    return versions;
  } catch {
    return undefined; // whatever it is, it takes no part
  }
}
