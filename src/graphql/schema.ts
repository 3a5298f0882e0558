import 'reflect-metadata';
import { type GraphQLSchema, specifiedDirectives } from 'graphql';
import { buildSchemaSync } from 'type-graphql';
import { AccountMutations } from '../accounts/account.mutations.ts';
import { AccountResolver } from '../accounts/account.resolver.ts';
import { AuditResolver } from '../audit/audit.resolver.ts';
import { auditMutations } from '../audit/audited-mutations.ts';
import { CacheResolver } from '../cache/cache.resolver.ts';
import { cacheControlDirective } from '../cache/cache-control.ts';
import { ViewerResolver } from '../context/viewer.resolver.ts';
import { DashboardResolver } from '../dashboard/dashboard.resolver.ts';
import { PerformanceResolver } from '../monitoring/performance.resolver.ts';
import { StatisticsResolver } from '../statistics/statistics.resolver.ts';
import { AccountTransactionsResolver } from '../transactions/account-transactions.resolver.ts';
import { TransactionMutations } from '../transactions/transaction.mutations.ts';
import { TransactionResolver } from '../transactions/transaction.resolver.ts';
import { authChecker } from './auth-checker.ts';
import { listValues } from './listed-values.ts';
import { RateLimitResolver } from './rate-limit.resolver.ts';
import { resolveRelations } from './relation.ts';
import { describeRootTypes } from './root-types.ts';
import './enums.ts';

/** The schema of the service, made from the resolver classes. */
export function createSchema(): GraphQLSchema {
  const schema = buildSchemaSync({
    resolvers: [
      ViewerResolver,
      AccountResolver,
      AccountMutations,
      TransactionResolver,
      AccountTransactionsResolver,
      TransactionMutations,
      DashboardResolver,
      StatisticsResolver,
      RateLimitResolver,
      PerformanceResolver,
      CacheResolver,
      AuditResolver,
    ],
    directives: [...specifiedDirectives, cacheControlDirective],
    authChecker,
    // Arguments are checked in the resolvers, where the error can name them.
    validate: false,
  });
  describeRootTypes(schema);
  resolveRelations(schema);
  listValues(schema, 'CacheNamespace');
  auditMutations(schema);
  return schema;
}
