/**
 * The right to touch one tenant's rows and cache entries. Repositories, loaders and key builders
 * take it as an argument; it cannot be made from a plain id, so that a query that forgot its tenant
 * does not compile.
 */
export class TenantScope {
  /** Makes the type nominal: no object literal passes for a scope. */
  readonly #verified = true;

  private constructor(
    /** The tenant's id, a UUID. */
    readonly tenantId: string,
    /** What its statements are counted for; absent outside of requests. */
    readonly request?: object,
    /**
     * Which snapshot of the database it reads, as `TenantDatabase.snapshot` knows it; absent when
     * each statement has its own.
     */
    readonly snapshot?: object,
  ) {}

  /**
   * For a caller whose token was verified and whose tenant exists. Only `src/auth/token-verifier.ts`
   * calls this.
   */
  static ofVerifiedCaller(tenantId: string): TenantScope {
    return new TenantScope(tenantId);
  }

  /** For an operator's command that works on one tenant after another. */
  static ofOperatorCommand(tenantId: string): TenantScope {
    return new TenantScope(tenantId);
  }

  /** For what the service computes before somebody asks for it. */
  static ofWarmUp(tenantId: string): TenantScope {
    return new TenantScope(tenantId);
  }

  /** For what a service records of a tenant when the request is over: audit lines, usage. */
  static ofBackgroundWrite(tenantId: string): TenantScope {
    return new TenantScope(tenantId);
  }

  /**
   * For records of what belongs to no tenant, which have the id of zeros in place of a tenant's:
   * nobody else's rows are in it.
   */
  static ofNobody(): TenantScope {
    return new TenantScope('00000000-0000-0000-0000-000000000000');
  }

  /**
   * For the change feed, which bumps a tenant's versions and touches none of its rows
   * and entries.
   */
  static ofOutboxRow(tenantId: string): TenantScope {
    return new TenantScope(tenantId);
  }

  /** The same right, used for one request: the scope's statements are counted for it. */
  forRequest(request: object): TenantScope {
    return new TenantScope(this.tenantId, request);
  }

  /** The same right, used to read one snapshot. Only `TenantDatabase` calls this. */
  within(snapshot: object): TenantScope {
    return new TenantScope(this.tenantId, this.request, snapshot);
  }

  /** Whether the value was made by this class and not imitated. */
  static isScope(value: unknown): value is TenantScope {
    return typeof value === 'object' && value !== null && #verified in value;
  }
}

/** No tenant has its id, which is no UUID of any version. */
export const NO_TENANT = TenantScope.ofNobody();
