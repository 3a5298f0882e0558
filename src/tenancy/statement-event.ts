import { performance } from 'node:perf_hooks';
import type pg from 'pg';
import { sqlStateOf } from '../database/sql-state.ts';
import type { StatementContext } from './statement-context.ts';
import type { PreparedStatement } from './tenant-query.ts';

/** One SQL statement as it was sent and answered. */
export interface StatementEvent {
  readonly sql: string;
  /** Of its parameters: business data, for whoever asks for its plan; never logged or kept. */
  readonly values: readonly unknown[];
  /** Empty for those of no tenant. */
  readonly tenantId: string;
  readonly model: string | undefined;
  readonly action: string;
  /**
   * From handing it to the connection until its last row; waiting for a free connection not
   * included.
   */
  readonly durationMs: number;
  readonly rows: number;
  readonly failed: boolean;
  /** SQLSTATE of one that failed; absent where PostgreSQL gave none. */
  readonly sqlState?: string | undefined;
  /** Of `SqlStatement`. */
  readonly isSearch?: boolean | undefined;
  /** What the tenant scope says it was sent for. */
  readonly request?: object | undefined;
}

/** Sends a statement, and tells of it. */
export type TimedRun = (
  client: pg.PoolClient,
  context: StatementContext,
  statement: PreparedStatement,
  run: () => Promise<pg.QueryResult>,
) => Promise<pg.QueryResult>;

/**
 * @param onStatement called after every statement. Must not throw.
 * @param onFailure called after those that failed. Must not throw.
 */
export function timedBy(
  onStatement: (event: StatementEvent) => void,
  onFailure: (client: pg.PoolClient, error: unknown) => void,
): TimedRun {
  return async (client, context, { text, values = [], isSearch }, run) => {
    const startedAt = performance.now();
    const report = (rows: number, failed: boolean, sqlState?: string) =>
      onStatement({
        sql: text,
        values,
        tenantId: context.tenantId,
        model: context.model,
        action: context.action,
        durationMs: performance.now() - startedAt,
        rows,
        failed,
        sqlState,
        isSearch,
        request: context.request,
      });
    try {
      const result = await run();
      report(result.rowCount ?? 0, false);
      return result;
    } catch (error) {
      const state = sqlStateOf(error);
      report(0, true, typeof state === 'string' ? state : undefined);
      onFailure(client, error);
      throw error;
    }
  };
}
