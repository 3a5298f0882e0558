import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { GraphQLError } from 'graphql';
import { CloseCode, GRAPHQL_TRANSPORT_WS_PROTOCOL } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { TokenVerifier } from '../auth/token-verifier.ts';
import type { Services } from '../context/services.ts';
import { badRequest, clientError, ErrorCode, httpHead } from '../errors.ts';
import type { AccessLog } from '../http/access-log.ts';
import type { AskedOperations } from '../http/asked-operation.ts';
import { refusedAnswer } from '../http/refused-answer.ts';
import { requestIdOf } from '../http/request-id.ts';
import { type LiveConnection, type LiveProtocol, liveProtocol } from './live-protocol.ts';
import type { LiveSubscriptions } from './live-subscriptions.ts';
import { asksForWebSocket, serveWithoutUpgrade } from './upgrade.ts';

/** A document of LIMIT_TOKENS and its variables are shorter. */
const MAX_MESSAGE_BYTES = 64 * 1024;
/** What a client may leave unread of answers to its pings. */
const MAX_UNREAD_BYTES = 1024 * 1024;
/** How long a client may take to answer that it closes, too. */
const CLOSING_MS = 1_000;

export interface LiveSocketsOptions {
  readonly live: LiveSubscriptions;
  readonly asked: AskedOperations;
  readonly services: Services;
  readonly verifier: TokenVerifier;
  readonly accessLog: AccessLog;
  readonly corsOrigins: readonly string[];
}

/** Subscriptions by WebSocket, in the protocol graphql-transport-ws of graphql-ws. */
export class LiveSockets {
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false, // its memory for each connection is many times that of all else
    maxPayload: MAX_MESSAGE_BYTES,
  });
  readonly #protocol: LiveProtocol;
  /** Whether each has given a sign of life since it was asked last. */
  readonly #open = new Map<WebSocket, boolean>();
  #beating: NodeJS.Timeout | undefined;

  constructor(private readonly options: LiveSocketsOptions) {
    this.#protocol = liveProtocol(options);
  }

  serve(server: Server): void {
    server.on('upgrade', (request, socket, head) => {
      if (!asksForWebSocket(request)) return serveWithoutUpgrade(server, request, socket, head);
      const refusal = this.#refusal(request);
      if (refusal) this.#refuse(refusal, request, socket);
      else this.#server.handleUpgrade(request, socket, head, (webSocket) => this.#opened(webSocket, request));
    });
  }

  /** Ends all connections: the clients are to connect again. */
  stop(): void {
    clearInterval(this.#beating);
    for (const socket of this.#open.keys()) {
      socket.close(1001, 'The service stops; connect again');
      setTimeout(() => socket.terminate(), CLOSING_MS).unref();
    }
  }

  #refusal({ url = '', method, headers }: IncomingMessage): GraphQLError | undefined {
    if (!/^\/graphql(\?|$)/.test(url))
      return badRequest('There is no WebSocket at this address: it is at /graphql.', 404);
    if (method !== 'GET') return badRequest('A WebSocket is opened by GET.', 405, ['allow', 'GET']);
    if (!this.#isTrusted(headers))
      return clientError(ErrorCode.Forbidden, 'Pages of this origin may not connect (CORS_ORIGINS).', {
        http: httpHead(403),
      });
    const protocols = headers['sec-websocket-protocol']?.split(',').map((name) => name.trim()) ?? [];
    if (!protocols.includes(GRAPHQL_TRANSPORT_WS_PROTOCOL))
      return badRequest(`sec-websocket-protocol must name ${GRAPHQL_TRANSPORT_WS_PROTOCOL}.`);
    const { limit } = this.options.services.config.subscriptions;
    if (this.#open.size >= limit)
      return clientError(
        ErrorCode.TooManySubscriptions,
        `This process has ${limit} connections already, and no more may be open.`,
        {
          ...{ of: 'process', limit },
          http: httpHead(429, ['retry-after', '5']),
        },
      );
    try {
      this.options.live.checkRoom();
      return undefined;
    } catch (error) {
      return error as GraphQLError;
    }
  }

  /** Browsers say whose page connects, and programs say nothing. */
  #isTrusted({ origin, host }: IncomingMessage['headers']): boolean {
    const { corsOrigins } = this.options;
    if (origin === undefined || corsOrigins.includes('*') || corsOrigins.includes(origin)) return true;
    return URL.canParse(origin) && new URL(origin).host === host;
  }

  #refuse(error: GraphQLError, { headers, method }: IncomingMessage, socket: Duplex): void {
    const { services, accessLog } = this.options;
    const requestId = requestIdOf(headers);
    const { status, errorCode: code, headers: told, body } = refusedAnswer(error, requestId);
    services.monitor.recordAnswer('refused');
    services.monitor.recordError(status, code);
    accessLog.refused({ requestId, method, status, code });
    const head = { ...told, 'content-length': body.length, connection: 'close', 'x-request-id': requestId };
    const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.on('error', () => {}); // the client has left
    socket.end(`HTTP/1.1 ${status} Refused\r\n${lines.join('')}\r\n${body}`);
  }

  #opened(socket: WebSocket, { headers, socket: below }: IncomingMessage): void {
    (below as Socket).setNoDelay(true);
    const connection: LiveConnection = { requestId: requestIdOf(headers), socket, subscriptions: new Set() };
    this.#open.set(socket, true);
    this.#beating ??= setInterval(() => this.#beat(), this.options.services.config.subscriptions.heartbeatMs).unref();
    const alive = () => void this.#open.set(socket, true);
    let receive: (text: string) => Promise<void> = async () => {};
    const closed = this.#protocol.opened(
      {
        protocol: socket.protocol,
        send: (text) => new Promise((sent) => socket.send(text, () => sent())),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (listener) => {
          receive = listener;
        },
      },
      connection,
    );
    socket.on('pong', alive);
    socket.on('error', () => {}); // it is closed with the code that says what is wrong
    socket.on('message', (data) => {
      alive();
      if (socket.bufferedAmount > MAX_UNREAD_BYTES) return socket.terminate();
      receive(String(data)).catch(() => socket.close(CloseCode.BadRequest, 'Invalid message'));
    });
    socket.once('close', (code, reason) => {
      this.#open.delete(socket);
      for (const subscription of connection.subscriptions) subscription.end('left');
      void closed(code, String(reason));
    });
  }

  /** Ends those from which nothing came since the last time. */
  #beat(): void {
    for (const [socket, isAlive] of this.#open) {
      if (!isAlive) {
        socket.terminate();
        continue;
      }
      this.#open.set(socket, false);
      socket.ping();
    }
    if (this.#open.size > 0) return;
    clearInterval(this.#beating);
    this.#beating = undefined;
  }
}
