import type { ApolloServerPlugin } from '@apollo/server';
import type { RequestContext } from '../context/request-context.ts';

/** Says of an answer, once it stands, whether it may be kept: a query's that is whole, without errors and not old. */
export function answerPolicyPlugin(): ApolloServerPlugin<RequestContext> {
  return {
    async requestDidStart() {
      return {
        async willSendResponse({ operation, response, contextValue }) {
          const { body } = response;
          const isWhole = body.kind === 'single' && body.singleResult.data != null && !body.singleResult.errors?.length;
          const { policy } = contextValue;
          policy.isComplete = isWhole && operation?.operation === 'query' && !policy.isOld;
        },
      };
    },
  };
}
