import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What was sent to the collector at once. */
interface Sent {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Takes OTLP over HTTP, as a collector does, or does not take it. */
export interface Collector {
  readonly url: string;
  readonly sent: readonly Sent[];
  /** `refuses` with 503; `hangs`: takes the request and never answers. */
  mode: 'takes' | 'refuses' | 'hangs';
  close(): Promise<void>;
}

/** @param port a free one when absent */
export async function startCollector(port = 0): Promise<Collector> {
  const sent: Sent[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request
      .on('data', (piece: Buffer) => pieces.push(piece))
      .on('end', () => {
        sent.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(pieces) });
        answer(collector.mode, response);
      });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const collector: Collector = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent,
    mode: 'takes',
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return collector;
}

function answer(mode: Collector['mode'], response: ServerResponse): void {
  if (mode === 'hangs') return;
  response.writeHead(mode === 'takes' ? 200 : 503, { 'content-type': 'application/json' }).end('{}');
}
