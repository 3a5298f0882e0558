/** The part of pg's own query class that TenantQuery builds on; pg's published types leave it out. */
declare module 'pg/lib/query.js' {
  import type { QueryConfig, QueryResult, Submittable } from 'pg';

  /** The messages of PostgreSQL's extended protocol that TenantQuery sends itself. */
  export interface WireConnection {
    bind(message: {
      portal: string;
      statement: string;
      values: unknown[];
      binary: boolean;
      valueMapper(value: unknown): unknown;
    }): void;
    execute(message: { portal: string; rows: number }): void;
  }

  export default class Query implements Submittable {
    constructor(
      config: QueryConfig & { queryMode?: string },
      values: undefined,
      callback: (error: Error | null, result: QueryResult) => void,
    );
    submit(connection: unknown): void;
    prepare(connection: WireConnection): void;
    handleDataRow(message: unknown): void;
    handleCommandComplete(message: unknown, connection: WireConnection): void;
  }
}
