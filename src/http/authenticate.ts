import type { FastifyReply, FastifyRequest } from 'fastify';
import { GraphQLError } from 'graphql';
import { bearerToken } from '../auth/bearer-token.ts';
import type { Caller } from '../auth/caller.ts';
import { TokenRefusal } from '../auth/claims.ts';
import type { TokenVerifier } from '../auth/token-verifier.ts';
import type { Services } from '../context/services.ts';
import { ErrorCode, unauthenticated } from '../errors.ts';
import { AuditOutcome, type AuditSubject } from '../tenancy/audit-line.ts';
import { refusedAnswer } from './refused-answer.ts';

/** What it takes to tell who is asking. */
interface Gate {
  readonly verifier: TokenVerifier;
  readonly services: Pick<Services, 'monitor' | 'audit'>;
  /** Whether a request without a token goes on. */
  readonly allowsIntrospection: boolean;
}

/**
 * Null: no Authorization header; such a request goes on where it may introspect. 'refused': the
 * answer was sent.
 */
export type Authentication = Caller | null | 'refused';

/**
 * Finds the caller of a request, ahead of everything that reads or answers data. A header that
 * holds no valid token ends the request. A token that was verified before is answered for at once,
 * without a promise.
 */
export function authenticate(
  { verifier, services, allowsIntrospection }: Gate,
  { headers: { authorization } }: FastifyRequest,
  reply: FastifyReply,
): Authentication | Promise<Authentication> {
  const refuse = (error: unknown) => refused(reply, services, error);
  if (authorization === undefined) return allowsIntrospection ? null : refuse(unauthenticated());
  const token = bearerToken(authorization);
  if (!token) return refuse(unauthenticated());
  return verifier.peek(token) ?? verifier.verify(token).catch(refuse);
}

/** Answers a request that was refused before GraphQL. */
function refused(reply: FastifyReply, { monitor, audit }: Gate['services'], error: unknown): 'refused' {
  if (!(error instanceof GraphQLError)) throw error;
  const { status, headers, body, errorCode } = refusedAnswer(error);
  monitor.recordError(status, errorCode);
  if (errorCode === ErrorCode.Unauthenticated) audit.add(refusedToken(error), AuditOutcome.FAILED, [errorCode]);
  reply.code(status).headers(headers).send(body);
  return 'refused';
}

/** Nothing of it but the reason: whoever sent it is not known, and what it says is not true. */
function refusedToken({ originalError }: GraphQLError): AuditSubject {
  const key = originalError instanceof TokenRefusal ? originalError.message : 'no bearer token';
  return { scope: null, subject: null, role: null, action: 'token', key, requestId: null };
}
