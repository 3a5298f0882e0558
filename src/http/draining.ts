import { type IncomingMessage, type OutgoingHttpHeaders, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Whether the service is being stopped. It still answers then, and each answer is the last one of
 * its connection, so that no connection that is in use is closed by anything but an answer that
 * says so.
 */
export class Draining {
  /** For the server of HTTP. */
  readonly Response: typeof ServerResponse;
  #hasBegun = false;
  #onBegin = () => {};

  constructor() {
    this.Response = lastWhen(() => this.#hasBegun);
  }

  /** @param work done as soon as it begins */
  whenBegun(work: () => void): void {
    this.#onBegin = work;
  }

  begin(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    this.#onBegin();
  }
}

/**
 * Decides when headers are written, and not when a request comes: answers under way belong to it,
 * whoever sends them.
 */
function lastWhen(isLast: () => boolean): typeof ServerResponse {
  return class<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
    override writeHead(status: number, reason?: unknown, headers?: unknown): this {
      if (isLast()) this.shouldKeepAlive = false;
      return super.writeHead(status, reason as string, headers as OutgoingHttpHeaders);
    }
  };
}

/** How far a connection is that waits for its client. */
interface Waiting {
  readonly bytesRead: number;
  /** Given to the system whole. */
  readonly bytesWritten: number;
  /** What is left of what the system takes piece by piece. */
  readonly unsent: number;
  /** For the rest of a request, as long as that is what it waits for. */
  readonly requestMs: number;
}

/** What Node.js keeps at a socket. */
interface Internals {
  _httpMessage?: ServerResponse | null;
  readonly _handle?: { readonly writeQueueSize: number } | null;
}

/** For Node.js, which asks only whether it is finished. */
const UNSENT = { finished: false } as ServerResponse;

/** The connections of a server. Once that is closed, Node.js waits for them without end. */
export class OpenConnections {
  readonly #open = new Set<Socket>();
  /** Answers after which their connections are idle. */
  readonly #awaited = new WeakSet<ServerResponse>();

  constructor(private readonly server: Server) {
    server.on('connection', (socket) => {
      this.#open.add(socket);
      socket.once('close', () => this.#open.delete(socket));
    });
    const closeIdle = server.closeIdleConnections.bind(server);
    server.closeIdleConnections = () => this.#sparingUnsent(closeIdle);
  }

  /**
   * Node.js takes a connection for idle as soon as its answer is written, and would cut it off where
   * the client reads slowly. It is idle once the answer is sent.
   */
  #sparingUnsent(closeIdle: () => void): void {
    const spared: (() => void)[] = [];
    for (const socket of this.#open as Set<Socket & Internals>) {
      const { _httpMessage: answer } = socket;
      if (!answer?.writableEnded) continue;
      socket._httpMessage = UNSENT;
      spared.push(() => {
        socket._httpMessage = answer;
      });
      if (this.#awaited.has(answer)) continue;
      this.#awaited.add(answer);
      answer.once('finish', () => setImmediate(() => this.server.closeIdleConnections()));
    }
    closeIdle();
    for (const restore of spared) restore();
  }

  /** Ends those on which nothing ever came: Node.js takes them for busy. */
  closeUnused(): void {
    for (const socket of this.#open) if (socket.bytesRead === 0) socket.destroy();
  }

  /**
   * Ends those that wait for their client, now and later: for the rest of a request, or until it
   * reads its answer. From the closing on Node.js looks for none of them.
   * @param graceMs how long each may wait at least without a byte; at most it is twice that
   * @param requestMs how long a request may take, however it comes
   */
  closeStalled(graceMs: number, requestMs: number): void {
    let before = new Map<Socket, Waiting>();
    const look = () => {
      const now = new Map<Socket, Waiting>();
      for (const socket of this.#open) {
        const last = before.get(socket);
        const waiting = waitingOn(socket, last ? last.requestMs + graceMs : 0);
        if (!waiting) continue;
        if ((last && !hasMoved(last, waiting)) || waiting.requestMs >= requestMs) socket.destroy();
        else now.set(socket, waiting);
      }
      before = now;
    };
    look();
    const timer = setInterval(look, graceMs).unref();
    this.server.once('close', () => clearInterval(timer));
  }
}

/**
 * @param requestMs how long it has waited for the rest of a request, if that is what it waits for
 * @returns undefined for a connection whose request is worked on
 */
function waitingOn(socket: Socket, requestMs: number): Waiting | undefined {
  const { _httpMessage: answer, _handle: handle } = socket as Socket & Internals;
  const isAnswered = answer?.writableEnded ?? false;
  if (answer?.req.complete && !isAnswered) return undefined;
  return {
    bytesRead: socket.bytesRead,
    bytesWritten: socket.bytesWritten - socket.writableLength,
    unsent: handle?.writeQueueSize ?? 0,
    requestMs: isAnswered ? 0 : requestMs,
  };
}

function hasMoved(last: Waiting, now: Waiting): boolean {
  return last.bytesRead !== now.bytesRead || last.bytesWritten !== now.bytesWritten || last.unsent !== now.unsent;
}
