import type { ExecutionResult, GraphQLError } from 'graphql';
import { CloseCode, type Context, makeServer, type Server, type SubscribePayload } from 'graphql-ws';
import type { WebSocket } from 'ws';
import { bearerToken } from '../auth/bearer-token.ts';
import type { Caller } from '../auth/caller.ts';
import type { TokenVerifier } from '../auth/token-verifier.ts';
import type { Services } from '../context/services.ts';
import { badRequest, ErrorCode } from '../errors.ts';
import { errorCodeOf } from '../graphql/format-error.ts';
import type { AskedOperations, AskedSubscription } from '../http/asked-operation.ts';
import { authenticate } from '../http/authenticate.ts';
import { newRequestId } from '../http/request-id.ts';
import { LatestEvents } from './latest-events.ts';
import type { LiveSubscription } from './live-subscription.ts';
import type { LiveSubscriptions } from './live-subscriptions.ts';
import { toldError } from './told-error.ts';

/** One WebSocket. */
export interface LiveConnection {
  readonly requestId: string;
  readonly socket: WebSocket;
  readonly subscriptions: Set<LiveSubscription>;
  /** Once the client has said who it is. */
  token?: string;
}

export type LiveProtocol = Server<LiveConnection>;

export interface LiveProtocolOptions {
  readonly live: LiveSubscriptions;
  readonly asked: AskedOperations;
  readonly services: Services;
  readonly verifier: TokenVerifier;
}

type Asking = Context<Record<string, unknown>, LiveConnection>;

/** What graphql-ws leaves to the service: who may connect, and what subscriptions are told. */
export function liveProtocol({ live, asked, services, verifier }: LiveProtocolOptions): LiveProtocol {
  const { requestTimeoutMs } = services.config.http;

  const subscribe = async (context: Asking, payload: SubscribePayload): Promise<LatestEvents> => {
    const { extra } = context;
    const { token = '', socket } = extra;
    const requestId = newRequestId();
    const caller = await verifier.verify(token).catch((error: unknown): Caller => {
      if (errorCodeOf(error) === ErrorCode.Unauthenticated) endOfToken(socket);
      throw error;
    });
    const events = new LatestEvents(
      requestId,
      () => endOfToken(socket),
      () => socket.terminate(),
    );
    const subscriber = { caller, token, requestId, transport: 'websocket' } as const;
    const subscription = live.open(askedBy(asked, payload), subscriber, () => events);
    extra.subscriptions.add(subscription);
    events.belongTo(subscription, () => extra.subscriptions.delete(subscription));
    return events;
  };

  return makeServer<Record<string, unknown>, LiveConnection>({
    connectionInitWaitTimeout: requestTimeoutMs,
    async onConnect({ connectionParams, extra }) {
      const { authorization = connectionParams?.Authorization } = connectionParams ?? {};
      const given = typeof authorization === 'string' ? { authorization } : {};
      try {
        await authenticate({ verifier, services, allowsIntrospection: false }, given, extra.requestId);
        extra.token = bearerToken(given.authorization) ?? '';
        return true;
      } catch (error) {
        const isRefused = errorCodeOf(error) === ErrorCode.Unauthenticated;
        if (isRefused) extra.socket.close(CloseCode.Unauthorized, 'UNAUTHENTICATED: send payload.authorization');
        else extra.socket.close(1013, 'SERVICE_UNAVAILABLE: try again shortly');
        return false;
      }
    },
    async onSubscribe(context, _id, payload) {
      try {
        const events = await subscribe(context, payload);
        return { ...OF_THE_LIBRARY, contextValue: events } as never;
      } catch (error) {
        return [live.refusalOf(error, context.extra.requestId)];
      }
    },
    // What onSubscribe has made.
    subscribe: (({ contextValue }: { contextValue: AsyncIterable<ExecutionResult> }) => contextValue) as never,
    onError: ({ extra }, _id, _payload, errors) =>
      errors.map((error) => toldError(error as GraphQLError, requestIdOf(error as GraphQLError) ?? extra.requestId)),
  });
}

/** The library looks for the kind of the operation, and executes nothing. */
const OF_THE_LIBRARY = {
  document: { kind: 'Document', definitions: [{ kind: 'OperationDefinition', operation: 'subscription' }] },
};

/** The client connects again with another token, if it has one. */
function endOfToken(socket: WebSocket): void {
  socket.close(CloseCode.Forbidden, 'UNAUTHENTICATED: the token has ended');
}

/** Read as a body by HTTP is. @throws BAD_REQUEST for what is no subscription */
function askedBy(asked: AskedOperations, payload: SubscribePayload): AskedSubscription {
  const found = asked.subscription({
    method: 'POST',
    url: '/graphql',
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(payload)),
  });
  if (!found) throw badRequest('By WebSocket only subscriptions are answered: send queries and mutations by POST.');
  return found;
}

function requestIdOf({ extensions }: GraphQLError): string | undefined {
  return typeof extensions.requestId === 'string' ? extensions.requestId : undefined;
}
