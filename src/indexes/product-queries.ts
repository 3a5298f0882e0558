// The repositories import classes with TypeGraphQL's decorators.
import 'reflect-metadata';
import type { SqlStatement } from '../tenancy/sql-statement.ts';
import { TenantScope } from '../tenancy/tenant-scope.ts';
import { accountQueries } from './account-queries.ts';
import { modelQueries } from './model-queries.ts';
import type { QueryCase } from './query-case.ts';
import { recordStatements } from './record-statements.ts';
import { reportQueries } from './report-queries.ts';
import type { TenantSample } from './samples.ts';
import { transactionQueries } from './transaction-queries.ts';

/** A query of the product with its SQL and the values of a tenant. */
export interface ProductQuery extends SqlStatement {
  readonly name: string;
  readonly uses: QueryCase['uses'];
  readonly readsAll: boolean;
}

/** The product's own queries as its repositories make them, with values of this tenant. */
export async function productQueries(sample: TenantSample): Promise<ProductQuery[]> {
  const scope = TenantScope.ofOperatorCommand(sample.tenantId);
  const queries: ProductQuery[] = [];
  for (const { name, uses, readsAll = false, call } of casesOf(sample)) {
    for (const statement of await recordStatements(scope, (recording) => call(recording, scope)))
      queries.push({ name, uses, readsAll, ...statement });
  }
  return queries;
}

function casesOf(sample: TenantSample): QueryCase[] {
  return [...accountQueries(sample), ...transactionQueries(sample), ...reportQueries(sample), ...modelQueries(sample)];
}
