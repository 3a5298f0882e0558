import {
  type IncomingMessage,
  maxHeaderSize,
  type RequestListener,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifyServerOptions } from 'fastify';
import { GraphQLError } from 'graphql';
import type { Logger } from 'pino';
import { badRequest, clientError, ErrorCode, httpHead } from '../errors.ts';
import type { Monitor } from '../monitoring/monitor.ts';
import type { AccessLog } from './access-log.ts';
import { MAX_BODY_BYTES, readPast, readPastRest } from './bounded-body.ts';
import { bypassStatus } from './cache-status.ts';
import { refusedAnswer } from './refused-answer.ts';
import { refusalOfHead } from './request-head.ts';
import { newRequestId, requestIdOf } from './request-id.ts';

interface FailedRequest extends Error {
  readonly code?: string;
  readonly statusCode?: number;
}

/**
 * Answers whatever is refused ahead of GraphQL, in GraphQL's own form, and counts it: what hooks
 * and handlers throw, what Fastify refuses, and what Node.js cannot read. What is the client's
 * fault is told; the rest is logged.
 */
export class Refusals {
  /** For Fastify, which asks for these before there is a route. */
  readonly options: Pick<FastifyServerOptions, 'clientErrorHandler' | 'frameworkErrors'> = {
    frameworkErrors: (error, request, reply) => void this.#answer(error, request, reply),
    clientErrorHandler: (error, socket) => this.#endConnection(error, socket),
  };

  constructor(
    private readonly monitor: Pick<Monitor, 'recordAnswer' | 'recordError'>,
    private readonly accessLog: AccessLog,
    private readonly log: Pick<Logger, 'error'>,
    private readonly requestTimeoutMs: number,
  ) {}

  answerFor(app: FastifyInstance): void {
    // No route but that of GraphQL has a body, and who is refused need not be listened to.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, _payload, done) => done(null));
    app.setErrorHandler((error: Error, request, reply) => this.#answer(error, request, reply));
    app.setNotFoundHandler(() => {
      throw badRequest('There is nothing at this address: GraphQL is at /graphql, by GET or POST.', 404);
    });
    app.server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) =>
      this.#answerAhead(badRequest('expect must be 100-continue.', 417), request, response),
    );
  }

  /** @param next takes the requests whose heads are not refused */
  before(next: RequestListener): RequestListener {
    return (request, response) => {
      const refusal = refusalOfHead(request);
      if (refusal) {
        response.shouldKeepAlive = false; // as Node.js does for what it refuses
        this.#answerAhead(refusal, request, response);
      } else next(request, response);
    };
  }

  /** Ahead of Fastify. */
  #answerAhead(refusal: GraphQLError, request: IncomingMessage, response: ServerResponse): void {
    const { status, headers, body } = this.#counted(refusal, requestIdOf(request.headers), request.method);
    if (!request.complete) readPast(request);
    response.writeHead(status, { ...headers, ...statusOf(request), 'content-length': body.length }).end(body);
  }

  #answer(error: Error, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const refusal = this.#refusalOf(error, request);
    const { raw } = request;
    // Else the client has left, or the connection was ended and that was counted.
    const isThere = !raw.socket.destroyed;
    const { status, headers, body } = isThere
      ? this.#counted(refusal, request.id, request.method)
      : refusedAnswer(refusal, request.id);
    readPastRest(raw);
    return reply
      .code(status)
      .headers({ ...headers, ...statusOf(raw) })
      .send(body);
  }

  #counted(refusal: GraphQLError, requestId: string, method?: string): ReturnType<typeof refusedAnswer> {
    const answer = refusedAnswer(refusal, requestId);
    const { status, errorCode: code } = answer;
    this.monitor.recordAnswer('refused');
    this.monitor.recordError(status, code);
    this.accessLog.refused({ requestId, method, status, code });
    return { ...answer, headers: { ...answer.headers, 'x-request-id': requestId } };
  }

  #refusalOf(error: FailedRequest, { headers, id }: FastifyRequest): GraphQLError {
    if (error instanceof GraphQLError) return error;
    const { code, message, statusCode = 500 } = error;
    if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return tooLarge(headers['content-length']);
    if (statusCode >= 400 && statusCode < 500) return badRequest(message, statusCode);
    this.log.error({ requestId: id, err: error }, 'internal error');
    const told = 'Something went wrong on our side; it was logged.';
    return clientError(ErrorCode.Internal, told, { http: httpHead(500) });
  }

  /** As Node.js does it: there is no request to answer to, and no telling where the next one begins. */
  #endConnection(error: FailedRequest, socket: Socket): void {
    if (error.code !== 'ECONNRESET' && socket.writable) {
      const { status, headers, body } = this.#counted(unreadRequest(error.code, this.requestTimeoutMs), newRequestId());
      const head = Object.entries({ ...headers, 'content-length': body.length, connection: 'close' });
      const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...head.map(([name, value]) => `${name}: ${value}`)];
      socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`);
    }
    socket.destroy(error);
  }
}

/** Nothing was looked up for a request to GraphQL. */
function statusOf({ url = '' }: IncomingMessage): { readonly 'cache-status'?: string } {
  return /^\/graphql(\?|$)/.test(url) ? { 'cache-status': bypassStatus('unreadable') } : {};
}

/** @param contentLength absent: it was not told ahead */
export function tooLarge(contentLength?: string): GraphQLError {
  const came = contentLength === undefined ? 'it has more' : `it has ${bytes(Number(contentLength))}`;
  const limit = `1 MiB (${bytes(MAX_BODY_BYTES)})`;
  return badRequest(`The body may have at most ${limit}, but ${came}. Split it into several requests.`, 413);
}

function bytes(count: number): string {
  return `${count.toLocaleString('en-US')} bytes`;
}

/** @param code of Node.js, or of its parser */
function unreadRequest(code: string | undefined, requestTimeoutMs: number): GraphQLError {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return badRequest(`The request did not come whole within ${requestTimeoutMs} ms. Send it again.`, 408);
    case 'HPE_HEADER_OVERFLOW': {
      const limit = bytes(maxHeaderSize);
      const told = `The request line and the headers together may have at most ${limit}, but have more.`;
      return badRequest(`${told} Send fewer and shorter ones.`, 431);
    }
    default:
      return badRequest('What came is no HTTP request.');
  }
}
