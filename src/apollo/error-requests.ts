import type { ApolloServerPlugin } from '@apollo/server';
import type { RequestContext } from '../context/request-context.ts';
import { type ErrorLog, namingRequest } from '../graphql/format-error.ts';
import type { RequestTiming } from '../monitoring/request-timing.ts';

/**
 * Tells clients and the log whose request an error is: Apollo Server formats errors without their
 * context.
 */
export class ErrorRequests {
  readonly #ids = new WeakMap<object, RequestTiming['ids']>();

  /** Remembers the request of each error, and names it in each that is sent. */
  plugin(): ApolloServerPlugin<RequestContext> {
    const ids = this.#ids;
    return {
      async requestDidStart({ contextValue }) {
        return {
          async didEncounterErrors({ errors }) {
            for (const error of errors) ids.set(error, contextValue.timing.ids);
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

  /** The log, with what the error's request is found by in each line. */
  logFor(error: unknown, log: ErrorLog): ErrorLog {
    const ids = typeof error === 'object' && error !== null ? this.#ids.get(error) : undefined;
    return { error: (details, message) => log.error({ ...ids, ...details }, message) };
  }
}
