import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { MetricsPage } from '../app/metrics.ts';
import type { Config } from '../config/config.ts';
import { notBound } from './listen-errors.ts';

/** As OpenTelemetry's exporters for Prometheus choose it. */
const FREE_PORT = 9464;
/** Whoever asks is a program inside: it sends its request at once. */
const REQUEST_TIMEOUT_MS = 5_000;

export interface MetricsServer {
  /** @throws StateError that names METRICS_PORT when the port cannot be listened on */
  listen(): Promise<void>;
  close(): Promise<void>;
}

/**
 * GET /metrics on a port of its own, and nothing else, for networks in which that port leads nowhere.
 * @returns undefined without METRICS_PORT
 */
export function metricsServer(
  { host, metricsPort: port }: Pick<Config, 'host' | 'metricsPort'>,
  page: MetricsPage,
): MetricsServer | undefined {
  if (port === undefined) return undefined;
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    void answer(page, request, response);
  });
  return {
    async listen() {
      server.listen({ host, port });
      try {
        await once(server, 'listening');
      } catch (cause) {
        const listenedOn = { host, port, setting: 'METRICS_PORT', free: FREE_PORT } as const;
        throw notBound(cause as NodeJS.ErrnoException, listenedOn);
      }
    },
    async close() {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
    },
  };
}

/** @param url of the service */
export function metricsUrl({ metricsPort }: Pick<Config, 'metricsPort'>, url: string): string {
  if (metricsPort === undefined) return `${url}/metrics`;
  const own = new URL('/metrics', url);
  own.port = String(metricsPort);
  return own.href;
}

async function answer({ contentType, text }: MetricsPage, { method, url }: IncomingMessage, response: ServerResponse) {
  if (url?.split('?', 1)[0] !== '/metrics') return end(response, 404, 'Nothing but /metrics is here.');
  if (method !== 'GET' && method !== 'HEAD') return end(response, 405, 'GET /metrics');
  const shown = await text().catch(() => undefined);
  if (shown === undefined) return end(response, 500, 'The figures could not be read.');
  response.writeHead(200, { 'content-type': contentType });
  response.end(shown);
}

function end(response: ServerResponse, status: number, said: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${said}\n`);
}
