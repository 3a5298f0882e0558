import type { TenantScope } from '../../tenancy/tenant-scope.ts';
import type { CacheDependency } from '../dependencies/dependencies.ts';
import type { FastRedis } from '../redis/redis.ts';
import type { ChangeListener } from './change-signals.ts';
import { LeaseRevocations } from './lease-revocations.ts';
import { LeasedVersions } from './leased-versions.ts';
import type { OutboxChange } from './outbox-reader.ts';
import { byTenant, type RedisVersions, type TrustedVersions } from './redis-versions.ts';
import { type Moment, now, type Trust } from './trust.ts';
import type { Relayed, SharedVersions, Versions } from './versions.ts';

/**
 * Spares questions to Redis: a process that reads a tenant's versions again and again takes a lease
 * on them, and need not ask until they are bumped. Whoever bumps them waits until every process has
 * dropped its lease.
 */
export class LeasingVersions implements SharedVersions {
  readonly #leased = new LeasedVersions();
  readonly #revocations: LeaseRevocations;

  constructor(
    private readonly versions: RedisVersions,
    private readonly redis: FastRedis,
    private readonly trust: Trust,
  ) {
    this.#revocations = new LeaseRevocations(redis, (tenantId) => this.#leased.drop(tenantId));
  }

  read(scope: TenantScope): Versions | Promise<Versions> {
    const { tenantId } = scope;
    const known = this.leased(scope) ?? this.#leased.underWay(tenantId);
    if (known) return known;
    if (this.#mayLease && this.#leased.isWorthwhile(tenantId)) return this.#ask(scope);
    this.#leased.glance(tenantId, now());
    return this.versions.read(scope);
  }

  leased({ tenantId }: TenantScope): Versions | undefined {
    const { term } = this.trust;
    return term && term.serverId === this.redis.serverId ? this.#leased.find(tenantId, term) : undefined;
  }

  readWith(scope: TenantScope, key: string): Promise<{ versions: Versions; bytes: Buffer | null }> {
    return this.versions.readWith(scope, key);
  }

  /** Resolves when no process takes what was before it for current. */
  async bump(scope: TenantScope, dependencies: readonly CacheDependency[], writeId?: string): Promise<void> {
    const { processId } = this.#revocations;
    const takesLease = this.#mayLease;
    const { result: serverId, heard } = await this.#revocations.send(scope.tenantId, async (revocation) => {
      const since = now();
      const bumped = this.versions.send(scope, dependencies, writeId, { processId, takesLease, revocation });
      // It need not read what it made itself. When that cannot be leased, the bump is done all the
      // same.
      const made = bumped.then(({ text, serverId }) => this.versions.parse(text, serverId));
      this.#lease(scope, takesLease, since, made).catch(() => {});
      const { serverId, revoked } = await bumped;
      return [serverId, revoked];
    });
    await heard;
    this.versions.checkTrusted(serverId);
  }

  async relay(serverId: string, changes: readonly OutboxChange[]): Promise<Relayed> {
    const relayed = await byTenant(changes, (tenantId, own) => this.#relayTenant(serverId, tenantId, own));
    const waited = relayed.flatMap(({ heard }) => heard ?? []);
    return waited.length > 0 ? { heard: Promise.all(waited).then(() => {}) } : {};
  }

  /** The signal may come ahead of the revocation: what is read upon it is not leased of before. */
  listen(listener: ChangeListener): () => void {
    return this.versions.listen((tenantId) => {
      if (tenantId === null) this.#leased.dropAll();
      else this.#leased.drop(tenantId);
      listener(tenantId);
    });
  }

  /** Takes no lease from now on, and tells nobody. */
  close(): void {
    this.#revocations.close();
    this.versions.close();
  }

  #relayTenant(serverId: string, tenantId: string, changes: readonly OutboxChange[]): Promise<Relayed> {
    const { processId } = this.#revocations;
    return this.#revocations.send(tenantId, async (revocation) => {
      const revoked = await this.versions.relayTenant(serverId, tenantId, changes, {
        processId,
        takesLease: false,
        revocation,
      });
      // What was asked for before has been answered before: the connection keeps the order.
      if (revoked) this.#leased.drop(tenantId);
      return [undefined, revoked];
    });
  }

  #ask(scope: TenantScope): Promise<Versions> {
    const takesLease = this.#mayLease;
    const since = now();
    const asked = this.versions.load(scope, { processId: this.#revocations.processId, takesLease });
    return this.#lease(scope, takesLease, since, asked);
  }

  /** @param since before it was asked: the lease is over here before it is over in Redis */
  async #lease(
    { tenantId }: TenantScope,
    takesLease: boolean,
    since: Moment,
    asked: Promise<TrustedVersions>,
  ): Promise<Versions> {
    if (takesLease) this.#leased.put(tenantId, since, asked);
    else this.#leased.drop(tenantId);
    return (await asked).versions;
  }

  /**
   * Whether this process may take a lease: not while it would hear of no revocation, or trusts
   * nothing.
   */
  get #mayLease(): boolean {
    return this.#revocations.isListening && this.trust.isValid;
  }
}
