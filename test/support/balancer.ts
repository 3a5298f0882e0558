import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const CHECK_MS = 50;

/** A load balancer that sends requests where readiness says 200, in turn. It repeats none. */
export interface Balancer {
  readonly url: string;
  /** The backends that were ready when they were asked last. */
  readyOnes(): readonly string[];
  /** What readiness said, as `503 stopping`, for each backend. */
  readonly said: ReadonlyMap<string, ReadonlySet<string>>;
  close(): Promise<void>;
}

/** @param keepAlive whether connections to backends serve several requests */
export async function startBalancer(backends: readonly string[], keepAlive: boolean): Promise<Balancer> {
  const agents = new Map(backends.map((backend) => [backend, new Agent({ keepAlive })]));
  const said = new Map(backends.map((backend) => [backend, new Set<string>()]));
  const ready = new Set<string>();
  let turn = 0;
  let isOpen = true;
  const checking = backends.map(async (backend) => {
    while (isOpen) {
      const answer = await askReadiness(backend);
      if (answer) said.get(backend)?.add(answer);
      if (answer?.startsWith('200')) ready.add(backend);
      else ready.delete(backend);
      await delay(CHECK_MS);
    }
  });
  const server = createServer((incoming, outgoing) => {
    const backend = [...ready][turn++ % ready.size];
    if (backend) forward(backend, agents.get(backend) as Agent, incoming, outgoing);
    else refuse(outgoing, new Error('no backend is ready'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    readyOnes: () => [...ready],
    said,
    async close() {
      isOpen = false;
      await Promise.all(checking);
      server.close();
      server.closeAllConnections();
      for (const agent of agents.values()) agent.destroy();
    },
  };
}

/** Undefined when there is no answer. */
async function askReadiness(backend: string): Promise<string | undefined> {
  try {
    const response = await fetch(`${backend}/health/ready`, { headers: { connection: 'close' } });
    const { status } = (await response.json()) as { status: string };
    return `${response.status} ${status}`;
  } catch {
    return undefined;
  }
}

function forward(backend: string, agent: Agent, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { connection: _, ...headers } = incoming.headers;
  const onward = request(`${backend}${incoming.url}`, { agent, method: incoming.method, headers });
  onward.on('response', (response) => {
    const { connection: _, 'keep-alive': __, ...rest } = response.headers;
    outgoing.writeHead(response.statusCode ?? 500, rest);
    response.pipe(outgoing);
    response.on('error', (error) => outgoing.destroy(error));
  });
  onward.on('error', (error) => refuse(outgoing, error));
  incoming.pipe(onward);
}

function refuse(outgoing: ServerResponse, { message }: Error): void {
  if (outgoing.headersSent) outgoing.destroy();
  else outgoing.writeHead(502).end(message);
}
