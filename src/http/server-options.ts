import type { Server } from 'node:http';
import type { FastifyHttpOptions } from 'fastify';
import type { HttpConfig } from '../config/config.ts';
import type { Draining } from './draining.ts';

/**
 * How often Node.js looks for requests that take too long, as a share of the time that they may
 * take.
 */
const CHECKS = 4;

/**
 * Who opens connections and sends nothing, or not the rest, loses them: each holds memory and a
 * place of the process.
 */
export function httpOptions(
  { requestTimeoutMs, idleTimeoutMs }: HttpConfig,
  { Response }: Draining,
): FastifyHttpOptions<Server> {
  return {
    // From the first byte to the last one of the body.
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: idleTimeoutMs,
    http: {
      ServerResponse: Response,
      headersTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.ceil(requestTimeoutMs / CHECKS),
    },
  };
}
