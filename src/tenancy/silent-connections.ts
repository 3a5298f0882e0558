import type { Socket } from 'node:net';
import type pg from 'pg';

/**
 * Beyond the time limit of all statements: for the way there and back, and for a COMMIT, which has
 * none.
 */
const GRACE_MS = 5_000;

/** After which a quiet connection is asked whether anybody is still there. */
export const KEEP_ALIVE_MS = 60_000;

/** How long PostgreSQL may say nothing on a connection that is in use. */
export function longestSilenceMs(statementTimeoutMs: number): number {
  return statementTimeoutMs + GRACE_MS;
}

/**
 * Ends connections that are in use and on which nothing comes. PostgreSQL stops statements by their
 * time limit, but one that vanished without a word, or a network that lost the connection, does
 * not: whoever waits there would keep the connection and its place for as long as the system sends
 * its bytes again, a quarter of an hour, or without an end.
 */
export function endSilentConnections(pool: pg.Pool, silenceMs: number): void {
  pool.on('acquire', (client) => socketOf(client).setTimeout(silenceMs));
  pool.on('release', (_error, client) => socketOf(client).setTimeout(0));
}

/** For a new connection, which is in use until it is released. */
export function watchForSilence(client: pg.ClientBase, silenceMs: number): void {
  const socket = socketOf(client);
  socket.setTimeout(silenceMs);
  socket.on('timeout', () => {
    const { bytesRead } = socket;
    // A process that stood still first hears what has come meanwhile.
    setImmediate(() => socket.bytesRead === bytesRead && socket.destroy(new NoAnswer(silenceMs)));
  });
}

/** Known as a database that cannot be reached. */
class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  readonly code = 'ETIMEDOUT';

  constructor(silenceMs: number) {
    super(`PostgreSQL said nothing for ${silenceMs} ms`);
  }
}

/** pg's published types leave it out. */
function socketOf(client: pg.ClientBase): Socket {
  return (client as unknown as { readonly connection: { readonly stream: Socket } }).connection.stream;
}
