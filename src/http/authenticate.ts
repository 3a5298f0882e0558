import type { IncomingHttpHeaders } from 'node:http';
import { GraphQLError } from 'graphql';
import { bearerToken } from '../auth/bearer-token.ts';
import type { Caller } from '../auth/caller.ts';
import { TokenRefusal } from '../auth/claims.ts';
import type { TokenVerifier } from '../auth/token-verifier.ts';
import type { Services } from '../context/services.ts';
import { ErrorCode, unauthenticated } from '../errors.ts';
import { AuditOutcome, type AuditSubject } from '../tenancy/audit-line.ts';

/** For any introspection that the limits let through, and the JSON around it. */
export const MAX_STRANGERS_BYTES = 32 * 1024;

/** What it takes to tell who is asking. */
interface Gate {
  readonly verifier: TokenVerifier;
  readonly services: Pick<Services, 'audit'>;
  /** Whether a request without a token goes on. */
  readonly allowsIntrospection: boolean;
}

/**
 * Finds the caller of a request, ahead of everything that reads its body, and reads or answers
 * data. A token that was verified before is answered for at once, without a promise.
 * @returns null without an Authorization header, where such a request may introspect
 * @throws for every other header that holds no valid token
 */
export function authenticate(
  { verifier, services, allowsIntrospection }: Gate,
  { authorization, 'content-length': bytes = '0' }: IncomingHttpHeaders,
  requestId: string,
): Caller | null | Promise<Caller> {
  if (authorization === undefined && allowsIntrospection && Number(bytes) <= MAX_STRANGERS_BYTES) return null;
  const refuse = (error: unknown): never => refused(services, error, requestId);
  const token = bearerToken(authorization);
  if (!token) return refuse(unauthenticated());
  return verifier.peek(token) ?? verifier.verify(token).catch(refuse);
}

function refused({ audit }: Gate['services'], error: unknown, requestId: string): never {
  if (error instanceof GraphQLError && error.extensions.code === ErrorCode.Unauthenticated)
    audit.add(refusedToken(error, requestId), AuditOutcome.FAILED, [ErrorCode.Unauthenticated]);
  throw error;
}

/** Nothing of it but the reason: whoever sent it is not known, and what it says is not true. */
function refusedToken({ originalError }: GraphQLError, requestId: string): AuditSubject {
  const key = originalError instanceof TokenRefusal ? originalError.message : 'no bearer token';
  return { scope: null, subject: null, role: null, action: 'token', key, requestId };
}
