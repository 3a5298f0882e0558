import { DEFAULT_SEARCH_LIMITS } from '../config/search-limits.ts';
import { instantText, selectList, selectOnly } from '../database/sql-text.ts';
import { Prisma } from '../generated/prisma/client.ts';
import { boundedCount, type Count, countWithin } from '../paging/bounded-count.ts';
import {
  type KeysetOrder,
  type KeysetRow,
  keysetPage,
  keysetSelect,
  type Page,
  type PageRequest,
} from '../paging/keyset.ts';
import { asSearch } from '../tenancy/sql-statement.ts';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { AuditEntry } from './audit.type.ts';

const { sql } = Prisma;

/** Newest first. */
export const AUDIT_ORDER: KeysetOrder = {
  name: 'AT',
  column: sql`at`,
  text: instantText(sql`at`),
  type: sql`timestamptz`,
  descending: true,
};

const COLUMNS: Readonly<Record<keyof AuditEntry, Prisma.Sql>> = {
  id: sql`id`,
  at: instantText(sql`at`),
  subject: sql`subject`,
  role: sql`role`,
  action: sql`action`,
  key: sql`key`,
  requestId: sql`request_id`,
  outcome: sql`outcome`,
  codes: sql`codes`,
  times: sql`times`,
};

/** Which lines are wanted; what is null does not matter. */
export interface AuditFilter {
  readonly since: string | null;
  /** Before it. */
  readonly until?: string | null;
  /** Matches exactly. */
  readonly who: string | null;
  readonly what: string | null;
}

/** A statement that reads some columns of a tenant's newest lines, however many. */
export function newestLines(
  tenant: Pick<TenantScope, 'tenantId'>,
  filter: AuditFilter,
  wanted: ReadonlySet<keyof AuditEntry>,
  limit: number,
): Prisma.Sql {
  return sql`SELECT ${selectOnly(COLUMNS, wanted)} FROM audit_log WHERE ${whereOf(tenant, filter)}
    ORDER BY audit_log.at DESC, audit_log.id DESC LIMIT ${limit}`;
}

/** Reads a tenant's audit lines, newest first. */
export class AuditRepository {
  constructor(
    private readonly database: TenantDatabase,
    private readonly limits = DEFAULT_SEARCH_LIMITS,
  ) {}

  async page(
    scope: TenantScope,
    filter: AuditFilter,
    page: PageRequest,
    wanted: ReadonlySet<string>,
  ): Promise<Page<AuditEntry>> {
    const source = { table: sql`audit_log`, where: whereOf(scope, filter) };
    const query = keysetSelect(selectList(COLUMNS, wanted), source, AUDIT_ORDER, page);
    const rows = await this.database.select<AuditEntry & KeysetRow>(scope, {
      model: 'AuditLine',
      action: 'page',
      query,
      ...(page.isSearched && asSearch(this.limits)),
    });
    return keysetPage(rows, page);
  }

  async count(scope: TenantScope, filter: AuditFilter): Promise<Count> {
    const source = { table: sql`audit_log`, where: whereOf(scope, filter) };
    const [row] = await this.database.select<{ count: number }>(scope, {
      model: 'AuditLine',
      action: 'count',
      query: sql`SELECT ${boundedCount(source, this.limits)} AS count`,
      ...asSearch(this.limits),
    });
    return countWithin(row?.count ?? 0, this.limits);
  }
}

function whereOf(
  { tenantId }: Pick<TenantScope, 'tenantId'>,
  { since, until = null, who, what }: AuditFilter,
): Prisma.Sql {
  const conditions = [sql`tenant_id = ${tenantId}::uuid`];
  if (since !== null) conditions.push(sql`at >= ${since}::timestamptz`);
  if (until !== null) conditions.push(sql`at < ${until}::timestamptz`);
  if (who !== null) conditions.push(sql`subject = ${who}`);
  if (what !== null) conditions.push(sql`action = ${what}`);
  return Prisma.join(conditions, ' AND ');
}
