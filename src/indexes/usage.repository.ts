import { MODELS } from '../database/tables.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import { byOperator } from '../tenancy/connection-turns.ts';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';
import { analyzeIndexes } from './analyze.ts';
import { readCountingSince, readIndexUsage, readTableUsage, type TableUsage } from './usage.ts';

/** An index with its verdict, as `performance` shows it. */
export interface IndexUsageRow {
  readonly model: string;
  readonly index: string;
  readonly definition: string;
  readonly sizeBytes: number;
  readonly scans: number;
  readonly tuplesRead: number;
  /** With its reason. */
  readonly verdict: string;
}

/**
 * Reads PostgreSQL's own statistics of the product's tables. They cover all tenants and tell of
 * none.
 */
export class IndexUsageRepository {
  constructor(private readonly database: TenantDatabase) {}

  /**
   * By table and index name.
   * @param request of the operator who asks: it ends with that
   */
  async indexes(request: object, models: readonly Prisma.ModelName[] = MODELS): Promise<IndexUsageRow[]> {
    const analyzed = await this.database.withConnection(
      async (client) => analyzeIndexes(await readIndexUsage(client, models), await readCountingSince(client)),
      byOperator(request),
    );
    return analyzed.map(({ model, definition, statement, sizeBytes, scans, tuplesRead, verdict }) => ({
      model,
      index: definition.name,
      definition: statement,
      sizeBytes,
      scans,
      tuplesRead,
      verdict: verdict.reason,
    }));
  }

  /** By table name. @param request as above */
  tables(request: object, models: readonly Prisma.ModelName[] = MODELS): Promise<TableUsage[]> {
    return this.database.withConnection((client) => readTableUsage(client, models), byOperator(request));
  }
}
