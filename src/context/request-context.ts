import type { Caller } from '../auth/caller.ts';
import { requireScope } from '../auth/require-scope.ts';
import { RequestVersions } from '../cache/data/request-versions.ts';
import { AnswerPolicy } from '../cache/response/answer-policy.ts';
import { MAX_SUMS, tooManySums } from '../graphql/max-sums.ts';
import { type SumWork, sumsBeyondPrice, totalsBeyondPrice } from '../graphql/prices.ts';
import type { RequestTiming } from '../monitoring/request-timing.ts';
import type { AuditDraft, AuditSubject } from '../tenancy/audit-line.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { Loaders, Services } from './services.ts';

/** Who is asking, for which tenant, with which fresh loaders. Made anew for every request. */
export class RequestContext {
  /** What is learned about the answer while it is resolved. */
  readonly policy = new AnswerPolicy();
  /**
   * No #private field: Apollo Server works on a shallow copy of the context, which would not have
   * it.
   */
  private ownLoaders: Loaders | undefined;
  private ownScope: TenantScope | undefined;
  /** Of the mutation that is carried out at the moment. */
  draft: AuditDraft | undefined;

  constructor(
    /** Null for a request without a token, which may only introspect. */
    readonly caller: Caller | null,
    readonly services: Services,
    /** Where the time of the request goes; its statements are counted there. */
    readonly timing: RequestTiming,
    /** What data entries are judged by. */
    readonly versions = new RequestVersions(),
    /** Whether only queries may be executed. */
    readonly isReadOnly = false,
  ) {}

  /** By which it is found again in the logs and in the audit log. */
  get requestId(): string {
    return this.timing.requestId;
  }

  /**
   * Complexity points of the operation; known before its resolvers run. In the timing, which all
   * copies of the context share.
   */
  get cost(): number {
    return this.timing.cost;
  }

  set cost(points: number) {
    this.timing.cost = points;
  }

  /** Points beside `cost`: they depend on what was remembered, and on the rows that there were. */
  get charged(): number {
    return this.timing.charged;
  }

  /** Who asks, as the audit log has it. */
  get auditSubject(): Pick<AuditSubject, 'scope' | 'subject' | 'role' | 'requestId'> {
    const { caller, requestId } = this;
    return {
      scope: caller?.tenant?.scope ?? null,
      subject: caller?.subject ?? null,
      role: caller?.role ?? null,
      requestId,
    };
  }

  /** @throws UNAUTHENTICATED without a caller, FORBIDDEN for an OPERATOR */
  get scope(): TenantScope {
    if (!this.ownScope) {
      this.ownScope = requireScope(this).forRequest(this.timing);
      const { policy, versions } = this;
      this.services.data.judgeBy(this.timing, { versions, dependsOn: (...read) => policy.dependsOn(...read) });
    }
    return this.ownScope;
  }

  get loaders(): Loaders {
    this.ownLoaders ??= this.services.createLoaders(this.scope);
    return this.ownLoaders;
  }

  /**
   * Takes points for work that is known only when it comes up, or is done: this request is
   * answered, and the next one may be refused. Of a budget that is spent nothing is taken.
   */
  charge(points: number): void {
    if (points === 0) return;
    const refused = this.services.budget.charge(this.caller, points);
    if (!refused) this.timing.charged += points;
  }

  /** @param totals kept ones that a statement added up */
  chargeTotals(totals: number): void {
    this.charge(totalsBeyondPrice(totals));
  }

  /** @param sums groups of accounts, days or buckets of all currencies together */
  chargeSums(work: SumWork, sums: number): void {
    this.charge(sumsBeyondPrice(work, sums));
  }

  /**
   * Counts and charges sums that fields of the answer show, in all of them together.
   * @param sums the groups of each field, once for each alias
   * @throws QUERY_TOO_COMPLEX beyond `MAX_SUMS`
   */
  showSums(sums: number): void {
    const before = this.timing.sums;
    this.timing.sums += sums;
    this.charge(sumsBeyondPrice('shown', this.timing.sums) - sumsBeyondPrice('shown', before));
    if (this.timing.sums > MAX_SUMS)
      throw tooManySums('This answer shows', 'group, day or bucket', 'Ask for fewer of them');
  }

  /**
   * The same request, reading with a scope of a snapshot; its loaders share nothing with what was
   * read at other moments.
   */
  reading(scope: TenantScope): RequestContext {
    const own = { ownScope: scope, ownLoaders: undefined };
    return Object.assign(Object.create(RequestContext.prototype), this, own);
  }

  /**
   * After a write or a refresh, when its bump is done: what was read before may be old, and the
   * operation may go on with another one.
   */
  forgetRead(): void {
    this.ownLoaders = undefined;
    this.versions.forget();
  }
}
