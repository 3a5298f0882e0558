import 'reflect-metadata';
import { type GraphQLSchema, specifiedDirectives } from 'graphql';
import { buildSchemaSync, type PubSub } from 'type-graphql';
import { AccountMutations } from '../accounts/account.mutations.ts';
import { AccountResolver } from '../accounts/account.resolver.ts';
import { RateLimitResolver } from '../apollo/rate-limit.resolver.ts';
import { AuditResolver } from '../audit/audit.resolver.ts';
import { auditMutations } from '../audit/audited-mutations.ts';
import { authChecker } from '../auth/auth-checker.ts';
import { resolveRelations } from '../batching/batch-mapping.ts';
import { cacheControlDirective } from '../cache/response/cache-control.ts';
import { DashboardResolver } from '../dashboard/dashboard.resolver.ts';
import { CacheResolver } from '../invalidation/cache.resolver.ts';
import { LiveResolver } from '../live/live.resolver.ts';
import type { Model } from '../models/define-model.ts';
import { modelResolvers } from '../models/model.resolver.ts';
import { PerformanceResolver } from '../performance/performance.resolver.ts';
import { REGISTERED_MODELS } from '../registered-models.ts';
import { StatisticsResolver } from '../statistics/statistics.resolver.ts';
import { ViewerResolver } from '../tenants/viewer.resolver.ts';
import { AccountTransactionsResolver } from '../transactions/account-transactions.resolver.ts';
import { TransactionMutations } from '../transactions/transaction.mutations.ts';
import { TransactionResolver } from '../transactions/transaction.resolver.ts';
import { listValues } from './listed-values.ts';
import { describeRootTypes } from './root-types.ts';
import '../graphql/enums.ts';

/** Once: TypeGraphQL remembers every class that it was told of. */
const MODEL_RESOLVERS = Object.values<Model>(REGISTERED_MODELS).flatMap(modelResolvers);

/** TypeGraphQL asks for one; src/live tells the events. */
const NO_EVENTS: PubSub = { publish() {}, subscribe: () => (async function* () {})() };

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
      LiveResolver,
      ...MODEL_RESOLVERS,
    ],
    directives: [...specifiedDirectives, cacheControlDirective],
    authChecker,
    pubSub: NO_EVENTS,
    // Arguments are checked in the resolvers, where the error can name them.
    validate: false,
  });
  describeRootTypes(schema);
  resolveRelations(schema);
  listValues(schema, 'CacheNamespace');
  auditMutations(schema);
  return schema;
}
