import { LRUCache } from 'lru-cache';
import type { SqlStatement } from '../../../src/tenancy/sql-statement.ts';
import { TenantDatabase } from '../../../src/tenancy/tenant-database.ts';
import type { TenantScope } from '../../../src/tenancy/tenant-scope.ts';

const MAX_STATEMENTS = 20_000;

/**
 * A database that nobody writes to while it is open: the same statement is sent to PostgreSQL once,
 * and its rows are handed out as often as it is asked. Many executions of the same operation would
 * mostly wait for it otherwise.
 */
export class StillDatabase extends TenantDatabase {
  readonly #rows = new LRUCache<string, readonly object[]>({ max: MAX_STATEMENTS });

  override async select<Row extends object>(scope: TenantScope, statement: SqlStatement): Promise<Row[]> {
    const { text, values } = statement.query;
    const key = JSON.stringify([scope.tenantId, text, values]);
    const known = this.#rows.get(key) ?? (await super.select<Row>(scope, statement));
    this.#rows.set(key, known);
    // Whoever asks may change them.
    return structuredClone(known) as Row[];
  }
}
