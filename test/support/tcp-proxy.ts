import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way to a local server that a test can cut. */
export interface TcpProxy {
  readonly port: number;
  /** Ends all connections, and every new one at once. */
  cut(): void;
  /** Lets new connections through again. */
  mend(): void;
  /** Keeps back what the server answers on the connections there are, until it is let through. */
  holdAnswers(): void;
  letAnswersThrough(): void;
  /** Lets new connections through to another server. */
  leadTo(targetPort: number): void;
  close(): Promise<void>;
}

export async function startTcpProxy(firstTargetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const targets = new Set<Socket>();
  let isCut = false;
  let targetPort = firstTargetPort;
  const destroyAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    return socket;
  };
  const server = createServer((client) => {
    keep(client);
    if (isCut) return void client.destroy();
    const target = keep(connect(targetPort, '127.0.0.1'));
    targets.add(target);
    target.once('close', () => targets.delete(target));
    client.pipe(target).pipe(client);
    client.once('close', () => target.destroy());
    target.once('close', () => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      isCut = true;
      destroyAll();
    },
    mend() {
      isCut = false;
    },
    holdAnswers() {
      for (const target of targets) target.pause();
    },
    letAnswersThrough() {
      for (const target of targets) target.resume();
    },
    leadTo(port) {
      targetPort = port;
    },
    async close() {
      destroyAll();
      server.close();
      await once(server, 'close');
    },
  };
}
