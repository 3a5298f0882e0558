import type { ApolloServerPlugin } from '@apollo/server';
import type { RequestContext } from '../context/request-context.ts';

/**
 * Says of an answer, once it stands, what it depends on by the tables that were read for it, and
 * whether it may be kept: a query's that is whole, without errors and not old, of tables whose
 * changes the cache is told of.
 */
export function answerPolicyPlugin(): ApolloServerPlugin<RequestContext> {
  return {
    async requestDidStart() {
      return {
        async willSendResponse({ operation, response, contextValue }) {
          const { body } = response;
          const { data, errors } = body.kind === 'single' ? body.singleResult : {};
          const { policy, timing } = contextValue;
          policy.errorCode = errors?.[0] && String(errors[0].extensions?.code);
          const isFollowed = policy.dependsOnTables(timing.tables);
          policy.isComplete =
            data != null && !errors?.length && operation?.operation === 'query' && !policy.isOld && isFollowed;
        },
      };
    },
  };
}
