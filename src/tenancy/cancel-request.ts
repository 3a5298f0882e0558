import { connect } from 'node:net';
import type pg from 'pg';

/** Length, and the code that stands for a protocol version: PostgreSQL's CancelRequest message. */
const MESSAGE_BYTES = 16;
const CANCEL_REQUEST_CODE = 80_877_102;

/** A server that is that busy stops the statement by its own timeout. */
const TIMEOUT_MS = 2_000;

/** What pg knows of a connection; its published types leave the key out. */
type KnownConnection = Pick<pg.Client, 'host' | 'port'> & { readonly processID: number; readonly secretKey: number };

/**
 * Asks PostgreSQL, over a connection of its own, to stop what runs on this one. Unencrypted, as
 * libpq did up to version 16: the message holds nothing but the key that it uses up. Needs no
 * permission and no connection of the pool, unlike `pg_cancel_backend`.
 * @returns when the server has passed it on, so that it cannot hit a later statement
 * @throws when the server could not be told in time
 */
export function requestCancel(client: pg.PoolClient): Promise<void> {
  const { host, port, processID, secretKey } = client as unknown as KnownConnection;
  const message = Buffer.alloc(MESSAGE_BYTES);
  [MESSAGE_BYTES, CANCEL_REQUEST_CODE, processID, secretKey].forEach((value, index) => {
    message.writeInt32BE(value, index * 4);
  });
  return new Promise((resolve, reject) => {
    const socket = connect(host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port });
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error(`no answer to a cancel request in ${TIMEOUT_MS} ms`)));
    socket.on('connect', () => socket.write(message));
    // The server says nothing; it closes the connection when it has sent the signal.
    socket
      .on('error', reject)
      .on('end', () => socket.end())
      .on('close', () => resolve());
    socket.resume();
  });
}
