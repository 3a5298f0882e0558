import type { TenantScope } from '../../tenancy/tenant-scope.ts';
import type { CacheDependency } from '../dependencies/namespaces.ts';
import type { FastRedis } from '../redis/redis.ts';
import { LeaseRevocations } from './lease-revocations.ts';
import { LeasedVersions } from './leased-versions.ts';
import type { OutboxChange } from './outbox-reader.ts';
import { byTenant, type RedisVersions, type TrustedVersions } from './redis-versions.ts';
import { type Moment, now, type Trust } from './trust.ts';
import type { Relayed, SharedVersions, Versions } from './versions.ts';

/**
 * Spares questions to Redis: a process that reads a tenant's versions again and again holds them
 * for a moment, and need not ask until they are bumped. Whoever bumps them waits until every holder
 * has dropped them.
 */
export class LeasingVersions implements SharedVersions {
  readonly #held = new LeasedVersions();
  readonly #recalls: LeaseRevocations;

  constructor(
    private readonly versions: RedisVersions,
    private readonly redis: FastRedis,
    private readonly trust: Trust,
  ) {
    this.#recalls = new LeaseRevocations(redis, (tenantId) => this.#held.drop(tenantId));
  }

  read(scope: TenantScope): Versions | Promise<Versions> {
    const { tenantId } = scope;
    const known = this.held(scope) ?? this.#held.underWay(tenantId);
    if (known) return known;
    if (this.#mayHold && this.#held.isWorthwhile(tenantId)) return this.#ask(scope);
    this.#held.glance(tenantId, now());
    return this.versions.read(scope);
  }

  held({ tenantId }: TenantScope): Versions | undefined {
    const { term } = this.trust;
    return term && term.serverId === this.redis.serverId ? this.#held.find(tenantId, term) : undefined;
  }

  readWith(scope: TenantScope, key: string): Promise<{ versions: Versions; bytes: Buffer | null }> {
    return this.versions.readWith(scope, key);
  }

  /** Resolves when no process takes what was before it for current. */
  async bump(scope: TenantScope, dependencies: readonly CacheDependency[], writeId?: string): Promise<void> {
    const { processId } = this.#recalls;
    const holds = this.#mayHold;
    const { result: serverId, heard } = await this.#recalls.send(scope.tenantId, async (recall) => {
      const since = now();
      const bumped = this.versions.send(scope, dependencies, writeId, { processId, holds, recall });
      // It need not read what it made itself. When that cannot be held, the bump is done all the
      // same.
      const made = bumped.then(({ text, serverId }) => this.versions.parse(text, serverId));
      this.#hold(scope, holds, since, made).catch(() => {});
      const { serverId, recalled } = await bumped;
      return [serverId, recalled];
    });
    await heard;
    this.versions.checkTrusted(serverId);
  }

  async relay(serverId: string, changes: readonly OutboxChange[]): Promise<Relayed> {
    const relayed = await byTenant(changes, (tenantId, own) => this.#relayTenant(serverId, tenantId, own));
    const waited = relayed.flatMap(({ heard }) => heard ?? []);
    return waited.length > 0 ? { heard: Promise.all(waited).then(() => {}) } : {};
  }

  /** Holds nothing from now on, and tells nobody. */
  close(): void {
    this.#recalls.close();
  }

  #relayTenant(serverId: string, tenantId: string, changes: readonly OutboxChange[]): Promise<Relayed> {
    const { processId } = this.#recalls;
    return this.#recalls.send(tenantId, async (recall) => {
      const recalled = await this.versions.relayTenant(serverId, tenantId, changes, {
        processId,
        holds: false,
        recall,
      });
      // What was asked for before has been answered before: the connection keeps the order.
      if (recalled) this.#held.drop(tenantId);
      return [undefined, recalled];
    });
  }

  #ask(scope: TenantScope): Promise<Versions> {
    const holds = this.#mayHold;
    const since = now();
    const asked = this.versions.load(scope, { processId: this.#recalls.processId, holds });
    return this.#hold(scope, holds, since, asked);
  }

  /** @param since before it was asked, so that the hold is over here before it is over in Redis */
  async #hold(
    { tenantId }: TenantScope,
    holds: boolean,
    since: Moment,
    asked: Promise<TrustedVersions>,
  ): Promise<Versions> {
    if (holds) this.#held.put(tenantId, since, asked);
    else this.#held.drop(tenantId);
    return (await asked).versions;
  }

  /**
   * Whether this process may hold what it is about to ask for: not while it would hear of no
   * recall, or trusts nothing.
   */
  get #mayHold(): boolean {
    return this.#recalls.isListening && this.trust.isValid;
  }
}
