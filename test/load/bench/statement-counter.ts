import type pg from 'pg';

/**
 * The statements of all other sessions, without those that only set a tenant or frame a
 * transaction.
 */
const COUNT = `SELECT coalesce(sum(calls), 0)::float8 AS calls FROM pg_stat_statements
  WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND query !~* '(^(begin|commit|rollback|set|show|deallocate)\\M)|set_config|pg_stat_statements'`;

/** Counts the SQL statements that the database executes for its clients, by pg_stat_statements. */
export class StatementCounter {
  private constructor(private readonly client: pg.Client | undefined) {}

  /** Without the extension, which a server must be started with, every count is NaN. */
  static async open(client: pg.Client): Promise<StatementCounter> {
    try {
      await client.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
      await client.query(COUNT);
      return new StatementCounter(client);
    } catch {
      return new StatementCounter(undefined); // shown as "-" in the table
    }
  }

  async count(): Promise<number> {
    if (!this.client) return Number.NaN;
    const { rows } = await this.client.query<{ calls: number }>(COUNT);
    return rows[0]?.calls ?? Number.NaN;
  }
}
