import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { inActiveContext } from '../telemetry/tracing.ts';
import { readPastIfLong } from './bounded-body.ts';
import type { HttpRequest } from './read-graphql-request.ts';
import { lookUpInTurn } from './write-batching.ts';

/** Longer requests are not those that come again and again. */
const MAX_REPEATED_BYTES = 64 * 1024;

type AnswerNow = (request: HttpRequest, response: ServerResponse) => boolean;

/** Hooks of Fastify that see requests and answers. */
const OF_REQUESTS: ReadonlySet<string> = new Set([
  ...['onRequest', 'preParsing', 'preValidation', 'preHandler', 'preSerialization'],
  ...['onSend', 'onResponse', 'onError', 'onTimeout', 'onRequestAbort'],
]);

/**
 * Small POST requests to /graphql may be answered ahead of Fastify, whose routing, own request and
 * reply, and way of reading a body are much of an answer that lies in the process. What is not
 * answered here goes to Fastify as it came, and so does everything as soon as a plugin wants to see
 * requests.
 */
export class FastPath {
  #answer: AnswerNow = () => false;
  #isOpen = true;

  /** @param answer returns false when it did nothing */
  answerBy(answer: AnswerNow): void {
    this.#answer = answer;
  }

  /**
   * From now on who adds a hook that sees requests has it called for each: nothing is answered
   * ahead of it then.
   */
  giveWayToHooks(app: FastifyInstance): void {
    const addHook = app.addHook as (this: FastifyInstance, name: string, hook: unknown) => FastifyInstance;
    const fastPath = this;
    // Instances of plugins inherit it.
    app.addHook = function (this: FastifyInstance, name: string, hook: unknown) {
      if (OF_REQUESTS.has(name)) fastPath.#isOpen = false;
      return addHook.call(this, name, hook);
    } as FastifyInstance['addHook'];
  }

  /** @param fastify takes what is not answered here */
  before(fastify: RequestListener): RequestListener {
    return (request, response) => {
      const bytes = this.#isOpen ? bodyBytesOf(request) : 0;
      if (bytes === 0) {
        if (request.method !== 'POST') readPastIfLong(request);
        return fastify(request, response);
      }
      // The parser is at the headers yet. The body has mostly come in together with them, and is
      // read when it is done.
      const lookUp = () => {
        const body: Buffer | null = request.read();
        if (body?.length === bytes && isAnswered(this.#answer, request, body, response)) return;
        if (body) request.unshift(body);
        fastify(request, response);
      };
      process.nextTick(lookUpInTurn, inActiveContext(lookUp));
    };
  }
}

/** Whether the connection is, of answers to requests that ask whether to send their body. */
const keptAlive = new WeakMap<ServerResponse, boolean>();

/**
 * Takes a request that asks whether to send its body (`Expect: 100-continue`) only in its turn, and
 * leaves the yes to who reads the body. Node.js says yes at once: also to who is refused, and where
 * the answers before it are not sent yet.
 */
export function continueInTurn(server: Server): void {
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    keptAlive.set(response, response.shouldKeepAlive);
    // Who is refused may send the body all the same: nobody knows where the next request begins.
    response.shouldKeepAlive = false;
    const proceed = () => server.emit('request', request, response);
    if (response.socket) proceed();
    else response.once('socket', proceed);
  });
}

/** Says yes to a client that waits for it before it sends its body. */
export function sayContinue(response: ServerResponse): void {
  const isKeptAlive = keptAlive.get(response);
  if (isKeptAlive === undefined) return;
  response.writeContinue();
  response.shouldKeepAlive = isKeptAlive;
}

/**
 * Nobody could answer for an error here: the next one to meet it is Fastify, which tells the client
 * and the log.
 */
function isAnswered(answer: AnswerNow, { headers }: IncomingMessage, body: Buffer, response: ServerResponse): boolean {
  try {
    return answer({ method: 'POST', url: '/graphql', headers, body }, response);
  } catch {
    return false;
  }
}

/** The size of a body to look at; 0 for a request that Fastify is to see. */
function bodyBytesOf({ method, url, headers }: IncomingMessage): number {
  if (method !== 'POST' || url !== '/graphql' || headers.expect !== undefined) return 0;
  const bytes = Number(headers['content-length']);
  return bytes <= MAX_REPEATED_BYTES ? bytes : 0;
}
