import type { Server } from 'node:http';
import type { FastifyHttpOptions } from 'fastify';
import type { HttpConfig } from '../config.ts';

/** How often Node.js looks for requests that take too long, as a share of the time that they may take. */
const CHECKS = 4;

/** Who opens connections and sends nothing, or not the rest, loses them: each holds memory and a place of the process. */
export function timeouts({ requestTimeoutMs, idleTimeoutMs }: HttpConfig): FastifyHttpOptions<Server> {
  return {
    // From the first byte to the last one of the body.
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: idleTimeoutMs,
    http: {
      headersTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.ceil(requestTimeoutMs / CHECKS),
    },
  };
}
