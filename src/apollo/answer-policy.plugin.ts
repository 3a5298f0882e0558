import type { ApolloServerPlugin } from '@apollo/server';
import type { RequestContext } from '../context/request-context.ts';

/**
 * Says of an answer, once it stands, whether it may be kept: a query's that is whole, without
 * errors and not old.
 */
export function answerPolicyPlugin(): ApolloServerPlugin<RequestContext> {
  return {
    async requestDidStart() {
      return {
        async willSendResponse({ operation, response, contextValue }) {
          const { body } = response;
          const { data, errors } = body.kind === 'single' ? body.singleResult : {};
          const { policy } = contextValue;
          policy.errorCode = errors?.[0] && String(errors[0].extensions?.code);
          policy.isComplete = data != null && !errors?.length && operation?.operation === 'query' && !policy.isOld;
        },
      };
    },
  };
}
