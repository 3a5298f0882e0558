import { Prisma } from '../generated/prisma/client.ts';
import {
  type KeysetOrder,
  type KeysetRow,
  keysetPage,
  keysetSelect,
  type Page,
  type PageRequest,
} from '../paging/keyset.ts';
import { instantText, selectList, shownCountOf } from '../tenancy/sql-text.ts';
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
  /** Matches exactly. */
  readonly who: string | null;
  readonly what: string | null;
}

/** Reads a tenant's audit lines, newest first. */
export class AuditRepository {
  constructor(private readonly database: TenantDatabase) {}

  async page(
    scope: TenantScope,
    filter: AuditFilter,
    page: PageRequest,
    wanted: ReadonlySet<string>,
  ): Promise<Page<AuditEntry>> {
    const source = { table: sql`audit_log`, where: whereOf(scope, filter) };
    const query = keysetSelect(selectList(COLUMNS, wanted), source, AUDIT_ORDER, page);
    return keysetPage(await this.#select<AuditEntry & KeysetRow>(scope, 'page', query), page);
  }

  async count(scope: TenantScope, filter: AuditFilter): Promise<number> {
    const query = sql`SELECT ${shownCountOf(sql`count(*)`)} AS count FROM audit_log WHERE ${whereOf(scope, filter)}`;
    const [row] = await this.#select<{ count: number }>(scope, 'count', query);
    return row?.count ?? 0;
  }

  #select<Row extends object>(scope: TenantScope, action: string, query: Prisma.Sql): Promise<Row[]> {
    return this.database.select<Row>(scope, { model: 'AuditLine', action, query });
  }
}

function whereOf({ tenantId }: TenantScope, { since, who, what }: AuditFilter): Prisma.Sql {
  const conditions = [sql`tenant_id = ${tenantId}::uuid`];
  if (since !== null) conditions.push(sql`at >= ${since}::timestamptz`);
  if (who !== null) conditions.push(sql`subject = ${who}`);
  if (what !== null) conditions.push(sql`action = ${what}`);
  return Prisma.join(conditions, ' AND ');
}
