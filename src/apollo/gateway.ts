import type { ApolloServerOptionsWithGateway } from '@apollo/server';
import type { GraphQLSchema } from 'graphql';
import type { Executor } from './executor.ts';

/**
 * Apollo Server's one seam for another executor: it takes the executor of a gateway, and keeps
 * parsing, validation, hooks and error formatting to itself.
 */
export function executingGateway(
  schema: GraphQLSchema,
  executor: Executor,
): ApolloServerOptionsWithGateway<object>['gateway'] {
  return {
    onSchemaLoadOrUpdate(callback) {
      callback({ apiSchema: schema, coreSupergraphSdl: '' });
      return () => {};
    },
    load: async () => ({
      executor: ({ document, operation, request, context }) =>
        executor.execute({
          document,
          operation,
          operationName: request.operationName,
          variables: request.variables,
          context,
        }),
    }),
    stop: async () => {},
  };
}
