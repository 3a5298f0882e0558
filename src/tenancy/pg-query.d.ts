/**
 * The part of pg's own query class that AccompaniedQuery builds on; pg's published types leave it
 * out.
 */
declare module 'pg/lib/query.js' {
  import type { QueryConfig, QueryResult, Submittable } from 'pg';

  /** The messages of PostgreSQL's extended protocol that AccompaniedQuery sends itself. */
  export interface WireConnection {
    /** The text of each statement that PostgreSQL said it has prepared. */
    readonly parsedStatements: Readonly<Record<string, string>>;
    close(message: { type: 'S'; name: string }): void;
    parse(message: { name: string; text: string; types: number[] }): void;
    bind(message: {
      portal: string;
      statement: string;
      values: unknown[];
      binary: boolean;
      valueMapper(value: unknown): unknown;
    }): void;
    execute(message: { portal: string; rows: number }): void;
    sync(): void;
  }

  export default class Query implements Submittable {
    name: string | undefined;
    values: unknown[] | undefined;
    queryMode: 'extended' | undefined;
    constructor(
      config: string | QueryConfig,
      values: undefined,
      callback: (error: Error | null, result: QueryResult) => void,
    );
    submit(connection: unknown): void;
    prepare(connection: WireConnection): void;
    _getRows(connection: WireConnection, rows?: number): void;
    handleError(error: Error, connection: WireConnection): void;
    handleDataRow(message: unknown): void;
    handleCommandComplete(message: unknown, connection: WireConnection): void;
  }
}
