import { DEFAULT_SEARCH_LIMITS } from '../config/search-limits.ts';
import { selectList } from '../database/sql-text.ts';
import { Prisma } from '../generated/prisma/client.ts';
import { boundedCount, type Count, countWithin } from '../paging/bounded-count.ts';
import { type KeysetRow, keysetPage, keysetSelect, type Page, type PageRequest } from '../paging/keyset.ts';
import { asSearch, type SqlStatement } from '../tenancy/sql-statement.ts';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import { type Model, type ModelRow, NEWEST_FIRST } from './define-model.ts';

const { sql, raw } = Prisma;

/** A row of a statement that answers for several parents at once. */
interface OfParent {
  readonly ofParent: string;
}

interface Counted {
  readonly count: number;
}

type StatementOptions = Pick<SqlStatement, 'timeoutMs' | 'isSearch'>;

/**
 * Reads rows of models, newest first. `wanted` names the properties that are read; the others are
 * absent from the rows.
 */
export class ModelRepository {
  constructor(
    private readonly database: TenantDatabase,
    private readonly limits = DEFAULT_SEARCH_LIMITS,
  ) {}

  async page(
    scope: TenantScope,
    model: Model,
    conditions: readonly Prisma.Sql[],
    page: PageRequest,
    wanted: ReadonlySet<string>,
  ): Promise<Page<ModelRow>> {
    const source = { table: named(model.table), where: whereOf(scope, conditions) };
    const query = keysetSelect(columns(model, wanted), source, NEWEST_FIRST, page);
    const rows = await this.#select<ModelRow & KeysetRow>(scope, model, 'page', query, this.#optionsOf(page));
    return keysetPage(rows, page);
  }

  async count(scope: TenantScope, model: Model, conditions: readonly Prisma.Sql[]): Promise<Count> {
    const source = { table: named(model.table), where: whereOf(scope, conditions) };
    const query = sql`SELECT ${boundedCount(source, this.limits)} AS count`;
    const [row] = await this.#select<Counted>(scope, model, 'count', query, asSearch(this.limits));
    return countWithin(row?.count ?? 0, this.limits);
  }

  /** The same page of each of these parents, in one statement. */
  async pageOfEach(
    scope: TenantScope,
    model: Model,
    parentIds: readonly string[],
    conditions: readonly Prisma.Sql[],
    page: PageRequest,
    wanted: ReadonlySet<string>,
  ): Promise<Map<string, Page<ModelRow>>> {
    const ofOne = keysetSelect(columns(model, wanted), ofParent(scope, model, conditions), NEWEST_FIRST, page);
    const rows = await this.#select<ModelRow & KeysetRow & OfParent>(
      scope,
      model,
      'pageOfEach',
      sql`SELECT asked.parent_id AS "ofParent", rows.* FROM unnest(${parentIds}::uuid[]) AS asked (parent_id)
        CROSS JOIN LATERAL (${ofOne}) rows`,
      this.#optionsOf(page),
    );
    const groups = new Map<string, (ModelRow & KeysetRow)[]>();
    for (const row of rows) groups.set(row.ofParent, [...(groups.get(row.ofParent) ?? []), row]);
    return new Map([...groups].map(([parentId, rows]) => [parentId, keysetPage(rows, page)]));
  }

  /** How many rows each of these parents has, in one statement. */
  async countOfEach(
    scope: TenantScope,
    model: Model,
    parentIds: readonly string[],
    conditions: readonly Prisma.Sql[],
  ): Promise<Map<string, Count>> {
    const ofOne = boundedCount(ofParent(scope, model, conditions), this.limits);
    const query = sql`SELECT asked.parent_id AS "ofParent", ${ofOne} AS count
      FROM unnest(${parentIds}::uuid[]) AS asked (parent_id)`;
    const rows = await this.#select<OfParent & Counted>(scope, model, 'countOfEach', query, asSearch(this.limits));
    return new Map(rows.map(({ ofParent, count }) => [ofParent, countWithin(count, this.limits)]));
  }

  /** The rows with these ids, in any order; unknown ids and those of other tenants are absent. */
  byIds(scope: TenantScope, model: Model, ids: readonly string[], wanted: ReadonlySet<string>): Promise<ModelRow[]> {
    // One by one, as accounts are (accounts/account.repository.ts).
    const query = sql`SELECT found.* FROM unnest(${ids}::uuid[]) AS asked (asked_id) CROSS JOIN LATERAL (
        SELECT ${columns(model, wanted)} FROM ${named(model.table)}
        WHERE tenant_id = ${scope.tenantId}::uuid AND id = asked.asked_id LIMIT 1
      ) found`;
    return this.#select(scope, model, 'byIds', query);
  }

  #optionsOf({ isSearched }: PageRequest): StatementOptions {
    return isSearched ? asSearch(this.limits) : {};
  }

  #select<Row extends object>(
    scope: TenantScope,
    { model }: Model,
    action: string,
    query: Prisma.Sql,
    options: StatementOptions = {},
  ): Promise<Row[]> {
    return this.database.select<Row>(scope, { model, action, query, ...options });
  }
}

/** The columns to read; the parent is found by its id. */
function columns({ selects, parent }: Model, wanted: ReadonlySet<string>): Prisma.Sql {
  return selectList(selects, parent && wanted.has(parent.field) ? new Set([...wanted, parent.key]) : wanted);
}

/** The rows of the parent whose id is `asked.parent_id`. */
function ofParent(scope: TenantScope, { table, parentColumn }: Model, conditions: readonly Prisma.Sql[]) {
  if (!parentColumn) throw new Error(`rows of ${table} belong to the tenant alone`);
  return { table: named(table), where: whereOf(scope, [sql`${named(parentColumn)} = asked.parent_id`, ...conditions]) };
}

function whereOf(scope: TenantScope, conditions: readonly Prisma.Sql[]): Prisma.Sql {
  return Prisma.join([sql`tenant_id = ${scope.tenantId}::uuid`, ...conditions], ' AND ');
}

/** In quotes: it may be a word of SQL. */
function named(name: string): Prisma.Sql {
  return raw(`"${name}"`);
}
