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

/**
 * Follows the connections of a server.
 * @returns ends those on which nothing ever came. Closing a server leaves them open: Node.js takes
 *   them for busy, and they would be waited for without end.
 */
export function unusedConnections(server: Server): () => void {
  const open = new Set<Socket>();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  return () => {
    for (const socket of open) if (socket.bytesRead === 0) socket.destroy();
  };
}
