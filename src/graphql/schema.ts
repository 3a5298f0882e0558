import 'reflect-metadata';
import type { GraphQLSchema } from 'graphql';
import { buildSchemaSync } from 'type-graphql';
import { AccountResolver } from '../accounts/account.resolver.ts';
import { ViewerResolver } from '../context/viewer.resolver.ts';
import { DashboardResolver } from '../dashboard/dashboard.resolver.ts';
import { StatisticsResolver } from '../statistics/statistics.resolver.ts';
import { TransactionResolver } from '../transactions/transaction.resolver.ts';
import { authChecker } from './auth-checker.ts';
import { RateLimitResolver } from './rate-limit.resolver.ts';
import './enums.ts';

/** The schema of the service, made from the resolver classes. */
export function createSchema(): GraphQLSchema {
  return buildSchemaSync({
    resolvers: [
      ViewerResolver,
      AccountResolver,
      TransactionResolver,
      DashboardResolver,
      StatisticsResolver,
      RateLimitResolver,
    ],
    authChecker,
    // Arguments are checked in the resolvers, where the error can name them.
    validate: false,
  });
}
