import type { ApolloServerPlugin, GraphQLRequestContextWillSendResponse } from '@apollo/server';
import type { Caller } from '../auth/caller.ts';
import { ErrorCode } from '../errors.ts';
import type { Monitor } from '../monitoring/monitor.ts';
import { NAMELESS } from '../monitoring/monitor-events.ts';
import type { RequestTiming } from '../monitoring/request-timing.ts';
import type { TracedOperation } from '../telemetry/request-trace.ts';

interface Context {
  readonly caller: Caller | null;
  readonly timing: RequestTiming;
  /** Points that were taken: the operation's, and others. */
  readonly cost: number;
  readonly charged: number;
}

/**
 * Times whole operations, for the statistics and the span; the HTTP layer tells the client by
 * `Server-Timing`. No hook on fields: it would wrap the whole schema and cost more than the
 * resolvers it times; `timeResolvers` times those that do work.
 */
export function timingPlugin(monitor: Monitor): ApolloServerPlugin<Context> {
  return {
    async requestDidStart(request) {
      const { timing } = request.contextValue;
      timing.request = request;
      timing.trace?.beginOperation();
      return {
        async willSendResponse(requestContext) {
          monitor.recordOperation(operationEvent(requestContext, timing), timing);
          timing.trace?.endOperation(tracedOperation(requestContext));
        },
      };
    },
  };
}

function operationEvent(request: GraphQLRequestContextWillSendResponse<Context>, timing: RequestTiming) {
  const { response, contextValue } = request;
  return {
    name: nameOf(request),
    tenantId: contextValue.caller?.tenant?.scope.tenantId ?? null,
    durationMs: timing.elapsedMs(),
    errors: response.body.kind === 'single' ? (response.body.singleResult.errors?.length ?? 0) : 0,
    cacheHit: false,
    points: contextValue.cost + contextValue.charged,
  };
}

function tracedOperation({ operation, response }: GraphQLRequestContextWillSendResponse<Context>): TracedOperation {
  const error = response.body.kind === 'single' ? response.body.singleResult.errors?.[0] : undefined;
  return {
    type: operation?.operation,
    name: operation?.name?.value,
    ...(error && { errorCode: String(error.extensions?.code ?? ErrorCode.Internal) }),
  };
}

function nameOf({ operation, contextValue }: GraphQLRequestContextWillSendResponse<Context>): string {
  if (!contextValue.caller) return NAMELESS.noCaller;
  if (!operation) return NAMELESS.invalid;
  return operation.name?.value ?? NAMELESS.anonymous;
}
