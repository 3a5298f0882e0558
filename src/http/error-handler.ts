import type { FastifyError, FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { ErrorCode } from '../errors.ts';

/**
 * What went wrong ahead of GraphQL, in GraphQL's own form. What is the client's fault is told; the
 * rest is logged.
 */
export function answerErrors(app: FastifyInstance, log: Pick<Logger, 'error'>): void {
  app.setErrorHandler((error: FastifyError, _request, reply) => {
    const status = error.statusCode ?? 500;
    const isClients = status >= 400 && status < 500;
    if (!isClients) log.error({ err: error }, 'internal error');
    const message = isClients ? error.message : 'Something went wrong on our side; it was logged.';
    const code = isClients ? ErrorCode.BadRequest : ErrorCode.Internal;
    return reply.code(isClients ? status : 500).send({ errors: [{ message, extensions: { code } }] });
  });
}
