import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import type { GraphQLFormattedError, GraphQLSchema } from 'graphql';
import type { RequestContext } from '../context/request-context.ts';
import { type ErrorLog, formatError, withoutSuggestion } from '../graphql/format-error.ts';
import { nestingRule } from '../graphql/nesting-rule.ts';
import { ErrorRequests } from './error-requests.ts';
import type { Executor } from './executor.ts';
import { executingGateway } from './gateway.ts';

export interface GraphqlServerOptions {
  readonly schema: GraphQLSchema;
  readonly executor: Executor;
  readonly introspection: boolean;
  readonly plugins: readonly ApolloServerPlugin<RequestContext>[];
  readonly log: ErrorLog;
}

export function createGraphqlServer({
  schema,
  executor,
  introspection,
  plugins,
  log,
}: GraphqlServerOptions): ApolloServer<RequestContext> {
  const errorRequests = new ErrorRequests();
  return new ApolloServer<RequestContext>({
    gateway: executingGateway(schema, executor),
    introspection,
    // `withoutSuggestion` does that, for errors of variables too.
    hideSchemaDetailsFromClientErrors: false,
    includeStacktraceInErrorResponses: false,
    // The caller is told by the Authorization header alone, never by a cookie: another site cannot
    // make a browser send it.
    csrfPrevention: false,
    // The request was read before, hash and all.
    persistedQueries: false,
    validationRules: [nestingRule],
    stopOnTerminationSignals: false,
    // No "Did you mean" where the schema is nobody's business.
    formatError: (formatted: GraphQLFormattedError, error: unknown) => {
      const shown = formatError(formatted, error, errorRequests.logFor(error, log));
      return introspection ? shown : withoutSuggestion(shown);
    },
    plugins: [
      errorRequests.plugin(),
      ...plugins,
      // Its hooks wrap every field of the schema and cost more than the resolvers
      // (docs/decisions.md).
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
    ],
  });
}
