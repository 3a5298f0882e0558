import type { ApolloServerPlugin } from '@apollo/server';
import type { RequestContext } from '../context/request-context.ts';
import { type ErrorLog, namingRequest } from '../graphql/format-error.ts';

/**
 * Tells clients and the log whose request an error is: Apollo Server formats errors without their
 * context.
 */
export class ErrorRequests {
  readonly #requestIds = new WeakMap<object, string>();

  /** Remembers the request of each error, and names it in each that is sent. */
  plugin(): ApolloServerPlugin<RequestContext> {
    const requestIds = this.#requestIds;
    return {
      async requestDidStart({ contextValue }) {
        return {
          async didEncounterErrors({ errors }) {
            for (const error of errors) requestIds.set(error, contextValue.requestId);
          },
          async willSendResponse({ response: { body } }) {
            if (body.kind !== 'single' || !body.singleResult.errors) return;
            const { errors } = body.singleResult;
            body.singleResult.errors = errors.map((error) => namingRequest(error, contextValue.requestId));
          },
        };
      },
    };
  }

  /** The log, with the id of the error's request in each line. */
  logFor(error: unknown, log: ErrorLog): ErrorLog {
    const requestId = typeof error === 'object' && error !== null ? this.#requestIds.get(error) : undefined;
    return { error: (details, message) => log.error({ ...(requestId && { requestId }), ...details }, message) };
  }
}
