/**
 * Says why the embedded PostgreSQL cannot be had, and what to do: its message is meant for the
 * person at the terminal.
 */
export class EmbeddedPostgresError extends Error {
  /** @override */
  name = 'EmbeddedPostgresError';
}
