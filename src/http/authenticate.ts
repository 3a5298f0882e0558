import type { FastifyReply, FastifyRequest } from 'fastify';
import { GraphQLError } from 'graphql';
import { bearerToken } from '../context/bearer-token.ts';
import type { Caller } from '../context/caller.ts';
import type { TokenVerifier } from '../context/token-verifier.ts';
import { unauthenticated } from '../errors.ts';
import { refusedAnswer } from './refused-answer.ts';

/** Null: no Authorization header; such a request goes on and may introspect. 'refused': the answer was sent. */
export type Authentication = Caller | null | 'refused';

/**
 * Finds the caller of a request, ahead of everything that reads or answers data. A header that holds no valid token
 * ends the request. A token that was verified before is answered for at once, without a promise.
 */
export function authenticate(
  verifier: TokenVerifier,
  { headers: { authorization } }: FastifyRequest,
  reply: FastifyReply,
): Authentication | Promise<Authentication> {
  if (authorization === undefined) return null;
  const token = bearerToken(authorization);
  if (!token) return refuse(reply, unauthenticated());
  return verifier.peek(token) ?? verifier.verify(token).catch((error) => refuse(reply, error));
}

/** Answers a request that was refused before GraphQL. */
function refuse(reply: FastifyReply, error: unknown): 'refused' {
  if (!(error instanceof GraphQLError)) throw error;
  const { status, headers, body } = refusedAnswer(error);
  reply.code(status).headers(headers).send(body);
  return 'refused';
}
