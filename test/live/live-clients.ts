import { createClient as createSseClient } from 'graphql-sse';
import { type Client, type ClientOptions, createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { until } from '../support/until.ts';

/** What a client was told, in the order in which it came. */
export interface Told {
  // biome-ignore lint/suspicious/noExplicitAny: results of untyped operations
  readonly results: any[];
  readonly isComplete: () => boolean;
  /** Why the client gave up. */
  readonly failure: () => unknown;
  /** Resolves with what came after the first `count` results. */
  // biome-ignore lint/suspicious/noExplicitAny: results of untyped operations
  after(count: number): Promise<any>;
  leave(): void;
}

interface Asked {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
}

interface Way {
  subscribe(asked: Asked, sink: { next(v: unknown): void; error(e: unknown): void; complete(): void }): () => void;
}

/** By the real clients of both protocols. */
export function bySse(url: string, token: string, retryAttempts = 0): Way & { dispose(): void } {
  const client = createSseClient({
    url: `${url}/graphql`,
    headers: { authorization: `Bearer ${token}` },
    retryAttempts,
    retry: async () => {},
  });
  return { subscribe: (asked, sink) => client.subscribe(asked, sink as never), dispose: () => client.dispose() };
}

export function byWebSocket(
  url: string,
  token: string | (() => string),
  options: Partial<ClientOptions> = {},
): Way & Pick<Client, 'dispose'> {
  const client = createClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: () => ({ authorization: `Bearer ${typeof token === 'string' ? token : token()}` }),
    retryAttempts: 0,
    retryWait: async () => {},
    ...options,
  });
  return { subscribe: (asked, sink) => client.subscribe(asked, sink as never), dispose: () => client.dispose() };
}

export function listen(way: Way, query: string, variables?: Record<string, unknown>): Told {
  // biome-ignore lint/suspicious/noExplicitAny: results of untyped operations
  const results: any[] = [];
  let isComplete = false;
  let failure: unknown;
  const leave = way.subscribe(
    { query, ...(variables && { variables }) },
    {
      next: (result) => void results.push(result),
      error: (error) => {
        failure = error;
      },
      complete: () => {
        isComplete = true;
      },
    },
  );
  return {
    results,
    isComplete: () => isComplete,
    failure: () => failure,
    async after(count) {
      await until(
        () => results.length > count || failure !== undefined || isComplete,
        `more than ${count} results`,
        20_000,
      );
      if (results.length <= count) {
        const { response } = (failure ?? {}) as { response?: Response };
        throw new Error(`it ended: ${JSON.stringify(failure ?? 'complete')} ${await response?.text()}`);
      }
      return results.at(-1);
    },
    leave,
  };
}
