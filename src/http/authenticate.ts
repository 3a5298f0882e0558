import type { FastifyReply, FastifyRequest } from 'fastify';
import { GraphQLError } from 'graphql';
import { bearerToken } from '../context/bearer-token.ts';
import type { Caller } from '../context/caller.ts';
import type { TokenVerifier } from '../context/token-verifier.ts';
import { unauthenticated } from '../errors.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sent the request; null without an Authorization header. */
    caller: Caller | null;
  }
}

/**
 * Finds the caller of a request, ahead of everything that reads or answers data. A header that holds no valid token
 * ends the request here; a request without one goes on, and may introspect.
 */
export function createAuthentication(verifier: TokenVerifier) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const header = request.headers.authorization;
    if (header === undefined) return undefined;
    const token = bearerToken(header);
    try {
      if (!token) throw unauthenticated();
      request.caller = verifier.peek(token) ?? (await verifier.verify(token));
      return undefined;
    } catch (error) {
      if (error instanceof GraphQLError) return sendRefusal(reply, error);
      throw error;
    }
  };
}

interface HttpExtension {
  readonly status?: number;
  readonly headers?: Iterable<readonly [string, string]>;
}

/** Answers a request that was refused before GraphQL, in GraphQL's own form. */
export function sendRefusal(reply: FastifyReply, { message, extensions }: GraphQLError): FastifyReply {
  const { http, ...rest } = extensions as { http?: HttpExtension };
  for (const [name, value] of http?.headers ?? []) reply.header(name, value);
  return reply.code(http?.status ?? 500).send({ errors: [{ message, extensions: rest }] });
}
