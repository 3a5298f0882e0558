import type { ApolloServerPlugin } from '@apollo/server';
import type { RequestContext } from '../context/request-context.ts';

/** Says of an answer, once it stands, that it is whole: a query's, and without errors. */
export function answerPolicyPlugin(): ApolloServerPlugin<RequestContext> {
  return {
    async requestDidStart() {
      return {
        async willSendResponse({ operation, response, contextValue }) {
          const { body } = response;
          const isWhole = body.kind === 'single' && body.singleResult.data != null && !body.singleResult.errors?.length;
          contextValue.policy.isComplete = isWhole && operation?.operation === 'query';
        },
      };
    },
  };
}
