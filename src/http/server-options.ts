import { createServer, type Server } from 'node:http';
import type { FastifyHttpOptions } from 'fastify';
import type { HttpConfig } from '../config/config.ts';
import type { Draining } from './draining.ts';
import { continueInTurn, type FastPath } from './listener.ts';
import type { Refusals } from './refusals.ts';
import { requestIdOf } from './request-id.ts';

/**
 * How often Node.js looks for requests that take too long, as a share of the time that they may
 * take.
 */
const CHECKS = 4;

/**
 * Makes the server that Fastify serves on. Who opens connections and sends nothing, or not the
 * rest, loses them: each holds memory and a place of the process.
 */
export function httpOptions(
  { requestTimeoutMs, idleTimeoutMs }: HttpConfig,
  { Response }: Draining,
  fastPath: FastPath,
  refusals: Refusals,
): FastifyHttpOptions<Server> {
  const options = {
    ServerResponse: Response,
    requireHostHeader: false, // refused by ourselves
    requestTimeout: requestTimeoutMs, // from the first byte to the last one of the body
    headersTimeout: requestTimeoutMs,
    keepAliveTimeout: idleTimeoutMs,
    connectionsCheckingInterval: Math.ceil(requestTimeoutMs / CHECKS),
  };
  return {
    genReqId: ({ headers }) => requestIdOf(headers),
    serverFactory(fastify) {
      const server = createServer(options, refusals.before(fastPath.before(fastify)));
      server.maxHeadersCount = 0; // their length bounds them; too many are told how many came
      continueInTurn(server);
      return server;
    },
  };
}
