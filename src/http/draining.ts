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

/** What a connection waits for its client with: the answer, once the head of its request was read. */
interface Stalled {
  readonly answer: ServerResponse | undefined;
  readonly isAnswered: boolean;
}

/** The connections of a server. Once that is closed, Node.js waits for them without end. */
export class OpenConnections {
  readonly #open = new Set<Socket>();

  constructor(private readonly server: Server) {
    server.on('connection', (socket) => {
      this.#open.add(socket);
      socket.once('close', () => this.#open.delete(socket));
    });
  }

  /** Ends those on which nothing ever came: Node.js takes them for busy. */
  closeUnused(): void {
    for (const socket of this.#open) if (socket.bytesRead === 0) socket.destroy();
  }

  /**
   * Ends those that wait for their client, now and later: for the rest of a request, or until it
   * reads its answer. From the closing on Node.js looks for none of them.
   * @param graceMs how long each may wait at least; at most it is twice that
   */
  closeStalled(graceMs: number): void {
    let before = new Map<Socket, Stalled>();
    const look = () => {
      const now = new Map<Socket, Stalled>();
      for (const socket of this.#open) {
        const stalled = stalledOn(socket);
        if (!stalled) continue;
        const last = before.get(socket);
        if (last && last.answer === stalled.answer && last.isAnswered === stalled.isAnswered) socket.destroy();
        else now.set(socket, stalled);
      }
      before = now;
    };
    look();
    const timer = setInterval(look, graceMs).unref();
    this.server.once('close', () => clearInterval(timer));
  }
}

/** @returns undefined for a connection whose request is worked on */
function stalledOn(socket: Socket): Stalled | undefined {
  const { _httpMessage: answer } = socket as { _httpMessage?: ServerResponse | null }; // kept there by Node.js
  if (!answer) return { answer: undefined, isAnswered: false };
  const isAnswered = answer.writableEnded;
  return isAnswered || !answer.req.complete ? { answer, isAnswered } : undefined;
}
